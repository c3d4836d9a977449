/**
 * Records of one stage that are not in memory: they lie in the rows of the checkpoint store, as they were written last.
 * Path: RecordStore.load, StageTimers -> HERE -> RecordRows. Eviction (eviction.ts) puts them here.
 *
 * Y1 A record leaves the memory only once rows have it, unchanged: what rows say of a record that is not in memory is right. What
 *    they say of others is of the past: those in memory, and those that were taken away (`WindowRecords.removed`).
 * Y2 Its timers leave with it. Before any of them could fire, or hold the watermark differently, it is back (`earliest`).
 */
import { ByteReader, corrupt } from "../coders/byte-reader.ts";
import { encodeToBytes } from "../coders/coder.ts";
import {
  type ColdRecords as ColdRecordsOfStore,
  type KeyedRecord,
  type MapKey,
  type RecordStore,
  type WindowRecords,
} from "../host/records.ts";
import { type Entry, type RecordRows, TIME_KINDS, type TimedEntry, type TimeKind } from "../host/snapshot.ts";
import type { Window } from "../model/window.ts";
import { exactTimes, file, readRecord, type ReadRecord, timesInRows } from "./record-chunks.ts";
import type { ColdTimers, StageTimers } from "./timers.ts";

type Slot = WindowRecords<KeyedRecord>;

/** So many rows are looked at, or brought into memory, at a time. */
const ROWS_AT_ONCE = 128;
const NOTHING = new Uint8Array(0);

/** Where the search for the first record of a kind of times stands. */
interface Search {
  /** Rows that were found, the first of those that are left at `at`; none before them is of a record that is not in memory. */
  rows: readonly TimedEntry[];
  at: number;
  /** Where the next rows are looked for. */
  after: TimedEntry;
  over: boolean;
  /** At which version the first was seen not to be in memory. */
  seenAt: number;
}

/** From just before `time` on. */
function search(time: number): Search {
  return { rows: [], at: 0, after: { time: time - 2, window: NOTHING, key: NOTHING }, over: false, seenAt: -1 };
}

export class ColdRecords implements ColdRecordsOfStore<KeyedRecord>, ColdTimers {
  readonly #store: RecordStore<KeyedRecord>;
  readonly #timers: StageTimers;
  readonly #rows: RecordRows;
  readonly #searches: Record<TimeKind, Search> = {
    event: search(-Infinity),
    processing: search(-Infinity),
    hold: search(-Infinity),
  };
  /** Records of all windows that are not in memory. */
  #count = 0;
  /** Changes with what is in memory. */
  #version = 0;
  readonly #windows = new Map<string, Window>();

  constructor(store: RecordStore<KeyedRecord>, timers: StageTimers, rows: RecordRows) {
    this.#store = store;
    this.#timers = timers;
    this.#rows = rows;
  }

  /** Says that a window of a checkpoint has so many records beside those in memory. */
  restored(slot: Slot, records: number): void {
    slot.cold = records;
    this.#count += records;
  }

  load(slot: Slot, key: unknown, mapKey: MapKey): KeyedRecord | undefined {
    const { windows, keys } = this.#store.format;
    const entry = this.#rows.get(encodeToBytes(windows, slot.window), encodeToBytes(keys.coder, key));
    return entry && this.#file(this.#read(entry, slot, key, mapKey), slot);
  }

  #read(entry: Entry, slot: Slot, key: unknown, mapKey: MapKey): ReadRecord {
    return readRecord(entry, key, mapKey, slot.window, this.#store.format);
  }

  #file(read: ReadRecord, slot: Slot): KeyedRecord {
    // Of the present interval: it has just been used, and stays for a while.
    file(read, this.#store, this.#timers, this.#store.interval);
    slot.cold--;
    this.#count--;
    this.#version++;
    return read.record;
  }

  *loadAll(slot: Slot, toFile: boolean): Generator<KeyedRecord> {
    const window = encodeToBytes(this.#store.format.windows, slot.window);
    let after: Uint8Array | undefined;
    while (slot.cold > 0) {
      const page = this.#rows.page(window, after, ROWS_AT_ONCE);
      for (const entry of page) {
        const { key, mapKey } = this.#key(entry.key);
        if (slot.records.has(mapKey) || slot.removed?.has(mapKey) === true) continue;
        const read = this.#read(entry, slot, key, mapKey);
        yield toFile ? this.#file(read, slot) : read.record;
      }
      if (page.length < ROWS_AT_ONCE) return;
      after = (page.at(-1) as Entry).key;
    }
  }

  #key(bytes: Uint8Array): { readonly key: unknown; readonly mapKey: MapKey } {
    const { keys } = this.#store.format;
    const key = keys.coder.decode(new ByteReader(bytes));
    return { key, mapKey: keys.toMapKey(key) };
  }

  earliest(kind: TimeKind): number {
    if (this.#count === 0) return Infinity;
    const found = this.#searches[kind];
    if (found.seenAt !== this.#version) this.#seek(kind, found);
    return found.rows[found.at]?.time ?? Infinity;
  }

  #seek(kind: TimeKind, found: Search): void {
    for (;;) {
      while (found.at < found.rows.length && !this.#isCold(found.rows[found.at] as TimedEntry)) found.at++;
      if (found.at < found.rows.length || found.over) break;
      found.after = found.rows.at(-1) ?? found.after;
      found.rows = this.#rows.timed(kind, found.after, ROWS_AT_ONCE);
      found.at = 0;
      found.over = found.rows.length === 0;
    }
    found.seenAt = this.#version;
  }

  #isCold({ window, key }: TimedEntry): boolean {
    const slot = this.#store.find(this.#window(window));
    if (slot === undefined || slot.cold === 0) return false;
    const { mapKey } = this.#key(key);
    return !slot.records.has(mapKey) && slot.removed?.has(mapKey) !== true;
  }

  /** Few windows have many records. */
  #window(bytes: Uint8Array): Window {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    let window = this.#windows.get(name);
    if (window === undefined) {
      if (this.#windows.size > ROWS_AT_ONCE) this.#windows.clear();
      window = this.#store.format.windows.decode(new ByteReader(bytes));
      this.#windows.set(name, window);
    }
    return window;
  }

  loadFirst(kind: TimeKind): void {
    const before = this.#version;
    const { rows, at } = this.#searches[kind];
    for (let i = at; i < rows.length; i++) {
      const { window, key, time } = rows[i] as TimedEntry;
      const slot = this.#store.find(this.#window(window));
      if (slot === undefined || slot.cold === 0) continue;
      const read = this.#key(key);
      const record = slot.records.has(read.mapKey) ? undefined : this.#store.load(slot, read.key, read.mapKey);
      // Its timer has moved to later since: rows hear of it.
      if (record !== undefined && exactTimes(record)[kind] > time) this.#store.touch(record);
    }
    if (this.#version === before) throw corrupt("a record that has a time and is not there");
  }

  /** A record leaves the memory. Only where rows have it as it is. */
  evict(slot: Slot, record: KeyedRecord): void {
    slot.records.delete(record.mapKey);
    slot.cold++;
    this.#count++;
    if (record.timers === undefined) return;
    const times = timesInRows(record);
    this.#timers.evict(record);
    for (const kind of TIME_KINDS) this.#searchFrom(kind, times[kind]);
  }

  /** There is another one at `time`: where that has been passed, the search begins there again. */
  #searchFrom(kind: TimeKind, time: number): void {
    if (time === Infinity) return;
    const { rows, at, after, over } = this.#searches[kind];
    const passed = over ? Infinity : (rows.at(-1) ?? after).time;
    if (time <= passed) this.#searches[kind] = search(Math.min(time, rows[at]?.time ?? time));
  }

  /** Rows have all changes up to `epoch` now: what they were wrong about until then is forgotten, and so are rows found before. */
  folded(epoch: number): void {
    for (const kind of TIME_KINDS) {
      const { rows, at, after, over } = this.#searches[kind];
      if (!over) this.#searches[kind] = search(rows[at]?.time ?? after.time);
    }
    for (const slot of this.#store.values()) {
      const { removed } = slot;
      if (removed === undefined) continue;
      for (const [mapKey, interval] of removed) if (interval <= epoch) removed.delete(mapKey);
      if (removed.size === 0) slot.removed = undefined;
    }
  }

  dropped(slot: Slot): void {
    this.#count -= slot.cold;
    this.#version++;
    slot.cold = 0;
  }
}
