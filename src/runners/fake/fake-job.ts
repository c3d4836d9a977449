/**
 * A job on the fake runner: what a portable runner does, in this process, with the program's functions in a second thread that
 * knows no more than the program's file, its raw options and three hashes.
 * Path: a program's file -> HERE -> runner-stages.ts and remote-stage.ts -> engine; embedded/job.ts drives it.
 *
 * F1 The graph of this thread serves as the submitted pipeline: its structure, windowing and sources. Of functions, those of
 *    sources and WindowFns' merging are called here; all others in the worker.
 * F2 Time stands still for a simulated clock while a bundle is out.
 */
import type { EngineStage } from "../../engine/engine.ts";
import type { EngineMetrics } from "../../engine/metrics.ts";
import type { PipelineGraph } from "../../graph/graph.ts";
import type { Stage } from "../../host/stage.ts";
import type { Progress } from "../../portability/bundle-progress.ts";
import { liftCombines } from "../../optimize/lift-combines.ts";
import { isRunnersOwn, planStages } from "../../optimize/stages.ts";
import { type ProgramHashes, programHashes } from "../../program/hashes.ts";
import type { Clock } from "../../base/clock.ts";
import { buildProgram } from "../../program/build.ts";
import { loadProgram } from "../../program/load.ts";
import { sourceAndViews } from "../embedded/engine-stages.ts";
import { EmbeddedJob, type JobState } from "../embedded/job.ts";
import { RemoteStage } from "./remote-stage.ts";
import { runnerStage } from "./runner-stages.ts";
import { WorkerLink } from "./worker-link.ts";

export interface FakeJobOptions {
  readonly clock: Clock;
  /** Checks what steps keep; freezes it, and what several steps see. Default false. */
  readonly strict?: boolean;
  /** How many keys of a bundle have their state fetched before it begins. Default 1000; the others are waited for. */
  readonly prefetchKeys?: number;
  /** Called when nothing can go on by itself: no bundle is out, and no event is on its way. */
  readonly onIdle?: () => void;
  readonly warn?: (message: string) => void;
  /** What the worker is given for the raw options; those of the job unless a test says otherwise. */
  readonly workerOptions?: unknown;
}

/** A program as it is submitted. */
export interface SubmittedProgram {
  readonly path: string;
  readonly rawOptions: unknown;
  readonly graph: PipelineGraph;
  readonly options: unknown;
  readonly hashes: ProgramHashes;
}

/** Loads a program and builds its graph, to be submitted. */
export async function submit(path: string, rawOptions: unknown): Promise<SubmittedProgram> {
  const loaded = await loadProgram(path);
  const { graph, options } = await buildProgram(loaded.program, rawOptions);
  return { path, rawOptions, graph, options, hashes: programHashes(loaded, rawOptions, graph) };
}

export class FakeJob {
  readonly graph: PipelineGraph;
  readonly stages: readonly Stage[];
  readonly #link: WorkerLink;
  readonly #job: EmbeddedJob;
  /** Resolves when the job is done and its thread has ended; rejects with a coded error when it failed or was cancelled. */
  readonly done: Promise<EngineMetrics>;
  #failed = false;

  /** Starts the worker, then the job. @throws MODULE_DIFFERS, OPTIONS_DIFFER, GRAPH_DIFFERS, and what loading throws there */
  static async start(program: SubmittedProgram, options: FakeJobOptions): Promise<FakeJob> {
    const graph = liftCombines(program.graph);
    const stages = planStages(graph, "runnerAndWorker");
    const link = await WorkerLink.start({
      path: program.path,
      rawOptions: "workerOptions" in options ? options.workerOptions : program.rawOptions,
      submitted: program.hashes,
      strict: options.strict ?? false,
      prefetchKeys: options.prefetchKeys ?? 1000,
      stages: stages.map(({ name }) => name),
    });
    return new FakeJob(program, graph, stages, link, options);
  }

  private constructor(
    program: SubmittedProgram,
    graph: PipelineGraph,
    stages: readonly Stage[],
    link: WorkerLink,
    options: FakeJobOptions,
  ) {
    this.graph = graph;
    this.stages = stages;
    this.#link = link;
    this.#job = new EmbeddedJob(graph, {
      clock: this.#clockOf(options.clock),
      options: program.options,
      encoded: false,
      strict: false,
      warn: options.warn ?? (() => {}),
      ...(options.onIdle && { onIdle: options.onIdle }),
      onFailed: () => this.#onFailed(),
      plan: { stages, engineStage: (stage) => this.#engineStage(stage) },
    });
    this.done = this.#closedAfter(this.#job.done);
    // The caller's to see by `done`.
    this.done.catch(() => {});
  }

  async #closedAfter(done: Promise<EngineMetrics>): Promise<EngineMetrics> {
    try {
      return await done;
    } finally {
      await this.#link.close();
    }
  }

  /** See F2. The bundle that comes back wakes the job. */
  #clockOf(clock: Clock): Clock {
    if (clock.advanceBy === undefined) return clock;
    return {
      ...clock,
      schedule: (atMs, callback, calling) =>
        this.#job.hasOpenBundles ? () => {} : clock.schedule(atMs, callback, calling),
    };
  }

  #onFailed(): void {
    this.#failed = true;
    // User code may hold the thread for ever: then there is nobody who could tear down.
    if (this.#link.isBusy) void this.#link.close();
  }

  #engineStage(stage: Stage): EngineStage {
    const { graph } = this;
    if (isRunnersOwn(stage))
      return { stage, build: (host) => runnerStage(graph, stage, host), ...sourceAndViews(graph, stage) };
    return {
      stage,
      asyncBundles: true,
      build: (host) =>
        new RemoteStage(
          graph,
          stage,
          host,
          () => this.#link,
          () => this.#failed,
        ),
    };
  }

  get state(): JobState {
    return this.#job.state;
  }

  /** How often the worker has asked for state or side inputs: messages, and requests in them. */
  get stateTraffic(): { readonly messages: number; readonly requests: number } {
    return { messages: this.#link.stateMessages, requests: this.#link.stateRequests };
  }

  /** The stage that a step runs in. */
  stageOf(step: string): number {
    const found = this.graph.steps.find(({ name }) => name === step);
    return this.stages.find(({ steps }) => found !== undefined && steps.includes(found.id))?.id ?? -1;
  }

  /** How far the bundle of a stage is. Answered while user code runs. */
  progress(stage: number): Progress {
    return this.#link.progress(stage);
  }

  /** Takes back a part of what the bundle of a stage has not begun; it is sent again. Answered while user code runs. */
  split(stage: number, fraction: number): number | undefined {
    return this.#link.split(stage, fraction);
  }

  async cancel(): Promise<void> {
    await this.#job.cancel();
  }

  async drain(): Promise<void> {
    await this.#job.drain();
  }
}
