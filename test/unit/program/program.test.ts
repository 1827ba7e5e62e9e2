// The program as a whole, as text.

import { expect, test } from "vitest";
import { program } from "../../../provider/router/program";
import { faults } from "./faults";

test("every fault that tests are to find is a change of one place", () => {
  for (const { from, to } of faults) {
    expect(program().functions.split(from), from).toHaveLength(2);
    expect(to).not.toBe(from);
  }
});
