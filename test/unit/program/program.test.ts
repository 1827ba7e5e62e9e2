// The program as a whole, as text.

import { expect, test } from "vitest";
import { program } from "../../../provider/router/program";
import { faults } from "./faults";

test("every fault that tests are to find is a change of one place", () => {
  const text = program().functions;
  expect(faults.filter(({ from, to }) => text.split(from).length !== 2 || from === to)).toEqual([]);
});
