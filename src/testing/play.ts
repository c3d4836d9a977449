/**
 * Plays a scripted pipeline to the end of its script, whether or not the script ends the stream: what has come out by then
 * is the result.
 */
import type { Clock } from "../base/clock.ts";
import { seededRandom } from "../base/random.ts";
import type { Program } from "../pipeline/index.ts";
import { EmbeddedJob } from "../runners/embedded/job.ts";
import { encodedByDefault } from "../runners/embedded/run.ts";
import { simulatedJobClock } from "./simulated-job-clock.ts";

/** How a script is played; all members optional. */
export interface PlayOptions {
  /** Encodes and decodes every value between stages. Default: whether the environment variable TIDEMARK_ENCODED is `1`. */
  readonly encoded?: boolean;
  /** Checks that what steps keep can be encoded, and freezes it and elements that several steps see. Default true. */
  readonly strict?: boolean;
  /** Cuts bundles at random by this seed. */
  readonly bundleSeed?: number;
}

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
  const built = await program.build({});
  const random = options.bundleSeed === undefined ? undefined : seededRandom(options.bundleSeed);
  let stop: (() => void) | undefined;
  const clock: Clock = {
    ...simulatedJobClock(),
    // Scheduling means that nothing is left but waiting for processing time, which only the script may move.
    schedule: () => {
      stop?.();
      return () => {};
    },
  };
  const job = new EmbeddedJob(built.graph, {
    clock,
    options: built.options,
    encoded: options.encoded ?? encodedByDefault(),
    strict: options.strict ?? true,
    ...(random && { cutBundle: () => 1 + random.int(4) }),
    warn: () => {},
    onIdle: () => stop?.(),
  });
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  await Promise.race([job.done, stopped]);
  await job.cancel();
}
