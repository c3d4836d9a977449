/** `run`: a program on the embedded engine, in this process. */
import type { Clock } from "../../base/clock.ts";
import type { Program } from "../../pipeline/program.ts";
import { TidemarkError } from "../../base/errors.ts";
import { buildProgram } from "../../program/build.ts";
import { checkOptionNames, type OptionNames } from "../../base/option-names.ts";
import { importing } from "../../program/importing.ts";
import { nodeClock } from "../../platform/node.ts";
import { noEffectWarning } from "./no-effect.ts";
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
  /** Tells the journey of elements through a step. Default: nothing is told, and nothing costs. */
  readonly trace?: TraceOptions;
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
  /** Reads no more, fires everything that is pending, and ends well. */
  drain(): Promise<void>;
}

/**
 * Starts `program` with its options as raw data (as from the command line or a JSON file). Its errors come by `wait()`, those of
 * the options (OPTIONS_INVALID) and of the build (PROGRAM_BUILD_FAILED) included. A program whose branches all end in steps that
 * only compute (a synchronous map or filter, a grouping) is warned about: it puts nothing out. DoFns and async functions count
 * as effects.
 * @throws OPTION_UNKNOWN, RUN_ON_IMPORT while the command line imports the program's module
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
  return new Handle(program, rawOptions, options);
}

const RUN_OPTIONS: OptionNames<RunOptions> = { encoded: true, strict: true, clock: true, onWarning: true, trace: true };

function runOnImport(name: string): TidemarkError {
  return new TidemarkError("RUN_ON_IMPORT", {
    what: `the module of program "${name}" calls run() while it is imported`,
    why: "the command line and workers import the module to get at its program; running it then would start a second job",
    fix: "export the program as default, and call run() from another file, or only when the module is the main one",
  });
}

/** Whether jobs that do not say so encode between stages. */
export function encodedByDefault(): boolean {
  return process.env["TIDEMARK_ENCODED"] === "1";
}

function toStandardError(message: string): void {
  process.stderr.write(`tidemark: warning: ${message}\n`);
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
    this.#running = new EmbeddedJob(built.graph, {
      clock: this.#clock,
      options: built.options,
      encoded: options.encoded ?? encodedByDefault(),
      strict: options.strict ?? false,
      trace: options.trace,
      warn,
    });
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
}
