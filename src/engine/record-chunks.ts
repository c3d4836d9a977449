/**
 * The keyed records of a stage in checkpoints: what has changed as chunks of bytes, and back.
 *
 * R1 Timers of a record lie with it, so that one entry is all there is of a key and window.
 */
import { isTidemarkError } from "../base/errors.ts";
import { ByteReader } from "../coders/byte-reader.ts";
import { ByteWriter } from "../coders/byte-writer.ts";
import { encodeToBytes } from "../coders/coder.ts";
import { bytesCoder } from "../coders/primitives.ts";
import { valueCoder } from "../coders/value.ts";
import {
  type KeyedRecord,
  type RecordChanges,
  type RecordFormat,
  type RecordStore,
  timersOf,
} from "../host/records.ts";
import { CHANGE, type Entry, type SnapshotSink } from "../host/snapshot.ts";
import type { Window } from "../model/window.ts";
import type { StageTimers } from "./timers.ts";

/** A chunk is handed on when it is this long. */
const CHUNK_BYTES = 64 * 1024;
/** How many records are written without a look at the time. */
export const RECORDS_AT_ONCE = 32;

type Store = RecordStore<KeyedRecord>;

/** Writes what has changed in the records of one stage. */
export class RecordWriter {
  readonly #step: string;
  readonly #store: Store;
  readonly #format: RecordFormat<KeyedRecord>;
  readonly #changes: RecordChanges<KeyedRecord>;
  readonly #sink: SnapshotSink;
  readonly #out = new ByteWriter(CHUNK_BYTES + 4096);
  /** The window that was written last, and its bytes: records of one window come in a row. */
  #window: Window | undefined;
  #windowBytes: Uint8Array = new Uint8Array(0);

  constructor(step: string, store: Store, sink: SnapshotSink) {
    this.#step = step;
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
      out.byte(CHANGE.put);
      bytesCoder.encode(this.#bytesOf(record.window), out);
      this.#key(record.key);
      const body = out.startLength();
      writeTimers(record, out);
      this.#format.write(record, out);
      out.endLength(body);
    } catch (error) {
      out.truncate(before);
      throw isTidemarkError(error) ? error.withContext({ step: this.#step }) : error;
    }
    if (out.length >= CHUNK_BYTES) this.#flush("records");
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

/** Files the record of an entry, and sets its timers. */
export function restoreRecord(entry: Entry, store: Store, timers: StageTimers): void {
  const { format } = store;
  const window = format.windows.decode(new ByteReader(entry.window));
  const key = format.keys.coder.decode(new ByteReader(entry.key));
  const input = new ByteReader(entry.body);
  const set = readTimers(input);
  const record = format.read(input, key, format.keys.toMapKey(key), store.open(window).window);
  store.restore(record);
  for (const timer of set) timers.restoreTimer(record, timer);
}

function readTimers(input: ByteReader): Parameters<StageTimers["restoreTimer"]>[1][] {
  const timers: Parameters<StageTimers["restoreTimer"]>[1][] = [];
  for (let left = input.length(); left > 0; left--) {
    const family = valueCoder.decode(input) as string;
    const tag = valueCoder.decode(input) as string;
    const domain = input.byte() === 0 ? "event" : "processing";
    timers.push({ family, tag, domain, at: input.float64(), holdAt: input.float64(), seq: input.varint() });
  }
  return timers;
}
