/**
 * Keyed records: all that one step keeps for one key and window, filed window by window.
 *
 * P1 What steps keep in a record is plain data: no methods, no closures, so that it can be written down. `window` goes through
 *    its WindowFn (`toData`); `timers` are objects of the host, which alone reads and writes more than TimerEntry says.
 * P2 One step has one store; windows are found by id, so equal windows share records whatever object names them.
 * P3 A window that is dropped lets go of its records. A Map that grows links its old table to the new one, so once V8 has
 *    promoted a table to the old generation, all that later tables of the same Map ever held counts as reachable until the
 *    next full collection: a Map of windows that come and go must hold nothing large after `delete`, and a cache is replaced
 *    by a new Map, never emptied by `clear` (bench/README.md, "Memory").
 */
import type { MapKey } from "../coders/key.ts";
import type { TimeDomain } from "../fn/timer.ts";
import type { Window } from "../model/window.ts";
import type { Timestamp } from "../model/time.ts";

export type { MapKey };

/** A timer that is set. Made and owned by the host. */
export interface TimerEntry {
  readonly owner: KeyedRecord;
  readonly family: string;
  readonly tag: string;
  readonly domain: TimeDomain;
  /** When it fires. */
  at: Timestamp;
  /** What it holds the output watermark at until then, and the timestamp of its outputs. */
  holdAt: Timestamp;
}

/** What every record has; steps add their own fields. */
export interface KeyedRecord {
  readonly key: unknown;
  readonly mapKey: MapKey;
  readonly window: Window;
  /** Timers that are set: none, one, or several by family and tag. Written by the host only. */
  timers: TimerEntry | Map<string, TimerEntry> | undefined;
}

/** The timers of a record that are set, as they are now: what happens to them meanwhile does not change the list. */
export function timersOf({ timers }: KeyedRecord): readonly TimerEntry[] {
  if (timers === undefined) return [];
  return timers instanceof Map ? [...timers.values()] : [timers];
}

/** What a stateful step keeps in a record. */
export interface StateData {
  /** Data of the first cell; `undefined` is empty. */
  first: unknown;
  /** Data of the other cells, by position in the declaration after it. */
  others: unknown[] | undefined;
  /** Processing time of the last write by position in the declaration, for cells with a TTL. */
  writtenAt: number[] | undefined;
}

/** The records of one window. `R` is the step's record type. */
export interface WindowRecords<R extends KeyedRecord> {
  readonly window: Window;
  records: Map<MapKey, R>;
  /** Whether the end-of-window firing has been. */
  fired: boolean;
}

/** All records of one step. */
export class RecordStore<R extends KeyedRecord> {
  readonly #windows = new Map<string, WindowRecords<R>>();

  get size(): number {
    return this.#windows.size;
  }

  find(window: Window): WindowRecords<R> | undefined {
    return this.#windows.get(window.id);
  }

  /** The records of `window`, made empty where there are none. */
  open(window: Window): WindowRecords<R> {
    const id = window.id;
    let found = this.#windows.get(id);
    if (found === undefined) {
      found = { window, records: new Map(), fired: false };
      this.#windows.set(id, found);
    }
    return found;
  }

  drop(window: Window): void {
    const id = window.id;
    const found = this.#windows.get(id);
    if (found === undefined) return;
    this.#windows.delete(id);
    found.records = new Map(); // P3
  }

  values(): IterableIterator<WindowRecords<R>> {
    return this.#windows.values();
  }

  /** The number of keys over all windows. */
  countKeys(): number {
    let count = 0;
    for (const { records } of this.#windows.values()) count += records.size;
    return count;
  }
}
