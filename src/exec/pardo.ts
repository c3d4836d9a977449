/**
 * Synchronous DoFns: plain, and stateful by key and window.
 * Path: a fused chain, or the engine's timers -> HERE -> the step's outputs.
 *
 * Async, retried, timed and dead-lettered DoFns are in calls.ts; both use the same contexts and cells.
 */
import type { DoFn } from "../fn/do-fn.ts";
import type { Emitter } from "../host/emitter.ts";
import type { PendingList, PendingQuery } from "../host/pending.ts";
import type { TimerEntry } from "../host/records.ts";
import { NO_FIRING, type Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import { type ContextParts, DoFnContext, endedRecord, makeTimers, type TimerBinding } from "./do-fn-context.ts";
import { stepFailure, undeclaredAsync } from "./errors.ts";
import { checkPair, type LateOutput, mapKeyOf } from "./grouping.ts";
import { emitAll, type StepInfo } from "./operators.ts";
import { makeCells } from "./make-cells.ts";
import type { StateBinding } from "./state-cells.ts";
import type { StateRecord } from "./state-record.ts";
import type { StateRecords } from "./state-records.ts";

type AnyDoFn = DoFn<unknown, unknown>;
type Method = (...args: never[]) => unknown;

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

  constructor(parts: ContextParts, late: LateOutput, strict: boolean, records: StateRecords) {
    this.#step = parts.step;
    this.#doFn = parts.doFn;
    this.#parts = parts;
    this.#late = late;
    this.#main = parts.outlets["main"] as Emitter;
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
      records: records.tracker,
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
    context.isFiring = true;
    context.tag = tag;
    context.pane = NO_FIRING;
    context.key = record.key;
    context.window = record.window;
    if (context.windows.length !== 1 || context.windows[0] !== record.window) context.windows = [record.window];
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
    context.isFiring = false;
    context.active = false;
    this.#binding.record = this.#ended;
  }

  pending(query: PendingQuery): PendingList {
    return this.#records.pending(query);
  }

  fireWindow(window: Window, at: Timestamp): void {
    const slot = this.#records.find(window);
    if (slot === undefined) return;
    for (const record of this.#records.expiring(slot)) {
      this.#records.dropTimers(record, this.#step.id);
      if (this.#doFn.onWindowExpiration) {
        this.#callback(this.#doFn.onWindowExpiration as Method, record, window.maxTimestamp, at, "");
        this.#records.dropTimers(record, this.#step.id);
      }
    }
    this.#records.expire(window);
  }
}
