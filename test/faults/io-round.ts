/** Rounds in which one call to the operating system is the last of a process, or fails from then on: io-fault.c. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../src/base/random.ts";
import { NEVER } from "./moments.ts";
import { checkOutput, type Ended, inputOf, runChild, writeInput } from "./round.ts";

const LINES = 2_500;
const { ENOSPC, EIO, EMFILE } = constants.errno;

export type Call = "sync" | "write" | "rename" | "open";
/** `kill`, or the error that calls fail with. */
export const FAILURES = {
  kill: "kill",
  "no space": String(ENOSPC),
  "i/o error": String(EIO),
  "too many files": String(EMFILE),
};
export type Failure = keyof typeof FAILURES;

let library: string | undefined;

/** Whether this machine can have calls fail: it is loaded before libc on Linux alone, and has to be compiled. */
export const CAN_FAIL: boolean =
  process.platform === "linux" && spawnSync("cc", ["--version"], { stdio: "ignore" }).status === 0;

/** Compiled once. */
function faultLibrary(): string {
  if (library !== undefined) return library;
  const folder = mkdtempSync(join(tmpdir(), "tidemark-io-fault-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "io-fault.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", path, join(import.meta.dirname, "io-fault.c"), "-ldl"]);
  library = path;
  return path;
}

export interface IoResult {
  /** Whether there were so many calls. */
  readonly happened: boolean;
  /** How the process ended in which it happened. */
  readonly ended: Ended;
}

/** Has the `at`-th such call fail; then plays the job to its end without. @throws where the output is not exact */
export async function playIoRound(name: string, call: Call, at: number, failure: Failure): Promise<IoResult> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-io-"));
  const log = join(folder, "..", `${folder.split("/").at(-1)}.log`);
  const input = inputOf(seededRandom(at), LINES);
  writeInput(folder, input);
  try {
    const ended = await runChild(name, folder, NEVER, {
      LD_PRELOAD: faultLibrary(),
      FAULT_FOLDER: folder,
      FAULT_CALL: call,
      FAULT_AT: String(at),
      FAULT_DO: FAILURES[failure],
      FAULT_LOG: log,
    });
    const happened = existsSync(log);
    const after = await runChild(name, folder, NEVER);
    if (after.code !== 0) throw new Error(after.text);
    checkOutput(name, folder, input);
    return { happened, ended };
  } catch (error) {
    throw new Error(
      `${failure} at ${call} ${at} of ${name}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(log, { force: true });
  }
}
