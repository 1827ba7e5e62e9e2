// When a resource was made, and whose it is, as state and router have it: `5f3a09c1e2b4 organization/shop/dev`. Of what stands in a state, nothing
// but these words reaches a router.

const STACK = "[A-Za-z0-9._/-]{1,300}";
const made = new RegExp(`^([0-9a-f]{1,32})(?: (${STACK}))?$`);
const stack = new RegExp(`^${STACK}$`);

export const isStack = (text: string): boolean => stack.test(text);

/** The word that tells one of an id from another of the same id. */
export const wordOf = (text: string | undefined): string | undefined => made.exec(text ?? "")?.[1];

/** The stack's full name; absent where none was known. */
export const stackOf = (text: string | undefined): string | undefined => made.exec(text ?? "")?.[2];
