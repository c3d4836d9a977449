/**
 * Synchronous DoFns: plain, and stateful by key and window.
 * Path: a fused chain, or the engine's timers -> HERE -> the step's outputs.
 *
 * Async, retried, timed and dead-lettered DoFns are in calls.ts; both use the same contexts and cells.
 */
import { assert } from "../base/assert.ts";
import type { DoFn } from "../fn/do-fn.ts";
import type { Emitter } from "../host/emitter.ts";
import type { StepId } from "../graph/graph.ts";
import type { StageHost } from "../host/host.ts";
import type { KeyedRecord, MapKey, RecordStore, TimerEntry, WindowRecords } from "../host/records.ts";
import { NO_FIRING, type Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import { expiryTime } from "../windowing/strategy.ts";
import {
  BundleCallContext,
  type ContextParts,
  DoFnContext,
  endedRecord,
  makeTimers,
  type TimerBinding,
} from "./do-fn-context.ts";
import { stepFailure, undeclaredAsync } from "./errors.ts";
import { checkPair, type LateOutput, mapKeyOf } from "./grouping.ts";
import { emitAll, type StepInfo } from "./operators.ts";
import { makeCells } from "./make-cells.ts";
import { cellsAreEmpty, type StateBinding, type StateRecord } from "./state-cells.ts";

type AnyDoFn = DoFn<unknown, unknown>;
type Method = (...args: never[]) => unknown;

/** Setup, bundles and teardown of one DoFn: the one implementation of its lifecycle. */
export class DoFnLifecycle {
  readonly #step: StepInfo;
  readonly #doFn: AnyDoFn;
  readonly #host: StageHost;
  readonly #bundleContext: BundleCallContext;
  readonly #asyncBundles: boolean;
  #setUp = false;

  constructor(parts: ContextParts, asyncBundles: boolean) {
    this.#step = parts.step;
    this.#doFn = parts.doFn;
    this.#host = parts.host;
    this.#asyncBundles = asyncBundles;
    this.#bundleContext = new BundleCallContext(parts.step, parts.host, parts.outlets);
  }

  async open(): Promise<void> {
    this.#setUp = true;
    await this.#run(() => this.#doFn.setup?.({ step: this.#step.name, options: this.#host.options }));
  }

  startBundle(): void | Promise<void> {
    if (this.#doFn.startBundle)
      return this.#bundle("startBundle", () => this.#doFn.startBundle?.(this.#bundleContext as never));
  }

  finishBundle(): void | Promise<void> {
    if (this.#doFn.finishBundle)
      return this.#bundle("finishBundle", () => this.#doFn.finishBundle?.(this.#bundleContext as never));
  }

  /** The plan knows async bundles by their functions; a promise from a plain function would be waited for by nobody. */
  #bundle(method: "startBundle" | "finishBundle", call: () => unknown): void | Promise<void> {
    const result = this.#run(call);
    if (result instanceof Promise && !this.#asyncBundles) {
      throw undeclaredAsync(`${this.#step.name}.${method}`, result);
    }
    return result;
  }

  async close(): Promise<void> {
    if (!this.#setUp) return;
    this.#setUp = false;
    await this.#run(() => this.#doFn.teardown?.());
  }

  #run(method: () => unknown): void | Promise<void> {
    let result: unknown;
    try {
      result = method();
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name });
    }
    if (result instanceof Promise) {
      return result.then(
        () => {},
        (error: unknown) => {
          throw stepFailure(error, { step: this.#step.name });
        },
      );
    }
  }
}

/** A DoFn without state. An element in several windows is processed once for each. */
export class ParDoOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #doFn: AnyDoFn;
  readonly #context: DoFnContext;
  readonly #main: Emitter;
  readonly #parts: ContextParts;

  constructor(parts: ContextParts) {
    this.#step = parts.step;
    this.#doFn = parts.doFn;
    this.#parts = parts;
    this.#context = new DoFnContext(parts);
    this.#main = parts.outlets["main"] as Emitter;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    const context = this.#context;
    context.timestamp = timestamp;
    context.pane = pane;
    for (let i = 0; i < windows.length; i++) {
      const window = windows[i] as Window;
      context.window = window;
      context.windows = windows.length === 1 ? windows : [window];
      this.#parts.sideInputs.moveTo(window);
      context.active = true;
      let result: unknown;
      try {
        result = this.#doFn.process(value, context as never);
      } catch (error) {
        throw stepFailure(error, { step: this.#step.name, element: value, windows: context.windows });
      }
      if (result !== undefined && result !== null) {
        emitAll(this.#step, result, value, timestamp, context.windows, pane, this.#main);
      }
      context.active = false;
    }
  }
}

const TTL_FAMILY = " ttl";

/** The records of a stateful step: opening, TTL, expiry. Shared by synchronous steps and calls. */
export class StateRecords {
  readonly #doFn: AnyDoFn;
  readonly #host: StageHost;
  readonly #allowedLateness: number;
  readonly #store: RecordStore<StateRecord>;
  readonly #cellCount: number;
  #last: WindowRecords<StateRecord> | undefined;

  constructor(parts: ContextParts) {
    this.#doFn = parts.doFn;
    this.#host = parts.host;
    this.#allowedLateness = parts.allowedLateness;
    this.#store = parts.host.records<StateRecord>();
    this.#cellCount = Object.keys(parts.doFn.state ?? {}).length;
  }

  expiry(window: Window): Timestamp {
    return expiryTime(window, this.#allowedLateness);
  }

  /** The record of `key` in `window`; `undefined` where the window has expired. */
  open(key: unknown, mapKey: MapKey, window: Window): StateRecord | undefined {
    const slot = this.#slot(window);
    if (slot === undefined) return undefined;
    let record = slot.records.get(mapKey);
    if (record === undefined) {
      record = this.#fresh(key, mapKey, slot.window);
      slot.records.set(mapKey, record);
    }
    return record;
  }

  /** The record of `key` in `window`, which has not expired; where there is none, an empty one that nobody finds before `keep`. */
  peek(key: unknown, mapKey: MapKey, window: Window): StateRecord {
    const slot = this.#slot(window);
    assert(slot !== undefined, `window ${window.id} expired under a call`);
    return slot.records.get(mapKey) ?? this.#fresh(key, mapKey, slot.window);
  }

  /** Looks windows up anew: between bundles a host may have taken records away. */
  forget(): void {
    this.#last = undefined;
  }

  /** Files what a call has left in `record`. */
  keep(record: StateRecord): void {
    // A call of the window's expiry comes after the window: its state has no place any more.
    const slot = this.#store.find(record.window);
    if (slot === undefined) return;
    slot.records.set(record.mapKey, record);
    const due = this.#nextTtl(record);
    if (due !== Infinity && !hasTimer(record, TTL_FAMILY)) this.#setTtl(record, due);
    this.release(record);
  }

  #slot(window: Window): WindowRecords<StateRecord> | undefined {
    if (this.#last?.window === window) return this.#last;
    const slot = this.#store.find(window) ?? this.#openWindow(window);
    // Remembered under the object that came, which later elements share.
    if (slot?.window === window) this.#last = slot;
    return slot;
  }

  #fresh(key: unknown, mapKey: MapKey, window: Window): StateRecord {
    const record = { key, mapKey, window, timers: undefined, cells: this.#emptyCells(), writtenAt: undefined };
    this.#host.state?.load(record);
    return record;
  }

  #emptyCells(): unknown[] {
    const cells: unknown[] = [];
    for (let i = 0; i < this.#cellCount; i++) cells.push(undefined);
    return cells;
  }

  #openWindow(window: Window): WindowRecords<StateRecord> | undefined {
    const expiry = this.expiry(window);
    if (this.#host.inputWatermark() > expiry) return undefined;
    const holdAt = this.#doFn.onWindowExpiration ? window.maxTimestamp : undefined;
    this.#host.timers.setExpiryTimer(window, expiry, holdAt);
    return this.#store.open(window);
  }

  find(window: Window): WindowRecords<StateRecord> | undefined {
    return this.#store.find(window);
  }

  drop(window: Window): void {
    this.#last = undefined;
    this.#store.drop(window);
  }

  /** Forgets a record that keeps nothing any more. */
  release(record: StateRecord): void {
    if (record.timers !== undefined || !cellsAreEmpty(record.cells) || this.#doFn.onWindowExpiration !== undefined)
      return;
    this.#store.find(record.window)?.records.delete(record.mapKey);
  }

  ttlWritten(record: StateRecord, ttl: number): void {
    if (!hasTimer(record, TTL_FAMILY)) this.#setTtl(record, this.#host.now() + ttl);
  }

  #setTtl(record: StateRecord, at: number): void {
    this.#host.timers.set(record, TTL_FAMILY, "", "processing", at, Infinity);
  }

  /** When the first of a record's cells outlives its TTL; Infinity where none will. */
  #nextTtl({ cells, writtenAt }: StateRecord): number {
    let next = Infinity;
    if (writtenAt === undefined) return next;
    Object.values(this.#doFn.state ?? {}).forEach(({ ttl }, index) => {
      const at = writtenAt[index];
      if (ttl !== undefined && at !== undefined && cells[index] !== undefined) next = Math.min(next, at + ttl);
    });
    return next;
  }

  /**
   * At a window's expiry: processing-time timers that are not due yet would find their state gone, so they are dropped and
   * counted (when the input is over, expiry waits for them instead). Where there is no state they still fire in their time.
   */
  dropTimers(record: StateRecord, step: StepId): void {
    const { timers } = record;
    if (timers === undefined || this.#cellCount === 0) return;
    for (const timer of timers instanceof Map ? timers.values() : [timers]) {
      if (timer.family !== TTL_FAMILY) this.#host.dropped(step, "timer");
    }
    this.#host.timers.clearAll(record);
  }

  /** Clears what has outlived its TTL. `true` where `timer` was such a timer. */
  expireTtl(timer: TimerEntry): boolean {
    if (timer.family !== TTL_FAMILY) return false;
    const record = timer.owner as StateRecord;
    // Where it is still set, as in a stage with calls, nothing else may find it so.
    this.#host.timers.clear(record, TTL_FAMILY, "");
    const now = this.#host.now();
    Object.values(this.#doFn.state ?? {}).forEach(({ ttl }, index) => {
      const writtenAt = record.writtenAt?.[index];
      if (ttl !== undefined && writtenAt !== undefined && now - writtenAt >= ttl) record.cells[index] = undefined;
    });
    const next = this.#nextTtl(record);
    if (next !== Infinity) this.#setTtl(record, next);
    else this.release(record);
    return true;
  }
}

function hasTimer({ timers }: KeyedRecord, family: string): boolean {
  if (timers === undefined) return false;
  if (timers instanceof Map) return [...timers.values()].some((timer) => timer.family === family);
  return timers.family === family;
}

/** A DoFn with state or timers. */
export class StatefulOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #doFn: AnyDoFn;
  readonly #parts: ContextParts;
  readonly #late: LateOutput;
  readonly #context: DoFnContext;
  readonly #main: Emitter;
  readonly #records: StateRecords;
  readonly #binding: StateBinding & TimerBinding;
  /** What the cells and timers stand on between calls. */
  readonly #ended: StateRecord;

  constructor(parts: ContextParts, late: LateOutput, strict: boolean) {
    this.#step = parts.step;
    this.#doFn = parts.doFn;
    this.#parts = parts;
    this.#late = late;
    this.#main = parts.outlets["main"] as Emitter;
    const records = new StateRecords(parts);
    this.#records = records;
    this.#ended = endedRecord(parts.step.name);
    const context = new DoFnContext(parts);
    this.#context = context;
    this.#binding = {
      record: this.#ended,
      context,
      timers: parts.host.timers,
      step: parts.step.name,
      now: () => parts.host.now(),
      ttlWritten: (record, ttl) => records.ttlWritten(record, ttl),
      strict,
    };
    context.state = makeCells(parts.doFn.state ?? {}, this.#binding);
    context.timers = makeTimers(parts.doFn.timers ?? {}, parts, this.#binding);
  }

  startBundle(): void {
    this.#records.forget();
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    checkPair(this.#step, value);
    const context = this.#context;
    const key = value[0];
    const mapKey = mapKeyOf(this.#step, value, windows);
    for (let i = 0; i < windows.length; i++) {
      const window = windows[i] as Window;
      const record = this.#records.open(key, mapKey, window);
      if (record === undefined) {
        this.#late.drop(value, timestamp, window, this.#records.expiry(window), "expired");
        continue;
      }
      this.#binding.record = record;
      context.active = true;
      context.timestamp = timestamp;
      context.pane = pane;
      context.key = key;
      context.window = window;
      context.windows = windows.length === 1 ? windows : [window];
      this.#parts.sideInputs.moveTo(window);
      let result: unknown;
      try {
        result = this.#doFn.process(value, context as never);
      } catch (error) {
        throw stepFailure(error, {
          step: this.#step.name,
          element: value,
          windows: context.windows,
          key,
          hasKey: true,
        });
      }
      if (result !== undefined && result !== null) {
        emitAll(this.#step, result, value, timestamp, context.windows, pane, this.#main);
      }
      context.active = false;
      this.#binding.record = this.#ended;
      this.#records.release(record);
    }
  }

  fireTimer(timer: TimerEntry): void {
    if (this.#records.expireTtl(timer)) return;
    const callback = (this.#doFn.onTimer as Record<string, Method> | undefined)?.[timer.family];
    const record = timer.owner as StateRecord;
    if (callback !== undefined) this.#callback(callback, record, timer.holdAt, timer.at, timer.tag);
    this.#records.release(record);
  }

  #callback(callback: Method, record: StateRecord, timestamp: Timestamp, firedAt: Timestamp, tag: string): void {
    const context = this.#context;
    this.#binding.record = record;
    context.active = true;
    context.timestamp = timestamp;
    context.firedAt = firedAt;
    context.tag = tag;
    context.pane = NO_FIRING;
    context.key = record.key;
    context.window = record.window;
    context.windows = [record.window];
    this.#parts.sideInputs.moveTo(record.window);
    let result: unknown;
    try {
      result = callback.call(this.#doFn, context as never);
      if (result instanceof Promise) throw undeclaredAsync(this.#step.name, result);
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, windows: context.windows, key: record.key, hasKey: true });
    }
    if (result !== undefined && result !== null) {
      emitAll(this.#step, result, undefined, timestamp, context.windows, NO_FIRING, this.#main);
    }
    context.active = false;
    this.#binding.record = this.#ended;
  }

  fireWindow(window: Window, at: Timestamp): void {
    const slot = this.#records.find(window);
    if (slot === undefined) return;
    for (const record of slot.records.values()) {
      this.#records.dropTimers(record, this.#step.id);
      if (this.#doFn.onWindowExpiration) {
        this.#callback(this.#doFn.onWindowExpiration as Method, record, window.maxTimestamp, at, "");
        this.#records.dropTimers(record, this.#step.id);
      }
    }
    this.#records.drop(window);
  }
}
