/** `run`: a program on the embedded engine, in this process. */
import type { Clock } from "../../base/clock.ts";
import type { Program } from "../../pipeline/program.ts";
import { TidemarkError } from "../../base/errors.ts";
import { buildProgram } from "../../program/build.ts";
import { checkOptionNames, type OptionNames } from "../../base/option-names.ts";
import { importing } from "../../program/importing.ts";
import { nodeClock } from "../../platform/node.ts";
import { noEffectWarning } from "./no-effect.ts";
import type { CheckpointPlan } from "./checkpointing.ts";
import type { ExplainQuery } from "./explain-query.ts";
import { EmbeddedJob, type JobState } from "./job.ts";
import { type JobMetrics, jobMetrics } from "./job-metrics.ts";
import type { TraceOptions } from "./trace-options.ts";
import type { Explanation } from "../../explain/explanation.ts";

/** How a program is run; all members optional. */
export interface RunOptions {
  /**
   * Encodes and decodes every value between stages: a test mode. Default: whether the environment variable TIDEMARK_ENCODED
   * is `1`.
   */
  readonly encoded?: boolean;
  /**
   * Checks that what steps keep can be encoded, and freezes it and elements that several steps see. An accumulator is checked
   * when it gets its first input and whenever a result is made of it. Default false; tests turn it on.
   */
  readonly strict?: boolean;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Where warnings go, one line each. Default: standard error. */
  readonly onWarning?: (message: string) => void;
  /** Where the job keeps what it needs to go on after a crash or a stop. Default: nowhere, and it begins anew each time. */
  readonly checkpoint?: CheckpointOptions;
  /** Tells the journey of elements through a step. Default: nothing is told, and nothing costs. */
  readonly trace?: TraceOptions;
}

/** How the checkpoints of a job are made. */
export interface CheckpointOptions {
  /**
   * A folder of the job's own, on a local disk. Made where it is not there. A job that finds its checkpoints in it goes on from the
   * newest one.
   */
  readonly dir: string;
  /** Milliseconds from one checkpoint to the next; output becomes visible with each. Default 1000. */
  readonly everyMs?: number;
  /** How many checkpoints are kept. Default 2. */
  readonly keep?: number;
  /**
   * Bytes of state that may be in memory, about. Of stateful DoFns, and of groupings that fire at the ends of their windows, what
   * has not changed for long lies in the folder alone where there is more. Default 512 MiB.
   */
  readonly stateMemory?: number;
  /**
   * Steps whose state is given up where this version of the program cannot take it over. Default none: then the job is refused.
   */
  readonly allowDroppedState?: readonly string[];
}

/** A running job. */
export interface JobHandle {
  readonly name: string;
  readonly state: JobState;
  /** The figures of this moment. Cost: a look at each open window. */
  metrics(): JobMetrics;
  /**
   * Why it is that something has not fired: what it needs, and who holds that back. Without a question only what is stuck: what
   * goes on within a second is left out. Changes nothing. `describeExplanation` has it in words.
   * Cost: a look at the timers, calls and parked elements of the job, and at each key of the windows that are pending.
   * @throws STEP_UNKNOWN; OPTION_UNKNOWN; KEY_NOT_DETERMINISTIC
   */
  explain(query?: ExplainQuery): Explanation;
  /** Resolves with the last figures when the job has ended well; rejects with a coded error when it failed or was cancelled. */
  wait(): Promise<JobMetrics>;
  /** Ends the job at once; its sinks make nothing more visible. */
  cancel(): Promise<void>;
  /** Reads no more, fires everything that is pending, and ends well. With checkpoints, nothing goes on from there. */
  drain(): Promise<void>;
  /**
   * With checkpoints: makes one more, and ends. Nothing fires early; started again with the same folder, the job goes on from there.
   * Without, as `cancel`.
   */
  stop(): Promise<void>;
}

/**
 * Starts `program` with its options as raw data (as from the command line or a JSON file). Its errors come by `wait()`, those of
 * the options (OPTIONS_INVALID) and of the build (PROGRAM_BUILD_FAILED) included. A program whose branches all end in steps that
 * only compute (a synchronous map or filter, a grouping) is warned about: it puts nothing out. DoFns and async functions count
 * as effects.
 *
 * With `checkpoint` the job survives: killed at any moment and started again, it goes on from its newest checkpoint, with state,
 * timers and sources as they were then; files that it writes get each line once.
 * @throws OPTION_UNKNOWN, CHECKPOINT_INVALID, RUN_ON_IMPORT while the command line imports the program's module
 *
 * @example
 * ```ts
 * const program = pipeline({
 *   name: "words",
 *   build: (p) => p.create(["to", "be"]).apply(text.write("words.txt")),
 * });
 * const job = run(program);
 * const { elementsRead } = await job.wait();
 * elementsRead; // -> 2
 * job.state; // -> "done"
 * await readFile("words.txt", "utf8"); // -> "to\nbe\n"
 * ```
 */
export function run(program: Program, rawOptions: unknown = {}, options: RunOptions = {}): JobHandle {
  checkOptionNames("run", options, RUN_OPTIONS);
  if (importing.active) throw runOnImport(program.name);
  if (options.checkpoint !== undefined) checkCheckpoint(options.checkpoint);
  return new Handle(program, rawOptions, options);
}

const RUN_OPTIONS: OptionNames<RunOptions> = {
  encoded: true,
  strict: true,
  clock: true,
  onWarning: true,
  checkpoint: true,
  trace: true,
};

function runOnImport(name: string): TidemarkError {
  return new TidemarkError("RUN_ON_IMPORT", {
    what: `the module of program "${name}" calls run() while it is imported`,
    why: "the command line and workers import the module to get at its program; running it then would start a second job",
    fix: "export the program as default, and call run() from another file, or only when the module is the main one",
  });
}

function checkCheckpoint(options: CheckpointOptions): void {
  checkOptionNames("checkpoint", options, {
    dir: true,
    everyMs: true,
    keep: true,
    stateMemory: true,
    allowDroppedState: true,
  });
  const { dir, everyMs = 1, keep = 1, stateMemory = 1, allowDroppedState = [] } = options;
  const problem =
    typeof dir !== "string" || dir === ""
      ? `dir is ${JSON.stringify(dir)}: it is the path of a folder`
      : !(everyMs > 0 && everyMs < 2 ** 31)
        ? `everyMs is ${everyMs}: it is a number of milliseconds above 0`
        : !(Number.isSafeInteger(keep) && keep >= 1)
          ? `keep is ${keep}: it is a whole number of 1 or more`
          : !(stateMemory >= 0)
            ? `stateMemory is ${stateMemory}: it is a number of bytes`
            : !Array.isArray(allowDroppedState)
              ? `allowDroppedState is ${JSON.stringify(allowDroppedState)}: it is a list of steps' names`
              : undefined;
  if (problem === undefined) return;
  throw new TidemarkError("CHECKPOINT_INVALID", {
    what: `of the checkpoint options ${problem}`,
    fix: 'write run(program, options, { checkpoint: { dir: "checkpoints/words" } })',
  });
}

const STATE_MEMORY = 512 * 1024 * 1024;

/** Whether jobs that do not say so encode between stages. */
export function encodedByDefault(): boolean {
  return process.env["TIDEMARK_ENCODED"] === "1";
}

function toStandardError(message: string): void {
  process.stderr.write(`tidemark: warning: ${message}\n`);
}

async function openStore(
  { dir, everyMs = 1000, keep = 2, stateMemory = STATE_MEMORY, allowDroppedState = [] }: CheckpointOptions,
  job: string,
): Promise<CheckpointPlan> {
  const { openCheckpoints } = await import("../../platform/sqlite-checkpoints.ts");
  return { store: openCheckpoints(dir, job, keep), everyMs, stateMemory, allowDroppedState };
}

class Handle implements JobHandle {
  readonly name: string;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #job: Promise<EmbeddedJob>;
  #running: EmbeddedJob | undefined;
  #failed = false;
  /** Whether somebody asked for the job's end, and so hears of its failure. */
  #awaited = false;

  constructor(program: Program, rawOptions: unknown, options: RunOptions) {
    this.name = program.name;
    this.#clock = options.clock ?? nodeClock();
    this.#startedAt = this.#clock.now();
    this.#job = this.#start(program, rawOptions, options);
    this.#job.catch(() => {
      this.#failed = true;
    });
    this.#job.then((job) => job.done).catch((error: unknown) => setImmediate(() => this.#tellUnheard(error, options)));
  }

  /** A failure that nobody would hear of, as of a promise that nobody handles. */
  #tellUnheard(error: unknown, { onWarning = toStandardError }: RunOptions): void {
    if (this.#awaited) return;
    onWarning(`job "${this.name}" failed, and nobody waits for it with wait(): ${String(error)}`);
    process.exitCode ??= 1;
  }

  async #start(program: Program, rawOptions: unknown, options: RunOptions): Promise<EmbeddedJob> {
    const built = await buildProgram(program, rawOptions);
    const warn = options.onWarning ?? toStandardError;
    const warning = noEffectWarning(built.graph);
    if (warning !== undefined) warn(warning);
    const checkpoints = options.checkpoint && (await openStore(options.checkpoint, built.graph.name));
    try {
      this.#running = new EmbeddedJob(built.graph, {
        checkpoints,
        clock: this.#clock,
        options: built.options,
        encoded: options.encoded ?? encodedByDefault(),
        strict: options.strict ?? false,
        trace: options.trace,
        warn,
      });
    } catch (error) {
      // A trace of a step that there is not: there will be no job to let go of the folder.
      await checkpoints?.store.close();
      throw error;
    }
    return this.#running;
  }

  get state(): JobState {
    return this.#failed ? "failed" : (this.#running?.state ?? "starting");
  }

  metrics(): JobMetrics {
    const now = this.#clock.now();
    return jobMetrics(this.#running, now, now - this.#startedAt);
  }

  explain(query: ExplainQuery = {}): Explanation {
    return this.#running?.explain(query) ?? { now: this.#clock.now(), waiting: [], more: 0 };
  }

  async wait(): Promise<JobMetrics> {
    this.#awaited = true;
    const job = await this.#job;
    await job.done;
    return this.metrics();
  }

  async cancel(): Promise<void> {
    this.#awaited = true;
    await (await this.#job).cancel();
  }

  async drain(): Promise<void> {
    this.#awaited = true;
    await (await this.#job).drain();
  }

  async stop(): Promise<void> {
    this.#awaited = true;
    await (await this.#job).stop();
  }
}
