/** The records of a stateful step: opening, TTL, expiry. Shared by synchronous steps and calls. */
import { assert } from "../base/assert.ts";
import type { DoFn } from "../fn/do-fn.ts";
import type { StepId } from "../graph/graph.ts";
import type { StageHost } from "../host/host.ts";
import type { PendingList, PendingQuery } from "../host/pending.ts";
import {
  type KeyedRecord,
  type MapKey,
  type RecordFormat,
  type RecordStore,
  type TimerEntry,
  timersOf,
  type WindowRecords,
} from "../host/records.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import { expiryTime } from "../windowing/strategy.ts";
import type { ContextParts } from "./do-fn-context.ts";
import { pendingIn, type PendingOf, recordsByWindow } from "./pending.ts";
import type { RecordTracker } from "./state-cells.ts";
import { cellOf, keepsNothing, recordsOf, setCell, type StateRecord } from "./state-record.ts";

/** Families of timers that are the step's own: no name of the program's begins with a space. */
const TTL_FAMILY = " ttl";

export class StateRecords {
  readonly #doFn: DoFn<unknown, unknown>;
  readonly #host: StageHost;
  readonly #allowedLateness: number;
  readonly #store: RecordStore<StateRecord>;
  readonly #hasCells: boolean;
  readonly #fresh: (key: unknown, mapKey: MapKey, window: Window) => StateRecord;
  #last: WindowRecords<StateRecord> | undefined;

  constructor(parts: ContextParts, format: RecordFormat<StateRecord>) {
    this.#doFn = parts.doFn;
    this.#host = parts.host;
    this.#allowedLateness = parts.allowedLateness;
    this.#store = parts.host.records<StateRecord>(format);
    const cells = Object.keys(parts.doFn.state ?? {}).length;
    this.#hasCells = cells > 0;
    const fresh = recordsOf(cells);
    const { state } = parts.host;
    this.#fresh =
      state === undefined
        ? fresh
        : (key, mapKey, window) => {
            const record = fresh(key, mapKey, window);
            state.load(record);
            return record;
          };
  }

  expiry(window: Window): Timestamp {
    return expiryTime(window, this.#allowedLateness);
  }

  /** The record of `key` in `window`; `undefined` where the window has expired. */
  open(key: unknown, mapKey: MapKey, window: Window): StateRecord | undefined {
    const slot = this.#slot(window);
    if (slot === undefined) return undefined;
    let record = slot.records.get(mapKey) ?? (slot.cold > 0 ? this.#store.load(slot, key, mapKey) : undefined);
    if (record === undefined) {
      record = this.#fresh(key, mapKey, slot.window);
      slot.records.set(mapKey, record);
      // It is there for its window's expiration alone.
      if (this.#doFn.onWindowExpiration !== undefined) this.willChange(record);
    }
    return record;
  }

  /** The record of `key` in `window`, which has not expired; where there is none, an empty one that nobody finds before `keep`. */
  peek(key: unknown, mapKey: MapKey, window: Window): StateRecord {
    const slot = this.#slot(window);
    assert(slot !== undefined, `window ${window.id} expired under a call`);
    const found = slot.records.get(mapKey) ?? this.#store.load(slot, key, mapKey);
    return found ?? this.#fresh(key, mapKey, slot.window);
  }

  /** Looks windows up anew: between bundles a host may have taken records away. */
  forget(): void {
    this.#last = undefined;
  }

  /** Files what a call has left in `record`. */
  keep(record: StateRecord): void {
    this.#store.find(record.window)?.records.set(record.mapKey, record);
    const due = this.#nextTtl(record);
    if (due !== Infinity && !hasTimer(record, TTL_FAMILY)) this.#setTtl(record, due);
    this.release(record);
  }

  #slot(window: Window): WindowRecords<StateRecord> | undefined {
    if (this.#last?.window === window) return this.#last;
    const found = this.#store.find(window);
    // Of one that has expired only timers are left.
    if (found?.fired === true) return undefined;
    const slot = found ?? this.#openWindow(window);
    // Remembered under the object that came, which later elements share.
    if (slot?.window === window) this.#last = slot;
    return slot;
  }

  #openWindow(window: Window): WindowRecords<StateRecord> | undefined {
    const expiry = this.expiry(window);
    if (this.#host.inputWatermark() > expiry) return undefined;
    const holdAt = this.#doFn.onWindowExpiration ? window.maxTimestamp : undefined;
    this.#host.timers.setExpiryTimer(window, expiry, holdAt);
    return this.#store.open(window);
  }

  find(window: Window): WindowRecords<StateRecord> | undefined {
    return this.#last?.window === window ? this.#last : this.#store.find(window);
  }

  /** Whether state of `window` has a place. */
  isOpen(window: Window): boolean {
    return this.#store.find(window)?.fired === false;
  }

  /** The window's time is over. What is left of it are timers that fire all the same: see `dropTimers`. */
  expire(window: Window): void {
    this.#last = undefined;
    const slot = this.#store.find(window);
    if (slot === undefined) return;
    slot.fired = true;
    if (!this.#hasCells)
      for (const record of slot.records.values()) if (record.timers === undefined) this.#store.remove(record);
    if (this.#hasCells || isEmpty(slot)) this.#store.drop(window);
  }

  /** All of a window that has come to its end and that something is to be done with. */
  expiring(slot: WindowRecords<StateRecord>): Iterable<StateRecord> {
    const { onWindowExpiration, timers } = this.#doFn;
    const isAsked = onWindowExpiration !== undefined || Object.keys(timers ?? {}).length > 0;
    return isAsked ? this.#store.all(slot, true) : slot.records.values();
  }

  get tracker(): RecordTracker {
    return this.#store;
  }

  willChange(record: StateRecord): void {
    if (record.mark !== this.#store.interval) this.#store.touch(record);
  }

  /** Forgets a record that keeps nothing any more. */
  release(record: StateRecord): void {
    if (record.timers !== undefined || !keepsNothing(record)) return;
    const slot = this.find(record.window);
    if (slot === undefined || (this.#doFn.onWindowExpiration !== undefined && !slot.fired)) return;
    this.#store.remove(record);
    if (slot.fired && isEmpty(slot)) this.#store.drop(record.window);
  }

  ttlWritten(record: StateRecord, ttl: number): void {
    if (!hasTimer(record, TTL_FAMILY)) this.#setTtl(record, this.#host.now() + ttl);
  }

  #setTtl(record: StateRecord, at: number): void {
    this.#host.timers.set(record, TTL_FAMILY, "", "processing", at, Infinity);
  }

  /** When the first of a record's cells outlives its TTL; Infinity where none will. */
  #nextTtl(record: StateRecord): number {
    const { writtenAt } = record;
    let next = Infinity;
    if (writtenAt === undefined) return next;
    Object.values(this.#doFn.state ?? {}).forEach(({ ttl }, index) => {
      const at = writtenAt[index];
      if (ttl !== undefined && at !== undefined && cellOf(record, index) !== undefined) next = Math.min(next, at + ttl);
    });
    return next;
  }

  /**
   * At a window's expiry: processing-time timers that are not due yet would find their state gone, so they are dropped and
   * counted (when the input is over, expiry waits for them instead). Where there is no state they still fire in their time.
   */
  dropTimers(record: StateRecord, step: StepId): void {
    if (record.timers === undefined || !this.#hasCells) return;
    for (const { family } of timersOf(record)) if (family !== TTL_FAMILY) this.#host.dropped(step, "timer");
    this.#host.timers.clearAll(record);
  }

  /** The program's timers that are set, and expiries that its function is to be called at. */
  pending(query: PendingQuery): PendingList {
    return pendingIn(recordsByWindow(this.#store.values()), query, (record) => this.#waits(record));
  }

  #waits(record: StateRecord): PendingOf | undefined {
    let first: TimerEntry | undefined;
    for (const timer of timersOf(record))
      if (timer.family !== TTL_FAMILY && (first === undefined || timer.at < first.at)) first = timer;
    if (first !== undefined) {
      const { domain, at } = first;
      const need =
        domain === "event" ? ({ kind: "watermark", after: at } as const) : ({ kind: "clock", due: at } as const);
      return { what: "timer", timer: first.family, need };
    }
    if (this.#doFn.onWindowExpiration === undefined) return undefined;
    return { what: "expiry", need: { kind: "watermark", after: this.expiry(record.window) } };
  }

  /** Clears what has outlived its TTL. `true` where `timer` was such a timer. */
  expireTtl(timer: TimerEntry): boolean {
    if (timer.family !== TTL_FAMILY) return false;
    const record = timer.owner as StateRecord;
    // Where it is still set, as in a stage with calls, nothing else may find it so.
    this.#host.timers.clear(record, TTL_FAMILY, "");
    this.willChange(record);
    const now = this.#host.now();
    Object.values(this.#doFn.state ?? {}).forEach(({ ttl }, index) => {
      const writtenAt = record.writtenAt?.[index];
      if (ttl !== undefined && writtenAt !== undefined && now - writtenAt >= ttl) setCell(record, index, undefined);
    });
    const next = this.#nextTtl(record);
    if (next !== Infinity) this.#setTtl(record, next);
    else this.release(record);
    return true;
  }
}

function isEmpty({ records, cold }: WindowRecords<StateRecord>): boolean {
  return records.size + cold === 0;
}

/** Asked at each write of a cell with a TTL, so without a list of its own where there is one timer. */
function hasTimer(record: KeyedRecord, family: string): boolean {
  const { timers } = record;
  return timers instanceof Map ? timersOf(record).some((timer) => timer.family === family) : timers?.family === family;
}
