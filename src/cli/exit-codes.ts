/** How the command ends: the one table of exit codes. */
import type { ErrorCode } from "../base/error-codes.ts";
import { isTidemarkError } from "../base/errors.ts";

/** Name, code and meaning, as the help shows them. */
export const EXIT_CODES = {
  ok: [0, "the job is done, or what was asked for was printed"],
  failed: [1, "the program could not be loaded or built, or its job failed"],
  usage: [2, "the command line or the program's options are wrong"],
  interrupted: [130, "ended by Ctrl-C (SIGINT)"],
  terminated: [143, "ended by SIGTERM"],
} as const;

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  "USAGE",
  "CHECKPOINT_INVALID",
  "OPTION_INVALID",
  "OPTION_MISSING",
  "OPTION_UNKNOWN",
  "OPTIONS_INVALID",
  "PROGRAM_FILE_KIND",
  "PROGRAM_NOT_FOUND",
]);

/** The exit code for an error that ends the command. */
export function exitCodeOf(error: unknown): number {
  const wrongUse = isTidemarkError(error) && USAGE_CODES.has(error.code);
  return EXIT_CODES[wrongUse ? "usage" : "failed"][0];
}
