// What a child reads of its parent's ledger: its own line only, so that nobody else's claim ever changes a child.

import * as pulumi from "@pulumi/pulumi";
import { lookup } from "../provider/addressing/ledger";
import { detached, typeToken } from "./resource";

/** The parent's answer to a claim; the child's `check` turns anything but a value into a failure. */
export type Grant = { value: string } | { refused: string; absent?: true };

/** A resource that hands out addresses. */
export interface Ledger {
  readonly ledger: pulumi.Output<string>;
  readonly urn: pulumi.Output<string>;
}

export interface Child {
  type: string;
  name: string;
  claim: string;
  /** What it asks for. */
  value?: string | undefined;
  length?: number | undefined;
  opts: pulumi.CustomResourceOptions | undefined;
}

/** The ledger's keeper, or one who answers for it. */
export type Parent = Ledger | { answer(kind: string, child: Child): pulumi.Output<Grant | undefined> };

export function grant(parent: Parent, kind: string, child: Child): pulumi.Output<Grant | undefined> {
  if ("answer" in parent) return parent.answer(kind, child);
  return parent.ledger.apply(
    async (ledger): Promise<Grant | undefined> =>
      // Under mocks no hook runs and there is no ledger; nothing reads the grant then either.
      ledger === undefined ? undefined : (lookup(ledger, kind, child.claim) ?? refusal(parent, kind, child)),
  );
}

async function refusal(parent: Ledger, kind: string, { name, type, claim, opts }: Child): Promise<Grant> {
  const parentUrn = await detached(parent.urn);
  const childUrn = await detached(pulumi.createUrn(name, typeToken(type), opts?.parent));
  const targets = [parentUrn, childUrn].map((it) => `--target '${it}'`).join(" ");
  return { refused: `the ledger of ${lastWord(parentUrn)} has no ${kind} "${claim}" yet: update both, ${targets}` };
}

const lastWord = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);
