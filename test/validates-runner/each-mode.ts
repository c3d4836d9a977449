/** Runs a scenario plainly, with every value encoded, and with bundles cut at random. */
import { runTest, type TestOptions } from "tidemark/testing";
import { test } from "vitest";

const MODES: readonly (readonly [string, TestOptions])[] = [
  ["plain", { encoded: false }],
  ["encoded", { encoded: true }],
  ["bundles cut", { encoded: false, bundleSeed: 7 }],
];

/** One test for each mode, by the scenario's name. */
export function eachMode(name: string, build: Parameters<typeof runTest>[0]): void {
  test.each(MODES)(`${name} (%s)`, async (_mode, options) => {
    await runTest(build, options);
  });
}
