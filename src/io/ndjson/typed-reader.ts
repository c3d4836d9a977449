/**
 * Reads the lines of a byte range as records of declared fields: bytes to elements, without lines as strings between.
 * Path: ndjson.ts -> HERE -> record-reader, byte-chunks.
 *
 * T1 A position is the byte offset of the next line, as `line-source` S1; a file is open as in its S3.
 * T2 What is wrong with a line is found out by parsing it again, slowly: the same words as without declared fields.
 */
import { assert } from "../../base/assert.ts";
import { isTidemarkError } from "../../base/errors.ts";
import type { Batch, PollResult, SourceReader } from "../../fn/source.ts";
import { type Buffers, bufferPool, NOTHING } from "../text/buffers.ts";
import { ByteChunks, type FileRange, type LineFormat } from "../text/byte-chunks.ts";
import { type ObjectShape, problemIn } from "./fields.ts";
import { type InvalidLines, RecordRefused } from "./invalid-lines.ts";
import { RecordReader } from "./record-reader.ts";

const LF = 0x0a;
const OPEN_OBJECT = 0x7b;

const buffers: Buffers = bufferPool();

/** What is read, and how it is checked. */
export interface TypedRecords<T> {
  readonly shape: ObjectShape;
  /**
   * Makes the element of a record, or throws: then, or where the record is not as declared, it is asked once more with the whole
   * value of the line, which decides. Undefined where a record of the declared fields is the element.
   */
  readonly finish: ((record: unknown) => T) | undefined;
}

export class TypedReader<T> implements SourceReader<T, number> {
  readonly #chunks: ByteChunks;
  readonly #shape: ObjectShape;
  readonly #finish: ((record: unknown) => T) | undefined;
  readonly #invalid: InvalidLines;
  readonly #records: RecordReader;
  /** The next line of the chunk, in its buffer; behind `#to` there is none. */
  #at = 1;
  #to = 0;
  #closed = false;

  constructor(
    split: FileRange,
    position: number | undefined,
    format: LineFormat,
    records: TypedRecords<T>,
    invalid: InvalidLines,
  ) {
    this.#chunks = new ByteChunks(split, position, format, buffers);
    this.#shape = records.shape;
    this.#finish = records.finish;
    this.#invalid = invalid;
    this.#records = new RecordReader(records.shape);
    invalid.readerOpened();
  }

  /** Hands out what is left of a chunk, or reads one: never more than that at once. */
  poll(max: number, into: Batch<T>): PollResult {
    const chunks = this.#chunks;
    if (this.#at > this.#to) {
      if (!chunks.advance()) return "end";
      this.#at = chunks.from;
      this.#to = chunks.to;
      this.#records.scanner.load(chunks.buffer, chunks.to, chunks.content);
    }
    for (let left = max; left > 0 && this.#at <= this.#to; left--) this.#readLine(into);
    if (this.#at <= this.#to) return "more";
    chunks.release();
    this.#records.scanner.load(NOTHING, 0, "one");
    return chunks.over ? "end" : "more";
  }

  #readLine(into: Batch<T>): void {
    const { scanner } = this.#records;
    const { bytes } = scanner;
    const start = this.#at;
    let at = start;
    if (bytes[at] !== OPEN_OBJECT) {
      at = scanner.space(at);
      if (bytes[at] === LF) {
        this.#at = at + 1;
        return;
      }
    }
    if (bytes[at] !== OPEN_OBJECT) return this.#readSlowly(start, into);
    const record = this.#records.read(at);
    if (record === undefined) return this.#readSlowly(start, into);
    at = scanner.at;
    if (bytes[at] !== LF) {
      at = scanner.space(at);
      if (bytes[at] !== LF) return this.#readSlowly(start, into);
    }
    let element: T;
    if (this.#finish === undefined) element = record as T;
    else {
      try {
        element = this.#finish(record);
      } catch {
        return this.#readSlowly(start, into);
      }
    }
    this.#at = at + 1;
    into.add(element);
  }

  /** The line at `start` is blank, is no JSON, or is not as declared. */
  #readSlowly(start: number, into: Batch<T>): void {
    const chunks = this.#chunks;
    const end = chunks.buffer.indexOf(LF, start);
    const line = chunks.decode(start, end).replace(/\r$/, "");
    this.#at = end + 1;
    if (line.trim() === "") return;
    let element: T;
    try {
      element = this.#elementOf(JSON.parse(line));
    } catch (error) {
      if (isTidemarkError(error, "ASYNC_NOT_ALLOWED")) throw error;
      this.#invalid.add(chunks.file, chunks.start + (start - chunks.from), line, error);
      return;
    }
    into.add(element);
  }

  #elementOf(value: unknown): T {
    if (this.#finish !== undefined) return this.#finish(value);
    const problem = problemIn(this.#shape, value);
    assert(problem !== undefined, "J1 a line was refused that JSON.parse accepts, of the declared fields");
    throw new RecordRefused(problem);
  }

  /** A file has always something, or has ended. */
  ready(): Promise<void> {
    return Promise.resolve();
  }

  position(): number {
    const chunks = this.#chunks;
    return this.#at > this.#to ? chunks.next : chunks.start + (this.#at - chunks.from);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunks.close();
    this.#invalid.readerClosed();
  }
}
