/**
 * The step that writes to a sink.
 *
 * K1 An element is handed to the writer at once; where the writer cannot take more, the stage is full until it has flushed, and
 *    what comes all the same (one element may become many) waits here. A flush under way keeps checkpoints from being made.
 * K2 Output becomes visible when the input is over (or, with checkpoints, when its epoch is committed).
 */
import type { Epoch, Sink, SinkWriter } from "../fn/sink.ts";
import type { Emitter } from "../host/emitter.ts";
import type { StageHost } from "../host/host.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import { sinkFailure, synchronous } from "./errors.ts";
import type { StepInfo } from "./operators.ts";

interface Written {
  readonly value: unknown;
  readonly meta: Meta;
}

interface Meta {
  timestamp: Timestamp;
  windows: readonly Window[];
  pane: Pane;
}

export class SinkStep implements Emitter {
  readonly #step: StepInfo;
  readonly #sink: Sink<unknown>;
  readonly #host: StageHost;
  #writer: SinkWriter<unknown> | undefined;
  #flushing = false;
  /** What came while the writer could not take more. */
  #waiting: Written[] = [];
  /** How many of them it has taken since. */
  #taken = 0;
  #closed = false;

  constructor(step: StepInfo, sink: Sink<unknown>, host: StageHost) {
    this.#step = step;
    this.#sink = sink;
    this.#host = host;
  }

  async open(): Promise<void> {
    try {
      const writer = await this.#sink.open(this.#host.sinkJob);
      if (this.#closed) await writer.close();
      else this.#writer = writer;
    } catch (error) {
      throw sinkFailure(error, { step: this.#step.name });
    }
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    const meta: Meta = { timestamp, windows, pane };
    if (this.#flushing) this.#waiting.push({ value, meta });
    else if (this.#write(value, meta) === false) this.#flush();
  }

  /** @returns `false` where the writer cannot take more */
  #write(value: unknown, meta: Meta): unknown {
    try {
      return synchronous(
        (this.#writer as SinkWriter<unknown>).write(value, meta) as unknown,
        this.#step.name,
        "write() of the sink",
      );
    } catch (error) {
      throw sinkFailure(error, { step: this.#step.name, element: value, windows: meta.windows });
    }
  }

  #flush(): void {
    this.#flushing = true;
    this.#host.setFull(true);
    const flushed = this.#writer?.flush?.() ?? Promise.resolve();
    const named = flushed.catch((error: unknown) => {
      throw sinkFailure(error, { step: this.#step.name });
    });
    this.#host.trackWork(named, () => {
      this.#flushing = false;
      this.#writeWaiting();
    });
  }

  #writeWaiting(): void {
    while (this.#taken < this.#waiting.length) {
      const { value, meta } = this.#waiting[this.#taken++] as Written;
      if (this.#write(value, meta) === false) return this.#flush();
    }
    this.#waiting = [];
    this.#taken = 0;
    this.#host.setFull(false);
  }

  seal(epoch: Epoch): Uint8Array[] {
    return this.#named(() => (this.#writer as SinkWriter<unknown>).seal(epoch));
  }

  async commit(epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#writer?.commit(epoch, chunks);
    } catch (error) {
      throw sinkFailure(error, { step: this.#step.name });
    }
  }

  async lastCommitted(): Promise<Epoch> {
    try {
      return await (this.#writer as SinkWriter<unknown>).lastCommitted();
    } catch (error) {
      throw sinkFailure(error, { step: this.#step.name });
    }
  }

  #named<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw sinkFailure(error, { step: this.#step.name });
    }
  }

  async flush(): Promise<void> {
    try {
      await this.#writer?.flush?.();
    } catch (error) {
      throw sinkFailure(error, { step: this.#step.name });
    }
  }

  async complete(): Promise<void> {
    try {
      await this.#writer?.finish?.();
    } catch (error) {
      throw sinkFailure(error, { step: this.#step.name });
    }
  }

  async close(failed: boolean): Promise<void> {
    this.#closed = true;
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer === undefined) return;
    try {
      if (failed) await writer.abort?.();
      await writer.close();
    } catch (error) {
      throw sinkFailure(error, { step: this.#step.name });
    }
  }
}
