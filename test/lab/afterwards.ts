// After the last test of the suite, however it went: nothing of the lab is left on the machine.

import { lab } from "./lab.ts";

export const teardown = (): Promise<void> => lab.down();
