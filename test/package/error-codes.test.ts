/** The list of error codes is closed on both sides: code may name only these, and each is shown by a test. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../../src/base/error-codes.ts";

const root = dirname(dirname(import.meta.dirname));

test("each error code is named by a test", () => {
  const files = globSync("{src,test,labs,bench}/**/*.test.ts", { cwd: root });
  const texts = files.map((path) => readFileSync(join(root, path), "utf8")).join("\n");
  const named = new Set(texts.match(/\b[A-Z][A-Z0-9_]+\b/g));
  expect(Object.keys(ERROR_CODES).filter((code) => !named.has(code))).toEqual([]);
});
