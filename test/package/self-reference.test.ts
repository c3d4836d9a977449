import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { seconds } from "tidemark";
import { seconds as fromSource } from "../../src/index.ts";

test("a program of the repository that imports tidemark gets the source, once", () => {
  expect(seconds).toBe(fromSource);
});

test("Node itself resolves tidemark to the source, for what tests spawn or load without Vite", () => {
  const resolved = createRequire(import.meta.url).resolve("tidemark");
  expect(resolved).toBe(fileURLToPath(new URL("../../src/index.ts", import.meta.url)));
});
