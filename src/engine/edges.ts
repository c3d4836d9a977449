/** Edges: how elements get from a source, or from one stage, into the next. */
import type { CollectionId } from "../graph/graph.ts";
import type { ElementCount } from "../host/element-counts.ts";
import type { Emitter } from "../host/emitter.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { StageState } from "./stage-state.ts";

/** Encodes and decodes an element, as a shard edge or another host would. */
export type Transcode = (
  collection: CollectionId,
  value: unknown,
  windows: readonly Window[],
) => { value: unknown; windows: readonly Window[] };

/** Takes what nobody reads. */
export const NOWHERE: Emitter = { emit() {} };

/** Where a source's elements enter: opens the stage's bundle and counts. */
export class CountingEntry implements Emitter {
  readonly #state: StageState;
  readonly #inner: Emitter;
  readonly #traffic: ElementCount;

  constructor(state: StageState, inner: Emitter) {
    this.#state = state;
    this.#inner = inner;
    this.#traffic = state.arrival();
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    if (!this.#state.open) this.#state.begin();
    this.#traffic.elements++;
    this.#inner.emit(value, timestamp, windows, pane);
  }
}

/** An edge between stages: a call into the next stage's bundle. */
export class DirectEdge implements Emitter {
  readonly #target: StageState;
  readonly #entry: Emitter;
  readonly #traffic: ElementCount;

  constructor(target: StageState, collection: CollectionId) {
    this.#target = target;
    this.#entry = target.runner.entry(collection);
    this.#traffic = target.arrival();
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    const target = this.#target;
    if (!target.open) target.begin();
    this.#traffic.elements++;
    this.#entry.emit(value, timestamp, windows, pane);
  }
}

/** An edge that queues, so that bundles can be cut anywhere. */
export class QueuedEdge implements Emitter {
  readonly #target: StageState;
  readonly #collection: CollectionId;
  readonly #traffic: ElementCount;

  constructor(target: StageState, collection: CollectionId) {
    this.#target = target;
    this.#collection = collection;
    this.#traffic = target.arrival();
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    this.#traffic.elements++;
    this.#target.inbox.push({ collection: this.#collection, value, timestamp, windows, pane });
  }
}

/** An edge that sends every value through its coder. */
export class TranscodingEdge implements Emitter {
  readonly #collection: CollectionId;
  readonly #transcode: Transcode;
  readonly #inner: Emitter;

  constructor(collection: CollectionId, transcode: Transcode, inner: Emitter) {
    this.#collection = collection;
    this.#transcode = transcode;
    this.#inner = inner;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    const copy = this.#transcode(this.#collection, value, windows);
    this.#inner.emit(copy.value, timestamp, copy.windows, pane);
  }
}

/** Several edges for one collection. */
export class EdgeFan implements Emitter {
  readonly #edges: readonly Emitter[];

  constructor(edges: readonly Emitter[]) {
    this.#edges = edges;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    for (const edge of this.#edges) edge.emit(value, timestamp, windows, pane);
  }
}
