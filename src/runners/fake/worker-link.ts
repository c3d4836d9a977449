/**
 * The runner's end of the channels to a worker: a second thread, which shares nothing with this one but two words of memory.
 *
 * L1 Instructions are answered by promises; when the thread ends, all that are open fail.
 * L2 State requests are answered at once, in their order, and counted in shared memory, so that a thread that sleeps wakes up.
 * L3 Progress and splits are answered from shared memory, whatever user code is doing.
 */
import { MessageChannel, receiveMessageOnPort, type MessagePort, Worker } from "node:worker_threads";
import { TidemarkError } from "../../base/errors.ts";
import { preview } from "../../base/preview.ts";
import { BundleProgress, type Progress, PROGRESS_BYTES } from "../../portability/bundle-progress.ts";
import {
  type BundleResult,
  fromWire,
  type Instruction,
  type InstructionRequest,
  type InstructionResponse,
  type StateKey,
  type StateOperation,
  type StateRequest,
  type StateResponse,
  type WorkerStart,
} from "../../portability/messages.ts";
import type { ProgramHashes } from "../../program/hashes.ts";

export interface WorkerOptions {
  readonly path: string;
  readonly rawOptions: unknown;
  readonly submitted: ProgramHashes;
  readonly strict: boolean;
  readonly prefetchKeys: number;
  /** The names of the stages, by their ids. */
  readonly stages: readonly string[];
}

/** Answers one state request. */
export type StateHandler = (key: StateKey, operation: StateOperation) => Uint8Array;

interface Open {
  /** The stage that was given the instruction, where it was one. */
  readonly stage: number | undefined;
  resolve(response: InstructionResponse): void;
  reject(error: unknown): void;
}

const NO_BYTES = new Uint8Array(0);

/** Anything can be thrown. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : preview(error);
}

export class WorkerLink {
  readonly #worker: Worker;
  readonly #control: MessagePort;
  readonly #state: MessagePort;
  readonly #signal = new SharedArrayBuffer(4);
  readonly #progress: SharedArrayBuffer;
  readonly #stages: readonly string[];
  readonly #open = new Map<number, Open>();
  readonly #handlers = new Map<number, StateHandler>();
  /** Stages whose bundle is not to be split. */
  readonly #whole = new Set<number>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #ended: TidemarkError | undefined;
  #closed = false;
  /** Messages on the state channel, and the requests in them. */
  stateMessages = 0;
  stateRequests = 0;

  private constructor(options: WorkerOptions) {
    const { stages, ...start } = options;
    this.#stages = stages;
    const control = new MessageChannel();
    const state = new MessageChannel();
    this.#progress = new SharedArrayBuffer(PROGRESS_BYTES * Math.max(1, stages.length));
    this.#control = control.port1;
    this.#state = state.port1;
    const workerData: WorkerStart = {
      ...start,
      stateSignal: this.#signal,
      progress: this.#progress,
      controlPort: control.port2,
      statePort: state.port2,
    };
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#worker = new Worker(new URL(`../../portability/worker-thread.${extension}`, import.meta.url), {
      workerData,
      transferList: [control.port2, state.port2],
    });
    this.#control.on("message", (response: InstructionResponse) => this.#answered(response));
    this.#state.on("message", (request: StateRequest) => this.#answerState(request));
    this.#exited = new Promise((resolve) => {
      this.#worker.on("error", (error: unknown) => this.#end(`failed: ${reasonOf(error)}`));
      this.#worker.on("exit", () => {
        this.#takeLastAnswers();
        this.#end("ended");
        resolve();
      });
    });
  }

  /** Starts a worker, and waits until it has the same program. @throws MODULE_DIFFERS, OPTIONS_DIFFER, GRAPH_DIFFERS */
  static async start(options: WorkerOptions): Promise<WorkerLink> {
    const link = new WorkerLink(options);
    const ready = new Promise<InstructionResponse>((resolve, reject) =>
      link.#open.set(0, { stage: undefined, resolve, reject }),
    );
    try {
      await ready;
      return link;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  /** The end of the thread can be heard before what it has said last. */
  #takeLastAnswers(): void {
    while (!this.#closed) {
      const last = receiveMessageOnPort(this.#control);
      if (last === undefined) return;
      this.#answered(last.message as InstructionResponse);
    }
  }

  #end(how: string): void {
    if (this.#ended === undefined) {
      const busy = this.#busyStages();
      this.#ended = new TidemarkError("WORKER_FAILED", {
        what: `the worker's thread ${how}${busy.length === 0 ? "" : `, at work on ${busy.map((name) => `"${name}"`).join(", ")}`}`,
        why: "it runs the functions of the program",
        fix: "see whether the program ends its process, throws where nobody catches it, or takes too much memory",
        domain: "external",
        ...(busy.length === 1 && { step: busy[0] as string }),
      });
    }
    for (const open of this.#open.values()) open.reject(this.#ended);
    this.#open.clear();
  }

  /** The names of the stages that have not answered; of several those that have begun with an element, where there are any. */
  #busyStages(): readonly string[] {
    const open = [...new Set([...this.#open.values()].flatMap(({ stage }) => stage ?? []))];
    const begun = open.filter((stage) => this.progress(stage).claimed > 0);
    return (begun.length > 0 ? begun : open).map((stage) => this.#stages[stage] as string);
  }

  /** Whether an instruction has not been answered. */
  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  #answered(response: InstructionResponse): void {
    const open = this.#open.get(response.id);
    this.#open.delete(response.id);
    if (response.error !== undefined) open?.reject(fromWire(response.error));
    else open?.resolve(response);
  }

  #answerState({ id, requests }: StateRequest): void {
    this.stateMessages++;
    this.stateRequests += requests.length;
    const values = requests.map(({ key, operation }) => this.#handlers.get(key.stage)?.(key, operation) ?? NO_BYTES);
    const response: StateResponse = { id, values };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
    this.#state.postMessage(response);
    const signal = new Int32Array(this.#signal);
    Atomics.add(signal, 0, 1);
    Atomics.notify(signal, 0);
  }

  onState(stage: number, handler: StateHandler): void {
    this.#handlers.set(stage, handler);
  }

  async send(instruction: Instruction): Promise<{ readonly id: number; readonly bundle?: BundleResult }> {
    if (this.#ended !== undefined) throw this.#ended;
    const id = this.#nextId++;
    const request: InstructionRequest = { id, instruction };
    return new Promise((resolve, reject) => {
      this.#open.set(id, { stage: "stage" in instruction ? instruction.stage : undefined, resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
      this.#control.postMessage(request);
    });
  }

  /** How far the stage's bundle is. */
  progress(stage: number): Progress {
    return new BundleProgress(this.#progress, stage).read();
  }

  /** Says whether the next bundle of a stage may be split. */
  allowSplits(stage: number, allowed: boolean): void {
    if (allowed) this.#whole.delete(stage);
    else this.#whole.add(stage);
  }

  /**
   * Gives back a part of what the stage's bundle has not begun.
   * @returns the first element given back; `undefined` where there is none, or the bundle stays whole
   */
  split(stage: number, fraction: number): number | undefined {
    if (this.#whole.has(stage)) return undefined;
    return new BundleProgress(this.#progress, stage).split(fraction);
  }

  /** Ends the thread, whatever it is doing. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#control.close();
    this.#state.close();
    await this.#worker.terminate();
    await this.#exited;
  }
}
