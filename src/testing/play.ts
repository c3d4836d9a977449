/**
 * Plays a scripted pipeline to the end of its script, whether or not the script ends the stream: what has come out by then
 * is the result.
 */
import type { Clock } from "../base/clock.ts";
import type { Program } from "../pipeline/index.ts";
import { simulatedJobClock } from "./simulated-job-clock.ts";
import { startTestJob, type TestJobOptions } from "./test-job.ts";

/** How a script is played. */
export type PlayOptions = TestJobOptions;

/**
 * Builds and plays `program`. A script that leaves the stream open is stopped after its last event: what has come out by then
 * is the result.
 *
 * @example
 * ```ts
 * const found: Collected<string>[] = [];
 * const open = pipeline({
 *   name: "open",
 *   build(p) {
 *     p.readTestStream<string>([{ kind: "elements", elements: [at(0, "a")] }]).write(collectSink("found", found));
 *   },
 * });
 * await playScript(open);
 * found.map(({ value }) => value); // -> ["a"]
 * ```
 */
export async function playScript(program: Program, options: PlayOptions = {}): Promise<void> {
  let stop: (() => void) | undefined;
  const clock: Clock = {
    ...simulatedJobClock(),
    // Scheduling means that nothing is left but waiting for processing time, which only the script may move.
    schedule: () => {
      stop?.();
      return () => {};
    },
  };
  const job = await startTestJob(program, {}, clock, options, { onIdle: () => stop?.() });
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  await Promise.race([job.done, stopped]);
  await job.cancel();
}
