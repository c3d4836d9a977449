/**
 * One job on the embedded engine: plans the graph, builds the engine, and drives it turn by turn.
 * Path: `run` -> HERE -> optimize/stages -> exec/stage-program (user code) and engine/engine.
 *
 * J1 Between turns the event loop breathes; with nothing to do the job waits for its next timer, or for an event, and uses no CPU.
 * J2 Whatever way a job ends, everything that was opened is closed; a failed or cancelled job makes no output visible.
 */
import type { Clock } from "../../base/clock.ts";
import { isTidemarkError, TidemarkError } from "../../base/errors.ts";
import type { Explanation } from "../../explain/explanation.ts";
import { Engine, type EngineStage } from "../../engine/engine.ts";
import type { EngineMetrics } from "../../engine/metrics.ts";
import type { StageProgram } from "../../exec/stage-program.ts";
import type { PipelineGraph } from "../../graph/graph.ts";
import type { StoredCheckpoint } from "../../host/checkpoint-store.ts";
import { type CheckpointPlan, Checkpointing, wakeIn } from "./checkpointing.ts";
import type { Stage } from "../../host/stage.ts";
import { DropWarnings } from "./drop-warnings.ts";
import { engineStage, namesOf, transcoder } from "./engine-stages.ts";
import { engineQuery, type ExplainQuery } from "./explain-query.ts";
import { adaptCheckpoint } from "./upgrade.ts";
import { traceOf, type TraceOptions } from "./trace-options.ts";
import type { Trace } from "../../exec/stage-trace.ts";
import { QuietWarnings } from "./quiet-warnings.ts";
import { planStages } from "../../optimize/stages.ts";

export interface JobOptions {
  readonly clock: Clock;
  /** The program's options, as its functions see them. */
  readonly options: unknown;
  /** Encodes and decodes every value between stages. A test mode. */
  readonly encoded: boolean;
  /** Checks what steps keep; freezes it, and what several steps see. */
  readonly strict: boolean;
  /** The size of each next bundle, for cutting them at random. A test mode. */
  readonly cutBundle?: () => number;
  /** Has what comes from outside arrive when and in the order that it likes. A test mode. */
  readonly delay?: (arrive: () => void) => void;
  /** Told, once for each step and reason, what steps dropped and nobody reads: late elements, timers, elements in no window. */
  readonly warn: (message: string) => void;
  /** Called when the job has nothing to do and waits for an event. */
  readonly onIdle?: () => void;
  /** Called before what was opened is closed, when the job has failed or was cancelled: it can still be asked about. */
  readonly onFailed?: (job: EmbeddedJob) => void;
  /** Whose elements are told of, step by step. */
  readonly trace?: TraceOptions | undefined;
  /** With checkpoints: where they are kept. Closed when the job has ended. */
  readonly checkpoints?: CheckpointPlan | undefined;
  /** Default: all of the graph in this process. */
  readonly plan?: JobPlan;
}

/** The stages of a graph, for another host than this process alone. */
export interface JobPlan {
  readonly stages: readonly Stage[];
  engineStage(stage: Stage): EngineStage;
}

/** Where a job stands. The last four are ends; what has `stopped` goes on when it is started again with its checkpoints. */
export type JobState = "starting" | "running" | "draining" | "done" | "stopped" | "failed" | "cancelled";

const TURN_MS = 5;

export class EmbeddedJob {
  readonly graph: PipelineGraph;
  readonly stages: readonly Stage[];
  /** Resolves when the job is done; rejects with a coded error when it failed or was cancelled. */
  readonly done: Promise<EngineMetrics>;
  readonly #options: JobOptions;
  #programs: StageProgram[] = [];
  #engine: Engine;
  readonly #checkpointing: Checkpointing | undefined;
  #stopping = false;
  readonly #drops: DropWarnings;
  readonly #trace: Trace | undefined;
  readonly #quiet: QuietWarnings;
  #state: JobState = "starting";
  #wake: (() => void) | undefined;
  #woken = false;
  /** Whether something has come in since the last turn. */
  #hasEvents = false;
  #cancelled = false;

  constructor(graph: PipelineGraph, options: JobOptions) {
    this.graph = graph;
    this.#options = options;
    this.#trace = options.trace && traceOf(graph, options.trace);
    this.#drops = new DropWarnings(graph, options.warn);
    const { plan } = options;
    this.stages = plan?.stages ?? planStages(graph);
    const { clock, checkpoints } = options;
    this.#checkpointing =
      checkpoints &&
      new Checkpointing(
        checkpoints,
        clock,
        () => this.#onWake(),
        (error) => this.#engine.deliver({ kind: "failed", error }),
      );
    this.#engine = this.#newEngine();
    this.#quiet = new QuietWarnings(
      clock,
      { quietSources: (forMs) => this.#engine.quietSources(forMs), explain: () => this.explain() },
      options.warn,
    );
    this.done = this.#drive();
    // A failure is the caller's to see by `done`; it must not end the process before the caller has looked.
    this.done.catch(() => {});
  }

  #newEngine(): Engine {
    const options = this.#options;
    const { clock, plan, checkpoints } = options;
    this.#programs = [];
    const modes = { strict: options.strict, trace: this.#trace };
    const engine = new Engine(
      this.stages.map(
        (stage) =>
          plan?.engineStage(stage) ?? engineStage(this.graph, stage, modes, (program) => this.#programs.push(program)),
      ),
      {
        now: () => clock.now(),
        ...(clock.advanceBy && { advanceClock: (ms: number) => clock.advanceBy?.(ms) }),
        ...(clock.stopwatch && { stopwatch: () => (clock.stopwatch as () => number)() }),
        ...(options.encoded && { transcode: transcoder(this.graph) }),
        ...(options.cutBundle && { cutBundle: options.cutBundle }),
        ...(options.delay && { delay: options.delay }),
        ...(checkpoints && {
          checkpoints: {
            sinkJob: { jobId: checkpoints.store.jobId },
            names: namesOf(this.graph),
            epoch: (checkpoints.store.newest()?.epoch ?? 0) + 1,
            rows: (step) => checkpoints.store.rows(step),
            stateMemory: checkpoints.stateMemory,
          },
        }),
        options: options.options,
        onWake: () => {
          this.#hasEvents = true;
          this.#onWake();
        },
      },
    );
    this.#checkpointing?.attach(engine);
    return engine;
  }

  get state(): JobState {
    return this.#state;
  }

  /** Whether a bundle that begins and ends by promises is under way: its end comes by an event. */
  get hasOpenBundles(): boolean {
    return this.#engine.hasOpenBundles;
  }

  metrics(): EngineMetrics {
    return this.#engine.metrics();
  }

  /** @param everything also what is about to go on; where nothing waits, why the job has not ended */
  explain(query: ExplainQuery = {}, everything = false): Explanation {
    if (this.#ended()) return { now: this.#options.clock.now(), waiting: [], more: 0 };
    return this.#engine.explain(engineQuery(this.graph, this.stages, query, everything));
  }

  #onWake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Ends the job at once. Nothing more becomes visible. Resolves when all is closed. */
  async cancel(): Promise<void> {
    if (this.#ended()) return;
    this.#cancelled = true;
    this.#onWake();
    await this.done.catch(() => {});
  }

  /** Reads no more, fires everything that is pending, and ends well. */
  async drain(): Promise<void> {
    if (this.#ended()) return;
    this.#state = "draining";
    this.#engine.deliver({ kind: "drain" });
    await this.done;
  }

  /**
   * Ends the job so that it goes on from here when it is started again: nothing fires early. Without checkpoints as `cancel`.
   */
  async stop(): Promise<void> {
    if (this.#checkpointing === undefined) return this.cancel();
    if (this.#ended()) return;
    this.#stopping = true;
    this.#onWake();
    await this.done;
  }

  #ended(): boolean {
    return (
      this.#state === "done" || this.#state === "stopped" || this.#state === "failed" || this.#state === "cancelled"
    );
  }

  async #drive(): Promise<EngineMetrics> {
    let end: "done" | "stopped" = "done";
    try {
      end = await this.#run();
    } catch (error) {
      this.#quiet.stop();
      for (const program of this.#programs) program.markFailed();
      this.#options.onFailed?.(this);
      this.#engine.abandonCalls(error);
      // The first failure is the one to tell; what closing adds to it is less.
      await this.#engine.close().catch(() => {});
      await this.#checkpointing?.store.close().catch(() => {});
      this.#state = this.#cancelled ? "cancelled" : "failed";
      this.#drops.tell(this.#engine.dropped());
      throw this.#located(error);
    }
    try {
      await this.#engine.close();
      await this.#checkpointing?.store.close();
    } catch (error) {
      this.#state = "failed";
      throw this.#located(error);
    }
    this.#state = end;
    this.#drops.tell(this.#engine.dropped());
    return this.#engine.metrics();
  }

  async #run(): Promise<"done" | "stopped"> {
    const from = this.#restored();
    if (this.#checkpointing?.store.ended === true) return "done";
    await this.#unlessCancelled(this.#engine.open());
    if (from !== undefined) await this.#checkpointing?.recover(this.#engine, from);
    if (this.#state === "starting") this.#state = "running";
    this.#quiet.start();
    if (from?.kind !== "final" && (await this.#turns()) === "stopped") {
      this.#quiet.stop();
      await this.#checkpointing?.last(this.#engine, "savepoint");
      return "stopped";
    }
    this.#quiet.stop();
    await this.#engine.flush();
    if (from?.kind !== "final")
      await this.#checkpointing?.last(this.#engine, this.#state === "draining" ? "drained" : "final");
    await this.#engine.complete();
    await this.#checkpointing?.store.end();
    return "done";
  }

  /** Puts the engine where the newest checkpoint is. */
  #restored(): StoredCheckpoint | undefined {
    const { checkpoints } = this.#options;
    const newest = checkpoints?.store.newest();
    if (checkpoints === undefined || newest === undefined) return undefined;
    if (newest.kind === "drained") throw drainedBefore(this.graph.name);
    const from = adaptCheckpoint(checkpoints.store, this.#engine, this.graph, checkpoints.allowDroppedState ?? []);
    this.#engine.restore(from.snapshot);
    return from;
  }

  /** With the place where the user applied the step, for what did not come out of a function of the user's. */
  #located(error: unknown): TidemarkError {
    if (!isTidemarkError(error)) return unexpected(error);
    const step = this.graph.steps.find(({ name }) => name === error.context.step);
    return step?.at === undefined ? error : error.withContext({ at: step.at });
  }

  /** An `open` of user code may never come back; what it opens after a cancel is closed at once (`engine.open`). */
  #unlessCancelled(opening: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake = () => {
        if (this.#cancelled) reject(cancelled(this.graph.name));
      };
      opening.then(resolve, reject);
    });
  }

  async #turns(): Promise<"done" | "stopped"> {
    const { clock, checkpoints } = this.#options;
    let didSomething = true;
    for (;;) {
      if (this.#cancelled) throw cancelled(this.graph.name);
      this.#woken = false;
      this.#hasEvents = false;
      const { next } = this.#engine.step(TURN_MS);
      if (next === "done") return "done";
      if (this.#stopping) {
        this.#engine.rest();
        if (this.#engine.isAtRest) return "stopped";
      }
      // What a drain has fired is nothing to go on from.
      const checkpointing = this.#state === "draining" ? undefined : this.#checkpointing;
      checkpointing?.afterTurn(this.#engine, didSomething);
      if (checkpointing !== undefined && checkpoints?.restartWhen?.() === true && this.#engine.isAtRest)
        await this.#restart(checkpointing);
      if (this.#engine.hasDropped) this.#drops.whileRunning(clock.now(), () => this.#engine.dropped());
      const dueIn = checkpointing?.dueIn ?? Infinity;
      if (next === "now" || this.#woken || checkpointing?.isBusy(this.#engine) === true)
        await new Promise<void>((resolve) => clock.immediate(resolve));
      else await this.#sleep(next, dueIn);
      // Waking up for a checkpoint alone is nothing that has to be in the next one.
      didSomething = next === "now" || this.#hasEvents || (next !== "event" && clock.now() >= next);
    }
  }

  /** Test mode: as if the process had ended after a checkpoint, and the job had been started again. */
  async #restart(checkpointing: Checkpointing): Promise<void> {
    await checkpointing.last(this.#engine, "savepoint");
    this.#engine.abandonCalls(new Error("the job is started again"));
    await this.#engine.close();
    const from = checkpointing.store.newest() as StoredCheckpoint;
    this.#engine = this.#newEngine();
    this.#engine.restore(from.snapshot);
    await this.#engine.open();
    await checkpointing.recover(this.#engine, from);
  }

  /** @param dueIn in how many milliseconds a checkpoint is due */
  #sleep(until: "event" | number, dueIn: number): Promise<void> {
    return new Promise((resolve) => {
      if (until === "event" && dueIn === Infinity && !this.hasOpenBundles) this.#options.onIdle?.();
      const { clock } = this.#options;
      const wake = (): void => this.#onWake();
      const cancelTimer = until === "event" ? undefined : clock.schedule(until, wake, this.#engine.isCalling);
      const cancelDue = dueIn === Infinity ? undefined : wakeIn(clock, dueIn, wake);
      this.#wake = () => {
        this.#wake = undefined;
        cancelTimer?.();
        cancelDue?.();
        resolve();
      };
    });
  }
}

function drainedBefore(name: string): TidemarkError {
  return new TidemarkError("CHECKPOINT_DRAINED", {
    what: `job "${name}" was drained: its input was cut off, and every window fired as if that had been its end`,
    why: "what would come now would fire the same windows a second time",
    fix: "start anew in an empty checkpoint folder; to end a job and go on later, stop it (Ctrl-C) in place of draining it",
  });
}

function cancelled(name: string): TidemarkError {
  return new TidemarkError("JOB_ABORTED", {
    what: `job "${name}" was cancelled`,
    fix: "start it again; use drain() to end it with all pending results",
  });
}

function unexpected(error: unknown): TidemarkError {
  const message = error instanceof Error ? error.message : String(error);
  return new TidemarkError("JOB_FAILED", {
    what: message,
    why: "it was thrown by no function of a step, so nothing says which element it was about",
    fix: "look at the cause, and start the job again",
    domain: "external",
    cause: error,
  });
}
