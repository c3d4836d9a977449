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
 * P4 Whoever changes a record, or what lies in it, says so by `touch` before; whoever takes one away does it by `remove` or
 *    `drop`. What is taken away is not changed any more.
 */
import type { ByteReader } from "../coders/byte-reader.ts";
import type { ByteWriter } from "../coders/byte-writer.ts";
import type { Coder } from "../coders/coder.ts";
import type { KeyCoder, MapKey } from "../coders/key.ts";
import type { TimeDomain } from "../fn/timer.ts";
import type { Window } from "../model/window.ts";
import type { Timestamp } from "../model/time.ts";
import { areEqual, type RecordLayout } from "./layouts.ts";

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
  /** The order in which timers were set. */
  readonly seq: number;
  /** The time of its record in the rows of the checkpoint store, where this is its only timer: not after `at`. NaN where it has none. */
  indexedAt: number;
}

/** What every record has; steps add their own fields. */
export interface KeyedRecord {
  readonly key: unknown;
  readonly mapKey: MapKey;
  readonly window: Window;
  /** Timers that are set: none, one, or several by family and tag. Written by the host only. */
  timers: TimerEntry | Map<string, TimerEntry> | undefined;
  /** The interval between two checkpoints in which it was changed last; see `RecordStore`. 0 for a new one. */
  mark: number;
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
  /** How many more of them are not in memory: see `RecordStore.load`. */
  cold: number;
  /** Keys whose records have been taken away, and in which interval, as long as rows may have them. */
  removed: Map<MapKey, number> | undefined;
  /** Whether the end-of-window firing has been. */
  fired: boolean;
}

/** How a step's records are written down. */
export interface RecordFormat<R extends KeyedRecord> {
  /** What records consist of. */
  readonly layout: RecordLayout;
  /** Whether the step asks for records by `RecordStore.load` and `all`, so that those it does not use need not be in memory. */
  readonly lazy: boolean;
  readonly keys: KeyCoder<unknown>;
  /** Of the windows of records and of window timers. */
  readonly windows: Coder<Window>;
  /** Writes what the record keeps, without key, window and timers. */
  write(record: R, out: ByteWriter): void;
  /** @param added what was written by `writeAdded` since, in order */
  read(input: ByteReader, key: unknown, mapKey: MapKey, window: Window, added?: readonly ByteReader[]): R;
  /**
   * There are records in other layouts, which it has to read too; the last is that in which it writes.
   * @param now processing time: cells that had no TTL have it from then on
   */
  goOn?(history: readonly RecordLayout[], now: number): void;
  /** Lists in the record that grow at their ends alone as long as they are the same ones. */
  lists?(record: R): readonly (readonly unknown[] | undefined)[];
  /** Writes what has been added to them, in place of all. @param since their lengths when the record was written last */
  writeAdded?(record: R, since: readonly number[], out: ByteWriter): void;
}

/** Records that are not in memory. Kept by the host. */
export interface ColdRecords<R extends KeyedRecord> {
  /** The record of a key, filed again; undefined where there is none. */
  load(slot: WindowRecords<R>, key: unknown, mapKey: MapKey): R | undefined;
  /** All of a window, bit by bit. @param file whether they are filed, and their timers set */
  loadAll(slot: WindowRecords<R>, file: boolean): Iterable<R>;
  /** A window has been dropped. */
  dropped(slot: WindowRecords<R>): void;
}

/** A record that was taken away, or all of a window. */
export interface Gone {
  readonly window: Window;
  /** Absent where the whole window is gone. */
  readonly key?: unknown;
  readonly whole: boolean;
}

/** What has changed in an interval. */
export interface RecordChanges<R extends KeyedRecord> {
  readonly interval: number;
  readonly changed: readonly R[];
  /** In the order of going; records that came after that are among `changed`. */
  readonly gone: readonly Gone[];
}

/** The mark of one that was changed in the present interval, and taken away. */
const GONE = -(2 ** 30) + 1;

/**
 * All records of one step.
 *
 * With checkpoints, time is cut into intervals, from 1; a record that changes in one is listed once. At a checkpoint the list is
 * handed over and the next interval begins. Records of the list are written down bit by bit after that, and one that is about to
 * change meanwhile at once (`writeFirst`), so that what is written is what was there at that instant. The mark of a record that is
 * written down and has not changed since is its interval below zero.
 */
export class RecordStore<R extends KeyedRecord> {
  readonly format: RecordFormat<R>;
  /** The layouts that records may be in, by their numbers from 1: see host/layouts Y1. */
  layouts: readonly RecordLayout[];
  /** The present interval; 0, as the mark of every record, where nothing is tracked. */
  interval = 0;
  readonly #windows = new Map<string, WindowRecords<R>>();
  #changed: R[] = [];
  #gone: Gone[] = [];
  #frozen = 0;
  #writeFirst: ((record: R) => void) | undefined;
  #cold: ColdRecords<R> | undefined;

  constructor(format: RecordFormat<R>) {
    this.format = format;
    this.layouts = [format.layout];
  }

  /** Goes on with records that an earlier version of the program may have written. @param history not empty */
  goOn(history: readonly RecordLayout[], now: number): void {
    const { format } = this;
    this.layouts = areEqual(history.at(-1) as RecordLayout, format.layout) ? history : [...history, format.layout];
    format.goOn?.(this.layouts, now);
  }

  /** Begins to track what changes. @param interval the first, above all that records have been written in */
  track(interval: number, cold?: ColdRecords<R>): void {
    this.interval = interval;
    this.#cold = cold;
  }

  /** The record of a key that is not in memory, filed again; undefined where there is none. */
  load(slot: WindowRecords<R>, key: unknown, mapKey: MapKey): R | undefined {
    if (slot.cold === 0 || slot.removed?.has(mapKey) === true) return undefined;
    return this.#cold?.load(slot, key, mapKey);
  }

  /** All records of a window. @param file whether those that are not in memory are needed there after this */
  all(slot: WindowRecords<R>, file: boolean): Iterable<R> {
    return slot.cold === 0 || this.#cold === undefined ? slot.records.values() : this.#withCold(this.#cold, slot, file);
  }

  *#withCold(cold: ColdRecords<R>, slot: WindowRecords<R>, file: boolean): Iterable<R> {
    yield* slot.records.values();
    yield* cold.loadAll(slot, file);
  }

  /**
   * Says that a record is about to change. Callers look first whether its `mark` is not `interval`, each for itself: so each
   * place sees records of one shape alone.
   */
  touch(record: R): void {
    if (record.mark > 0 && record.mark === this.#frozen) this.#writeFirst?.(record);
    record.mark = this.interval;
    this.#changed.push(record);
  }

  /**
   * Ends the interval.
   * @param writeFirst writes a record of the list that is about to change
   */
  freeze(writeFirst: (record: R) => void): RecordChanges<R> {
    const changes = { interval: this.interval, changed: this.#changed, gone: this.#gone };
    this.#changed = [];
    this.#gone = [];
    this.#frozen = this.interval++;
    this.#writeFirst = writeFirst;
    return changes;
  }

  /** Whether a record of the list of the last `freeze` is still to be written; it is written now. */
  takeUnwritten(record: R): boolean {
    if (record.mark !== this.#frozen) return false;
    record.mark = -this.#frozen;
    return true;
  }

  /** All of the list have been written. */
  thaw(): void {
    this.#frozen = 0;
    this.#writeFirst = undefined;
  }

  /** Files a record that has been read. @param interval that in which it was written */
  restore(record: R, interval: number): void {
    record.mark = -interval;
    this.open(record.window).records.set(record.mapKey, record);
  }

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
      found = { window, records: new Map(), cold: 0, removed: undefined, fired: false };
      this.#windows.set(id, found);
    }
    return found;
  }

  /** Takes one record away. */
  remove(record: R): void {
    const found = this.#windows.get(record.window.id);
    if (found === undefined || !found.records.delete(record.mapKey)) return;
    // One that was never changed was never written.
    if (this.interval === 0 || record.mark === 0) return;
    if (record.mark === this.interval) record.mark = GONE;
    this.#gone.push({ window: found.window, key: record.key, whole: false });
    if (this.#cold !== undefined) (found.removed ??= new Map()).set(record.mapKey, this.interval);
  }

  drop(window: Window): void {
    const id = window.id;
    const found = this.#windows.get(id);
    if (found === undefined) return;
    this.#windows.delete(id);
    if (this.interval > 0) this.#dropTracked(found);
    found.records = new Map(); // P3
    this.#cold?.dropped(found);
  }

  #dropTracked({ window, records, cold }: WindowRecords<R>): void {
    let written = cold > 0;
    for (const record of records.values()) {
      written ||= record.mark !== 0;
      if (record.mark === this.interval) record.mark = GONE;
    }
    if (written) this.#gone.push({ window, whole: true });
  }

  values(): IterableIterator<WindowRecords<R>> {
    return this.#windows.values();
  }

  /** The number of keys over all windows. */
  countKeys(): number {
    let count = 0;
    for (const { records, cold } of this.#windows.values()) count += records.size + cold;
    return count;
  }
}
