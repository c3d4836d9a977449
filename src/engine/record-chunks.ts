/**
 * The keyed records of a stage in checkpoints: what has changed as chunks of bytes, and back.
 *
 * R1 Timers of a record lie with it, so that one entry is all there is of a key and window.
 * R2 A long list that has grown is extended by what is new, until that is as much as there was: what is written is in proportion
 *    to what is added.
 */
import { isTidemarkError } from "../base/errors.ts";
import { ByteReader } from "../coders/byte-reader.ts";
import { ByteWriter } from "../coders/byte-writer.ts";
import { encodeToBytes } from "../coders/coder.ts";
import { bytesCoder } from "../coders/primitives.ts";
import { valueCoder } from "../coders/value.ts";
import {
  type KeyedRecord,
  type MapKey,
  type RecordChanges,
  type RecordFormat,
  type RecordStore,
  type TimerEntry,
  timersOf,
} from "../host/records.ts";
import { CHANGE, type Entry, type EntryTimes, NO_TIMES, type SnapshotSink, writeTimes } from "../host/snapshot.ts";
import { MAX_TIMESTAMP, type Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { StageState } from "./stage-state.ts";
import type { SavedTimer, StageTimers } from "./timers.ts";

/** A chunk is handed on when it is this long. */
const CHUNK_BYTES = 64 * 1024;
/** How many records are written without a look at the time. */
export const RECORDS_AT_ONCE = 32;
/** Shorter ones are written whole. */
const EXTENDED_BYTES = 4096;

type Store = RecordStore<KeyedRecord>;

/** How a long record stands in the checkpoints: as what, with which lists and timers. */
interface Written {
  readonly lists: readonly (readonly unknown[] | undefined)[];
  readonly lengths: number[];
  readonly timer: TimerEntry | undefined;
  readonly at: number | undefined;
  readonly bytes: number;
  added: number;
}

/** What is known of records that have been written: how long they are, and of long ones what of them. */
export class WrittenRecords {
  readonly #long = new WeakMap<KeyedRecord, Written>();
  #anyLong = false;
  #records = 0;
  #bytes = 0;

  /** Bytes of one record, as far as they have been written or read. */
  get averageBytes(): number {
    return this.#records === 0 ? 0 : this.#bytes / this.#records;
  }

  count(bytes: number): void {
    this.#records++;
    this.#bytes += bytes;
  }

  keep(record: KeyedRecord, bytes: number, format: RecordFormat<KeyedRecord>): void {
    if (bytes < EXTENDED_BYTES || format.lists === undefined || record.timers instanceof Map) return;
    this.#anyLong = true;
    const lists = format.lists(record);
    const lengths = lists.map((list) => list?.length ?? 0);
    const { timers: timer } = record;
    this.#long.set(record, { lists, lengths, timer, at: timer?.at, bytes, added: 0 });
  }

  /** How it was written, where what is there now is that and more. */
  extended(record: KeyedRecord, format: RecordFormat<KeyedRecord>): Written | undefined {
    const written = this.#anyLong ? this.#long.get(record) : undefined;
    if (written === undefined || record.timers !== written.timer || written.timer?.at !== written.at) return undefined;
    const lists = format.lists?.(record) ?? [];
    return lists.every((list, i) => list === written.lists[i] && (list?.length ?? 0) >= (written.lengths[i] as number))
      ? written
      : undefined;
  }
}

/** Writes what has changed in the records of one stage. */
export class RecordWriter {
  readonly #step: string;
  readonly #store: Store;
  readonly #format: RecordFormat<KeyedRecord>;
  readonly #changes: RecordChanges<KeyedRecord>;
  readonly #written: WrittenRecords;
  /** At the instant of the checkpoint. */
  readonly #watermark: Timestamp;
  readonly #now: number;
  readonly #sink: SnapshotSink;
  readonly #out = new ByteWriter(CHUNK_BYTES + 4096);
  /** The window that was written last, and its bytes: records of one window come in a row. */
  #window: Window | undefined;
  #windowBytes: Uint8Array = new Uint8Array(0);

  constructor({ stage, written, inputWatermark, host }: StageState, store: Store, sink: SnapshotSink) {
    this.#step = stage.name;
    this.#written = written;
    this.#watermark = inputWatermark;
    this.#now = host.now();
    this.#store = store;
    this.#format = store.format;
    this.#sink = sink;
    this.#changes = store.freeze((record) => {
      if (store.takeUnwritten(record)) this.#put(record);
    });
  }

  /** Writes all of it, with a pause after every few records. */
  *write(): Generator<void> {
    const { changed, gone } = this.#changes;
    let count = 0;
    for (const record of changed) {
      if (this.#store.takeUnwritten(record)) this.#put(record);
      if (++count % RECORDS_AT_ONCE === 0) yield;
    }
    this.#store.thaw();
    this.#flush("records");
    // Read before the others of this checkpoint: what came after it went is among the changed ones.
    for (const { window, key, whole } of gone) {
      this.#remove(window, key, whole);
      if (++count % RECORDS_AT_ONCE === 0) yield;
    }
    this.#flush("gone");
  }

  #put(record: KeyedRecord): void {
    const out = this.#out;
    const before = out.length;
    try {
      if (!this.#extend(record)) {
        out.byte(CHANGE.put);
        bytesCoder.encode(this.#bytesOf(record.window), out);
        this.#key(record.key);
        this.#times(record);
        const body = out.startLength();
        writeTimers(record, out);
        this.#format.write(record, out);
        out.endLength(body);
        const bytes = out.length - before;
        this.#written.count(bytes);
        this.#written.keep(record, bytes, this.#format);
      }
    } catch (error) {
      out.truncate(before);
      throw isTidemarkError(error) ? error.withContext({ step: this.#step }) : error;
    }
    if (out.length >= CHUNK_BYTES) this.#flush("records");
  }

  /**
   * A timer that moves to later keeps its time in the rows as long as that is to come: an index is dear to change. When it comes
   * the record is read, and written again with the time that it has then.
   */
  #times(record: KeyedRecord): void {
    const { timers } = record;
    if (timers === undefined) return this.#out.byte(0);
    const exact = exactTimes(record);
    if (timers instanceof Map || exact.hold !== Infinity) return writeTimes(exact, false, this.#out);
    const { at, indexedAt, domain } = timers;
    const isSame = indexedAt <= at && indexedAt >= (domain === "event" ? this.#watermark : this.#now);
    if (!isSame) timers.indexedAt = at;
    writeTimes(isSame ? { ...exact, [domain]: indexedAt } : exact, isSame, this.#out);
  }

  /** Writes what has been added to a long record, where that is all that has happened to it: see R2. */
  #extend(record: KeyedRecord): boolean {
    const long = this.#written.extended(record, this.#format);
    if (long === undefined) return false;
    const out = this.#out;
    const before = out.length;
    out.byte(CHANGE.extend);
    bytesCoder.encode(this.#bytesOf(record.window), out);
    this.#key(record.key);
    const body = out.startLength();
    this.#format.writeAdded?.(record, long.lengths, out);
    out.endLength(body);
    long.added += out.length - before;
    if (long.added > long.bytes) {
      out.truncate(before);
      return false;
    }
    long.lists.forEach((list, i) => (long.lengths[i] = list?.length ?? 0));
    return true;
  }

  #remove(window: Window, key: unknown, whole: boolean): void {
    this.#out.byte(whole ? CHANGE.removeWindow : CHANGE.remove);
    bytesCoder.encode(this.#bytesOf(window), this.#out);
    if (!whole) this.#key(key);
    if (this.#out.length >= CHUNK_BYTES) this.#flush("gone");
  }

  #key(key: unknown): void {
    const start = this.#out.startLength();
    this.#format.keys.coder.encode(key, this.#out);
    this.#out.endLength(start);
  }

  #bytesOf(window: Window): Uint8Array {
    if (window !== this.#window) {
      this.#window = window;
      this.#windowBytes = encodeToBytes(this.#format.windows, window);
    }
    return this.#windowBytes;
  }

  #flush(kind: "records" | "gone"): void {
    if (this.#out.length === 0) return;
    this.#sink.put({ kind, step: this.#step, body: this.#out.finish() });
    this.#out.reset();
  }
}

/** The times that the rows have of a record that has not changed since it was written. */
export function timesInRows(record: KeyedRecord): EntryTimes {
  const { timers } = record;
  const exact = exactTimes(record);
  if (timers === undefined || timers instanceof Map || Number.isNaN(timers.indexedAt)) return exact;
  return { ...exact, [timers.domain]: timers.indexedAt };
}

export function exactTimes(record: KeyedRecord): EntryTimes {
  if (record.timers === undefined) return NO_TIMES;
  let [event, processing, hold] = [Infinity, Infinity, Infinity];
  for (const { domain, at, holdAt } of timersOf(record)) {
    if (domain === "event") event = Math.min(event, at);
    else processing = Math.min(processing, at);
    if (holdAt <= MAX_TIMESTAMP && (domain === "processing" || holdAt !== at)) hold = Math.min(hold, holdAt);
  }
  return { event, processing, hold };
}

function writeTimers(record: KeyedRecord, out: ByteWriter): void {
  const { timers } = record;
  if (timers === undefined) return out.varint(0);
  const all = timersOf(record);
  out.varint(all.length);
  for (const { family, tag, domain, at, holdAt, seq } of all) {
    valueCoder.encode(family, out);
    valueCoder.encode(tag, out);
    out.byte(domain === "event" ? 0 : 1);
    out.float64(at);
    out.float64(holdAt);
    out.varint(seq);
  }
}

/** A record that was written, and the timers that it had. */
export interface ReadRecord {
  readonly record: KeyedRecord;
  readonly timers: readonly SavedTimer[];
  readonly times: EntryTimes;
}

export function readRecord(
  { bodies: [body, ...added], times }: Pick<Entry, "bodies" | "times">,
  key: unknown,
  mapKey: MapKey,
  window: Window,
  format: RecordFormat<KeyedRecord>,
): ReadRecord {
  const input = new ByteReader(body as Uint8Array);
  const timers = readTimers(input);
  const more = added.map((each) => new ByteReader(each));
  const record = format.read(input, key, mapKey, window, more);
  return { record, timers, times };
}

/** Files a record, and sets its timers. @param interval that in which it was written, or a later one */
export function file({ record, timers, times }: ReadRecord, store: Store, of: StageTimers, interval: number): void {
  store.restore(record, interval);
  for (const timer of timers) of.restoreTimer(record, timer);
  if (record.timers !== undefined && !(record.timers instanceof Map))
    record.timers.indexedAt = times[record.timers.domain];
}

export function readTimers(input: ByteReader): SavedTimer[] {
  const timers: SavedTimer[] = [];
  for (let left = input.length(); left > 0; left--) {
    const family = valueCoder.decode(input) as string;
    const tag = valueCoder.decode(input) as string;
    const domain = input.byte() === 0 ? "event" : "processing";
    timers.push({ family, tag, domain, at: input.float64(), holdAt: input.float64(), seq: input.varint() });
  }
  return timers;
}
