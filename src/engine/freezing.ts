/**
 * A checkpoint of an engine: what it consists of at one instant between two turns, written down bit by bit after that.
 * Path: Engine.freeze -> HERE -> a SnapshotSink; `thaw.ts` reads it.
 *
 * Z1 Making one costs O(steps, open windows, elements that wait): lists are copied, nothing is encoded.
 * Z2 What is written is what was there at that instant, whatever has changed by the time it is written: elements, panes and
 *    contents of views are never changed, and records say so before they are (host/records P4).
 */
import type { Clock } from "../base/clock.ts";
import { ByteWriter } from "../coders/byte-writer.ts";
import { type Coder, encodeToBytes } from "../coders/coder.ts";
import { bytesCoder } from "../coders/primitives.ts";
import { valueCoder } from "../coders/value.ts";
import { paneCoder } from "../coders/windows.ts";
import type { Epoch } from "../fn/sink.ts";
import type { CollectionId, StepId, ViewId } from "../graph/graph.ts";
import type { Invocation } from "../host/host.ts";
import { CHANGE, NO_TIMES, type SnapshotSink, writeTimes } from "../host/snapshot.ts";
import type { RecordLayout } from "../host/layouts.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { SavedFigures } from "./saved-figures.ts";
import { RecordWriter, RECORDS_AT_ONCE } from "./record-chunks.ts";
import type { ViewChange } from "./side-input-store.ts";
import type { StageState, Waiting } from "./stage-state.ts";
import type { SavedTimers } from "./timers.ts";

/** What lasts from one version of a program to the next, in place of ids; and how elements are written. */
export interface GraphNames {
  step(id: StepId): string;
  collection(id: CollectionId): string;
  element(id: CollectionId): { readonly value: Coder<unknown>; readonly window: Coder<Window> };
  view(id: ViewId): { readonly step: string; readonly window: Coder<Window>; readonly contents: Coder<unknown> };
}

/** Where an element waits. */
export const WAITS = { inbox: 1, parked: 2, call: 3, timerCall: 4 } as const;

/** A stage as it is written. */
export interface StageFacts {
  readonly layouts: readonly RecordLayout[] | undefined;
  readonly input: Timestamp;
  readonly output: Timestamp;
  readonly bundles: number;
  readonly busyMs: number;
  readonly elementsIn: number;
  readonly saved: unknown;
  readonly windows: readonly (readonly [window: Uint8Array, fired: boolean, records: number])[];
  readonly timers: Omit<SavedTimers, "windows"> & {
    readonly windows: readonly (Omit<SavedTimers["windows"][number], "window"> & { readonly window: Uint8Array })[];
  };
  readonly reading: { readonly splits?: readonly SavedKept[] } | undefined;
}

interface SavedKept {
  readonly kept: readonly { readonly at: Timestamp; readonly value: Uint8Array }[];
}

/** A stage at the instant of the checkpoint. */
interface FrozenStage {
  readonly state: StageState;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly windows: readonly { readonly window: Window; readonly fired: boolean; readonly records: number }[];
  readonly timers: ReturnType<StageState["timers"]["save"]>;
  readonly reading: unknown;
  readonly inbox: readonly Waiting[];
  readonly parked: readonly (readonly Waiting[])[];
  readonly calls: readonly Invocation[];
  readonly records: RecordWriter | undefined;
  readonly sealed: readonly Uint8Array[];
}

export class Freezing {
  readonly epoch: Epoch;
  /** To be called when the checkpoint is complete: what `onBundleFinalized` was given. */
  readonly finalizers: readonly (() => void | Promise<void>)[];
  /** Where the sources stood, by their stages. */
  readonly readings: readonly { readonly state: StageState; readonly saved: unknown }[];
  /** The output of each sink, by its step's name. */
  readonly sealed: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly #stages: readonly FrozenStage[];
  readonly #views: readonly ViewChange[];
  readonly #job: SavedFigures;
  readonly #names: GraphNames;
  readonly #sink: SnapshotSink;
  readonly #writing: Generator<void>;

  constructor(
    epoch: Epoch,
    stages: readonly StageState[],
    views: readonly ViewChange[],
    job: SavedFigures,
    finalizers: readonly (() => void | Promise<void>)[],
    names: GraphNames,
    sink: SnapshotSink,
  ) {
    this.epoch = epoch;
    this.finalizers = finalizers;
    this.#views = views;
    this.#job = job;
    this.#names = names;
    this.#sink = sink;
    this.#stages = stages.map((state) => this.#freeze(state));
    this.readings = this.#stages.flatMap(({ state, reading }) => (reading ? [{ state, saved: reading }] : []));
    this.sealed = new Map(
      this.#stages.flatMap(({ state, sealed }) => (state.stage.kind === "sink" ? [[state.stage.name, sealed]] : [])),
    );
    this.#writing = this.#write();
  }

  #freeze(state: StageState): FrozenStage {
    const { stage, store, runner } = state;
    return {
      state,
      facts: {
        input: state.inputWatermark,
        output: state.outputWatermark,
        bundles: state.bundles,
        busyMs: state.busyMs,
        elementsIn: state.elementsIn,
        layouts: store?.layouts,
        saved: runner.save?.(),
      },
      windows: Array.from(store?.values() ?? [], ({ window, fired, records, cold }) => ({
        window,
        fired,
        records: records.size + cold,
      })),
      timers: state.timers.save(),
      reading: state.reading?.save(),
      inbox: [...state.inbox],
      parked: Array.from(state.parked(), (waiting) => [...waiting]),
      calls: state.calls?.saved() ?? [],
      records: store && new RecordWriter(state, store, this.#sink),
      sealed: stage.kind === "sink" ? (runner.seal?.(this.epoch) ?? []) : [],
    };
  }

  /** Writes for about so long; all of it where the clock has no stopwatch. @returns whether all is written */
  encode(budgetMs: number, clock: Pick<Clock, "stopwatch">): boolean {
    const end = (clock.stopwatch?.() ?? 0) + budgetMs;
    for (;;) {
      if (this.#writing.next().done === true) return true;
      if ((clock.stopwatch?.() ?? 0) >= end) return false;
    }
  }

  *#write(): Generator<void> {
    for (const stage of this.#stages) {
      if (stage.records !== undefined) yield* stage.records.write();
    }
    for (const stage of this.#stages) {
      yield* this.#writeWaiting(stage);
      this.#writeStage(stage);
      // The sink gets its own again when the checkpoint is complete.
      for (const body of stage.sealed)
        this.#sink.put({ kind: "sealed", step: stage.state.stage.name, body: new Uint8Array(body) });
      yield;
    }
    yield* this.#writeViews();
    this.#sink.put({ kind: "job", step: "", body: encodeToBytes(valueCoder, this.#job) });
  }

  #writeStage({ state, facts, windows, timers, reading }: FrozenStage): void {
    const coder = windowsOf(state, this.#names);
    const bytes = (window: Window): Uint8Array => encodeToBytes(coder as Coder<Window>, window);
    const body = {
      ...facts,
      windows: windows.map(({ window, fired, records }) => [bytes(window), fired, records]),
      timers: {
        ...timers,
        windows: timers.windows.map(({ window, ...timer }) => ({ ...timer, window: bytes(window) })),
      },
      reading: this.#readingData(state, reading),
    };
    this.#sink.put({ kind: "stage", step: state.stage.name, body: encodeToBytes(valueCoder, body) });
  }

  /** Elements that were read and wait go by their coder; the rest is plain data. */
  #readingData(state: StageState, reading: unknown): unknown {
    const splits = (
      reading as { splits?: readonly { kept: readonly { value: unknown; at: Timestamp }[] }[] } | undefined
    )?.splits;
    if (splits === undefined) return reading;
    const { value: coder } = this.#names.element(state.stage.sourceOutput as CollectionId);
    return {
      ...(reading as object),
      splits: splits.map((split) => ({
        ...split,
        kept: split.kept.map(({ value, at }) => ({ at, value: encodeToBytes(coder, value) })),
      })),
    };
  }

  *#writeWaiting({ state, inbox, parked, calls }: FrozenStage): Generator<void> {
    const out = new ByteWriter();
    let count = 0;
    const flush = (): void => {
      if (out.length > 0) this.#sink.put({ kind: "waiting", step: state.stage.name, body: out.finish() });
      out.reset();
    };
    const each = function* (write: () => void): Generator<void> {
      write();
      if (++count % RECORDS_AT_ONCE !== 0) return;
      if (out.length >= WAITING_BYTES) flush();
      yield;
    };
    for (const element of inbox) yield* each(() => this.#element(WAITS.inbox, element, out));
    for (const elements of parked)
      for (const element of elements) yield* each(() => this.#element(WAITS.parked, element, out));
    for (const call of calls) yield* each(() => this.#call(state, call, out));
    flush();
  }

  #element(waits: number, { collection, value, timestamp, windows, pane }: Waiting, out: ByteWriter): void {
    const coders = this.#names.element(collection);
    out.byte(waits);
    valueCoder.encode(this.#names.collection(collection), out);
    out.float64(timestamp);
    out.varint(windows.length);
    for (const window of windows) coders.window.encode(window, out);
    paneCoder.encode(pane, out);
    coders.value.encode(value, out);
  }

  #call(state: StageState, { value, timestamp, windows, pane, timer }: Invocation, out: ByteWriter): void {
    const collection = state.stage.inputs[0] as CollectionId;
    if (timer === undefined) return this.#element(WAITS.call, { collection, value, timestamp, windows, pane }, out);
    const { record, family, tag, at } = timer;
    const format = state.store?.format;
    if (format === undefined) return;
    out.byte(WAITS.timerCall);
    valueCoder.encode([family, tag, at, timestamp], out);
    bytesCoder.encode(encodeToBytes(format.windows, record.window), out);
    bytesCoder.encode(encodeToBytes(format.keys.coder, record.key), out);
    // One whose window has expired lies nowhere else.
    const isFiled = state.store?.find(record.window)?.records.get(record.mapKey) === record;
    const body = out.startLength();
    if (!isFiled) format.write(record, out);
    out.endLength(body);
  }

  *#writeViews(): Generator<void> {
    for (const { view, window, contents } of this.#views) {
      const { step, window: windows, contents: coder } = this.#names.view(view);
      const out = new ByteWriter();
      out.byte(contents === undefined ? CHANGE.removeWindow : CHANGE.put);
      bytesCoder.encode(encodeToBytes(windows, window), out);
      if (contents !== undefined) {
        bytesCoder.encode(NO_KEY, out);
        writeTimes(NO_TIMES, false, out);
        bytesCoder.encode(encodeToBytes(coder, contents), out);
      }
      this.#sink.put({ kind: "view", step, body: out.finish() });
      yield;
    }
  }
}

/** How the windows of a stage's records and timers are written; undefined where it has no input, and so no windows. */
export function windowsOf({ stage, store }: StageState, names: GraphNames): Coder<Window> | undefined {
  const [input] = stage.inputs;
  return store?.format.windows ?? (input === undefined ? undefined : names.element(input).window);
}

const WAITING_BYTES = 64 * 1024;
/** Views have one entry for each window. */
const NO_KEY = new Uint8Array(0);
