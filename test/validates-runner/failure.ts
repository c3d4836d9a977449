/** What a scenario that must not succeed fails with. */
import { isTidemarkError, type TidemarkError } from "tidemark";
import { runTest, type TestOptions } from "tidemark/testing";

/** The coded error of a run. Anything else, success too, is an error here. */
export async function failureOf(
  build: Parameters<typeof runTest>[0],
  options: TestOptions = {},
): Promise<TidemarkError> {
  let reason: unknown;
  try {
    await runTest(build, options);
  } catch (error) {
    reason = error;
  }
  if (isTidemarkError(reason)) return reason;
  throw new Error(reason === undefined ? "the run succeeded" : "the run failed without a code", { cause: reason });
}
