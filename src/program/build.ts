/** Builds a program's graph; whatever its `build` throws comes out coded. */
import { isTidemarkError, TidemarkError } from "../base/errors.ts";
import { userFrame } from "../base/frames.ts";
import type { BuiltProgram, Program } from "../pipeline/program.ts";

/**
 * The graph of a program, and its options as its functions see them.
 * @throws OPTIONS_INVALID and what is refused while steps are applied; PROGRAM_BUILD_FAILED for what `build` itself throws
 */
export async function buildProgram(program: Program, rawOptions: unknown): Promise<BuiltProgram> {
  try {
    return await program.build(rawOptions);
  } catch (error) {
    throw isTidemarkError(error) ? error : buildFailure(program.name, error);
  }
}

function buildFailure(name: string, error: unknown): TidemarkError {
  const at = userFrame(error);
  return new TidemarkError("PROGRAM_BUILD_FAILED", {
    what: `the program "${name}" failed while it was built: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    why: "build only says what the pipeline is, and runs before any element",
    fix: "mend the function build(p, options)",
    ...(at !== undefined && { at }),
    cause: error,
  });
}
