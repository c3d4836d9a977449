/**
 * The worker: loads the program's module from its file, builds its graph from the same raw options, and hosts exec for the
 * stages that a runner gives it bundles of.
 * Path: a control channel -> HERE -> worker-stage.ts.
 *
 * K1 Nothing is run before the three hashes have been compared: of the files, the options, the graph.
 * K2 Bundles of different stages may overlap where user code awaits; those of one stage do not.
 * K3 Progress and splits are not answered here, where user code may keep the thread: see bundle-progress.ts.
 */
import { TidemarkError } from "../base/errors.ts";
import type { PipelineGraph } from "../graph/graph.ts";
import { liftCombines } from "../optimize/lift-combines.ts";
import { isRunnersOwn, planStages } from "../optimize/stages.ts";
import { nodeClock } from "../platform/node.ts";
import { firstDifference, type ProgramHashes, programHashes } from "../program/hashes.ts";
import { importing } from "../program/importing.ts";
import { buildProgram } from "../program/build.ts";
import { loadProgram } from "../program/load.ts";
import {
  type Instruction,
  type InstructionRequest,
  type InstructionResponse,
  toWire,
  type WorkerStart,
} from "./messages.ts";
import { StateChannel } from "./state-channel.ts";
import { WorkerStage } from "./worker-stage.ts";

/** Runs a worker until its control channel is closed. */
export async function runWorker(start: WorkerStart): Promise<void> {
  const { controlPort } = start;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
  const answer = (response: InstructionResponse): void => controlPort.postMessage(response);
  let worker: Worker;
  try {
    worker = await loadWorker(start);
  } catch (error) {
    answer({ id: 0, error: toWire(error) });
    controlPort.close();
    start.statePort.close();
    return;
  }
  controlPort.on("message", ({ id, instruction }: InstructionRequest) => {
    worker.handle(id, instruction).then(
      (response) => answer({ id, ...response }),
      (error: unknown) => answer({ id, error: toWire(error) }),
    );
  });
  controlPort.on("close", () => worker.close());
  answer({ id: 0 });
}

async function loadWorker(start: WorkerStart): Promise<Worker> {
  const { path, rawOptions, submitted } = start;
  importing.active = true;
  const loaded = await loadProgram(path);
  importing.active = false;
  const { graph, options } = await buildProgram(loaded.program, rawOptions);
  compare(submitted, programHashes(loaded, rawOptions, graph));
  return new Worker(start, graph, options);
}

/** See K1. @throws MODULE_DIFFERS, OPTIONS_DIFFER, GRAPH_DIFFERS */
export function compare(submitted: ProgramHashes, found: ProgramHashes): void {
  const step = firstDifference(found.steps, submitted.steps);
  const at = step === undefined ? {} : { step };
  const first = step === undefined ? "" : `; the first step that differs is "${step}"`;
  if (found.module !== submitted.module) {
    throw new TidemarkError("MODULE_DIFFERS", {
      what: `the files of the program are not those that were submitted${first}`,
      why: "a worker runs the functions of its own copy of the program's files, and would compute something else",
      fix: "give the worker the files that were submitted, or submit the program anew",
      ...at,
    });
  }
  if (found.options !== submitted.options) {
    throw new TidemarkError("OPTIONS_DIFFER", {
      what: `the options are not those that were submitted${first}`,
      why: "the program builds its graph, and its functions, from them",
      fix: "start the worker with the options of the job",
      ...at,
    });
  }
  if (step !== undefined) {
    throw new TidemarkError("GRAPH_DIFFERS", {
      what: `the same files and options gave another graph: the first step that differs is "${step}"`,
      why: "build(p, options) depends on something else: the clock, a random number, the environment, a file",
      fix: "pass it as an option, so that every build comes to the same graph",
      ...at,
    });
  }
}

class Worker {
  readonly #stages = new Map<number, WorkerStage>();
  readonly #finalizers = new Map<number, readonly (() => void | Promise<void>)[]>();
  readonly #state: StateChannel;

  constructor(
    { strict, prefetchKeys, statePort, stateSignal, progress }: WorkerStart,
    built: PipelineGraph,
    options: unknown,
  ) {
    this.#state = new StateChannel(statePort, stateSignal);
    const graph = liftCombines(built);
    const parts = { graph, options, strict, prefetchKeys, state: this.#state, progress, clock: nodeClock() };
    for (const stage of planStages(graph, "runnerAndWorker"))
      if (!isRunnersOwn(stage)) this.#stages.set(stage.id, new WorkerStage(parts, stage));
  }

  async handle(id: number, instruction: Instruction): Promise<Omit<InstructionResponse, "id">> {
    switch (instruction.kind) {
      case "setUp":
        await this.#stage(instruction.stage).setUp();
        return {};
      case "processBundle": {
        const stage = this.#stage(instruction.stage);
        const bundle = await stage.process(instruction);
        const finalizers = stage.takeFinalizers();
        if (finalizers.length > 0) this.#finalizers.set(id, finalizers);
        return { bundle };
      }
      case "finalizeBundle": {
        const finalizers = this.#finalizers.get(instruction.bundle) ?? [];
        this.#finalizers.delete(instruction.bundle);
        for (const finalizer of finalizers) await finalizer();
        return {};
      }
      case "flush":
        await this.#stage(instruction.stage).flush();
        return {};
      case "complete":
        await this.#stage(instruction.stage).complete();
        return {};
      case "tearDown":
        await this.#stage(instruction.stage).tearDown(instruction.failed);
        return {};
    }
  }

  #stage(id: number): WorkerStage {
    return this.#stages.get(id) as WorkerStage;
  }

  close(): void {
    this.#state.close();
  }
}
