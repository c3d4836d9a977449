import { expect, test } from "vitest";
import { assert, unreachable } from "./assert.ts";
import type { TidemarkError } from "./errors.ts";

function thrownBy(fn: () => void): TidemarkError {
  try {
    fn();
  } catch (error) {
    return error as TidemarkError;
  }
  throw new Error("nothing was thrown");
}

test("an assertion that does not hold is a bug of Tidemark, and says so", () => {
  assert(true, "never shown");
  const error = thrownBy(() => assert([2].includes(1), "W1 2 passed 1"));
  expect(error).toMatchObject({ code: "INVARIANT", domain: "internal", what: "W1 2 passed 1" });
  expect(error.fix).toContain("report");
});

test("a case that cannot be is named", () => {
  expect(thrownBy(() => unreachable({ kind: "new" } as never))).toMatchObject({
    code: "INVARIANT",
    what: 'unexpected case {"kind":"new"}',
  });
});
