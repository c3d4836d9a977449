/** Errors that come up where nobody can catch them: in a callback, or in a promise that nobody awaits. */
import { TidemarkError } from "../base/errors.ts";
import { userFrame } from "../base/frames.ts";

/** Such an error, as a coded one that names the user's line. */
export function uncaught(error: unknown): TidemarkError {
  const at = userFrame(error);
  return new TidemarkError("PROGRAM_UNCAUGHT", {
    what: `an error came up where nobody could catch it: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    why: "a callback threw, or a promise that nobody awaits was rejected",
    fix: "await the promise in the step that starts it, or catch the error",
    ...(at !== undefined && { at }),
    cause: error,
  });
}

/** Does `work`, and rejects with PROGRAM_UNCAUGHT as soon as such an error comes up meanwhile. */
export async function orUncaught<T>(work: () => Promise<T>): Promise<T> {
  let onUncaught: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    onUncaught = (error) => reject(uncaught(error));
  });
  process.on("uncaughtException", onUncaught);
  try {
    return await Promise.race([work(), failure]);
  } finally {
    process.off("uncaughtException", onUncaught);
  }
}
