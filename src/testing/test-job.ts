/** A job as tests run it: strict unless they say otherwise, silent, its bundles cut at random where there is a seed. */
import type { Clock } from "../base/clock.ts";
import { seededRandom } from "../base/random.ts";
import type { Program } from "../pipeline/index.ts";
import { EmbeddedJob, type JobOptions } from "../runners/embedded/job.ts";
import { encodedByDefault } from "../runners/embedded/run.ts";
import { MemoryCheckpoints } from "./memory-checkpoints.ts";

/** What every way to run a pipeline in a test can be told; all members optional. */
export interface TestJobOptions {
  /** Encodes and decodes every value between stages. Default: whether the environment variable TIDEMARK_ENCODED is `1`. */
  readonly encoded?: boolean;
  /** Checks that what steps keep can be encoded, and freezes it and elements that several steps see. Default true. */
  readonly strict?: boolean;
  /** Cuts bundles at random by this seed, in place of handing elements on as they come. */
  readonly bundleSeed?: number;
  /**
   * Stops the job at random moments by this seed, writes down all that it keeps, and starts it again from that. Default: the
   * environment variable TIDEMARK_RESTARTS, where it is a number.
   */
  readonly restartSeed?: number;
}

/** Builds `program` from raw options, and starts it. What `build` throws comes as it is: tests look at it. */
export async function startTestJob(
  program: Program,
  rawOptions: unknown,
  clock: Clock,
  { encoded = encodedByDefault(), strict = true, bundleSeed, restartSeed = restartsByDefault() }: TestJobOptions,
  more: Partial<Pick<JobOptions, "warn" | "onIdle" | "onFailed">> = {},
): Promise<EmbeddedJob> {
  const { graph, options } = await program.build(rawOptions);
  const random = bundleSeed === undefined ? undefined : seededRandom(bundleSeed);
  const cutting = random && { cutBundle: () => 1 + random.int(4) };
  return new EmbeddedJob(graph, {
    clock,
    options,
    encoded,
    strict,
    warn: () => {},
    ...cutting,
    ...restarting(restartSeed),
    ...more,
  });
}

function restartsByDefault(): number | undefined {
  const seed = process.env["TIDEMARK_RESTARTS"];
  return seed === undefined ? undefined : Number(seed);
}

function restarting(seed: number | undefined): Pick<JobOptions, "checkpoints"> {
  if (seed === undefined) return {};
  const random = seededRandom(seed);
  const restartWhen = (): boolean => random.int(3) === 0;
  // Whatever may leave the memory does, so that it has to come back.
  const store = new MemoryCheckpoints(() => random.int(2) === 0);
  const everyMs = random.int(2) === 0 ? 0 : Infinity;
  return { checkpoints: { store, everyMs, stateMemory: 0, restartWhen } };
}
