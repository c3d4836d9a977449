/**
 * Runs a pipeline in a test: simulated clock, strict mode, every assertion checked, nothing left behind. What fails says why
 * what is stuck has not fired.
 */
import type { Clock } from "../base/clock.ts";
import { isTidemarkError, TidemarkError } from "../base/errors.ts";
import { checkOptionNames, type OptionNames } from "../base/option-names.ts";
import { describeExplanation } from "../explain/words.ts";
import { isProgram, type Pipeline, pipeline, type Program } from "../pipeline/index.ts";
import type { EmbeddedJob } from "../runners/embedded/job.ts";
import { describeStages, type JobMetrics, jobMetrics } from "../runners/embedded/job-metrics.ts";
import { simulatedJobClock } from "./simulated-job-clock.ts";
import { startTestJob, type TestJobOptions } from "./test-job.ts";

/** How a test runs its pipeline; all members optional. */
export interface TestOptions extends TestJobOptions {
  /** Options of a program, raw. */
  readonly options?: unknown;
  /** Milliseconds of real time after which the test fails, saying what the pipeline waits for. Default 10 s. */
  readonly timeout?: number;
  /** Processing time at the start, in ms. Default 0. */
  readonly startAt?: number;
  /** As of `pipeline`, where a build function is given. Default false. */
  readonly allowUnsafeTriggers?: boolean;
  /** Default: `simulatedJobClock(startAt)`. */
  readonly clock?: Clock;
  /** Told of late elements that were dropped. Default: nobody. */
  readonly onWarning?: (message: string) => void;
}

/**
 * The figures of a job under test. They count as nothing too, so that `() => runTest(…)` is a test's body also where that has to
 * return nothing, as in node:test.
 */
export type TestMetrics = JobMetrics & void;

/**
 * Builds and runs a pipeline to its end; rejects when it fails, or when an `assertThat` does not hold. Processing time is
 * simulated: it jumps when nothing else can happen.
 * @throws TEST_TIMEOUT after 10 s of real time (`timeout`), and what the pipeline throws
 *
 * @example
 * ```ts
 * await runTest((p) => {
 *   const doubled = p.create([1, 2, 3]).map((n) => n * 2);
 *   assertThat(doubled).containsInAnyOrder([2, 4, 6]);
 * });
 * ```
 */
export async function runTest(
  build: ((p: Pipeline) => unknown) | Program,
  options: TestOptions = {},
): Promise<TestMetrics> {
  checkOptionNames("runTest", options, TEST_OPTIONS);
  const program: Program = isProgram(build)
    ? build
    : (pipeline({
        name: "test",
        allowUnsafeTriggers: options.allowUnsafeTriggers ?? false,
        build: (p) => build(p),
      }) as Program);
  const clock = options.clock ?? simulatedJobClock(options.startAt);
  const warn = options.onWarning ?? (() => {});
  const failed = { waiting: "" };
  const job: EmbeddedJob = await startTestJob(program, options.options ?? {}, clock, options, {
    warn,
    // Before it is closed, when nothing can be asked any more.
    onFailed: (running) => {
      failed.waiting = describeExplanation(running.explain());
    },
  });
  try {
    await withTimeout(job, options.timeout ?? 10_000);
  } catch (error) {
    if (failed.waiting === "" || !isTidemarkError(error) || error.code === "TEST_TIMEOUT") throw error;
    throw error.withContext({ waiting: failed.waiting });
  }
  return jobMetrics(job, clock.now(), 0) as TestMetrics;
}

const TEST_OPTIONS: OptionNames<TestOptions> = {
  options: true,
  encoded: true,
  strict: true,
  bundleSeed: true,
  restartSeed: true,
  timeout: true,
  startAt: true,
  allowUnsafeTriggers: true,
  clock: true,
  onWarning: true,
};

async function withTimeout(job: EmbeddedJob, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new TidemarkError("TEST_TIMEOUT", {
          what: `the pipeline did not end within ${timeoutMs} ms`,
          why: `it stands at\n${describeStages(jobMetrics(job, 0, timeoutMs))}`,
          fix: "settle what is waited for: the calls in flight, a source that ends",
          waiting: describeExplanation(job.explain({}, true)),
        }),
      );
    }, timeoutMs);
  });
  try {
    await Promise.race([job.done, timeout]);
  } catch (error) {
    await job.cancel();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
