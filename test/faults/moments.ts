/** When a process is killed. */
import type { Random } from "../../src/base/random.ts";

export interface Moment {
  /** `time`: so long after the start. Others: around the commit of a checkpoint, or before the job's end is on record. */
  readonly point: "time" | "committing" | "committed" | "end" | "never";
  /** Which of the commits of the process. */
  readonly commit: number;
  readonly afterMs: number;
  /** Breaks the job on purpose: tells sinks of a checkpoint before it is on the disk; forgets what was sealed. */
  readonly broken?: "early" | "unsealed" | undefined;
}

export const NEVER: Moment = { point: "never", commit: 0, afterMs: 0 };

/** How often a process is killed in a round at least; there may be one more, at its end. */
export const KILLS = 3;

/** @param n the number of the kill in its round: the first falls into a commit, one after the others to the job's end */
export function momentOf(random: Random, n: number): Moment {
  if (n === 0) return { point: "committing", commit: 1 + random.int(2), afterMs: 0 };
  if (n >= KILLS) return { point: random.int(2) === 0 ? "end" : "never", commit: 0, afterMs: 0 };
  const point = (["time", "committing", "committed"] as const)[random.int(3)] as "time" | "committing" | "committed";
  const afterMs = point === "time" ? 1 + random.int(20) : random.int(2);
  return { point, commit: 1 + random.int(3), afterMs };
}
