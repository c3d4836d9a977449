/**
 * A byte range of a file as chunks of whole lines, as bytes. Synchronous: the hot path of every job that reads files.
 * Path: line-source, ndjson/typed-reader -> HERE -> node:fs.
 *
 * L1 A line belongs to the range in which it begins, so the ranges of a file give each of its lines exactly once.
 * L2 A chunk is whole lines: the next one is read from where the last line ended, so nothing is carried over and no
 *    character is ever cut. A few bytes are read twice, from the system's cache.
 * L3 Behind the last line of a chunk there is a line feed, the file's own or one put there: whoever goes through the bytes
 *    need not look where they end. The buffer is longer than its content by at least four bytes.
 * L4 The bytes of a chunk are text of the format: what is not was an error, or is to be replaced (`content`).
 */
import { isAscii, isUtf8 } from "node:buffer";
import { closeSync, fstatSync, openSync } from "node:fs";
import { TidemarkError } from "../../base/errors.ts";
import { readError, readFully } from "../../platform/files.ts";
import { type Buffers, NOTHING } from "./buffers.ts";

/** A part of a file, in bytes: `[start, end)`. Encodable. */
export interface FileRange {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** How bytes become lines. */
export interface LineFormat {
  readonly encoding: "utf8" | "latin1";
  /** What happens to bytes that are not UTF-8: an error, or U+FFFD in their place. */
  readonly invalid: "fail" | "replace";
  /** The longest line, without its line feed. */
  readonly maxLineBytes: number;
  readonly chunkBytes: number;
}

/** What the bytes of a chunk are: one character each, UTF-8, or damaged UTF-8. */
export type ChunkContent = "one" | "utf8" | "damaged";

const LF = 10;
const MARK_BYTES = 3;
/** What follows the content in a buffer (L3). */
const SLACK_BYTES = 8;
/** A chunk that finds no line end is read again this many times as large. */
const GROWTH = 4;

export class ByteChunks {
  readonly file: string;
  readonly format: LineFormat;
  /** Holds the present chunk at `[from, to)`; its last line feed, if it has one, is at `to`. */
  buffer: Buffer = NOTHING;
  from = 0;
  to = 0;
  /** Whether the last line has a line feed. */
  ended = false;
  content: ChunkContent = "one";
  /** The byte of the file that is at `from`. */
  start: number;
  readonly #rangeStart: number;
  readonly #end: number;
  readonly #buffers: Buffers;
  /** Where the next chunk begins; undefined until the first line of the range has been looked for. */
  #next: number | undefined;
  #fd: number | undefined;

  /** @param position where a line begins, from an earlier reading; undefined for the beginning of the range */
  constructor(range: FileRange, position: number | undefined, format: LineFormat, buffers: Buffers) {
    this.file = range.file;
    this.format = format;
    this.#rangeStart = range.start;
    this.#end = range.end;
    this.#buffers = buffers;
    this.#next = position ?? (range.start === 0 ? 0 : undefined);
    this.start = this.#next ?? range.start;
  }

  /** Whether no chunk follows the present one. Never true before it is known. */
  get over(): boolean {
    return this.#next !== undefined && this.#next >= this.#end;
  }

  /** Where the next chunk begins: before the first one, where the first line of the range begins. */
  get next(): number {
    return this.#findFirst();
  }

  /**
   * Reads the next chunk, of one line at least. @returns false when the range is over
   * @throws FILE_NOT_FOUND, FILE_UNREADABLE, FILE_CHANGED, TEXT_NOT_UTF8, TEXT_LINE_TOO_LONG
   */
  advance(): boolean {
    this.release();
    let at = this.#findFirst();
    while (at < this.#end) {
      at = this.#read(at);
      this.#next = at;
      if (at >= this.#end) this.#closeFile();
      // A file of nothing but a byte order mark has no line.
      if (this.to > this.from || this.ended) return true;
    }
    this.close();
    return false;
  }

  /** The text of the bytes `[from, to)` of the buffer. */
  decode(from: number, to: number): string {
    return this.buffer.toString(this.content === "one" ? "latin1" : "utf8", from, to);
  }

  /** Lets go of the present chunk. */
  release(): void {
    this.#buffers.give(this.buffer);
    this.buffer = NOTHING;
    this.from = 0;
    this.to = 0;
    this.ended = false;
  }

  close(): void {
    this.#closeFile();
    this.release();
  }

  #closeFile(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Where the first line that begins in the range begins: after the first line feed at or after `rangeStart - 1`. */
  #findFirst(): number {
    if (this.#next !== undefined) return this.#next;
    const { chunkBytes } = this.format;
    const buffer = this.#buffers.take(chunkBytes + SLACK_BYTES);
    let first = this.#end;
    for (let at = this.#rangeStart - 1; at < this.#end; at += chunkBytes) {
      const length = this.#fill(buffer, chunkBytes, at);
      const feed = buffer.subarray(0, length).indexOf(LF);
      if (feed >= 0) {
        first = at + feed + 1;
        break;
      }
      if (length < chunkBytes && at + length < this.#end) throw this.#shrunk();
    }
    this.#buffers.give(buffer);
    this.#next = first;
    this.start = first;
    return first;
  }

  #fill(buffer: Buffer, length: number, at: number): number {
    try {
      this.#fd ??= openSync(this.file, "r");
      return readFully(this.#fd, buffer, length, at);
    } catch (error) {
      throw readError(error, this.file);
    }
  }

  /** Reads the lines that begin at `at`. @returns where the line after them begins */
  #read(at: number): number {
    const { maxLineBytes } = this.format;
    let wanted = this.format.chunkBytes;
    for (;;) {
      const buffer = this.#buffers.take(wanted + SLACK_BYTES);
      const length = this.#fill(buffer, wanted, at);
      const stop = this.#wholeLines(buffer.subarray(0, length), at, length < wanted);
      if (stop > 0) {
        this.#take(buffer, stop, at);
        return at + stop;
      }
      this.#buffers.give(buffer);
      if (wanted > maxLineBytes) throw this.#tooLong(at);
      // One byte more than the longest line: enough to hold its line feed, or to know that it is longer.
      wanted = Math.min(wanted * GROWTH, maxLineBytes + 1);
    }
  }

  /** How many of `bytes`, read at `at`, are whole lines that begin in the range; 0 when the first line goes on beyond them. */
  #wholeLines(bytes: Buffer, at: number, endOfFile: boolean): number {
    const left = this.#end - at;
    if (bytes.length >= left) {
      const feed = bytes.indexOf(LF, left - 1);
      if (feed >= 0) return feed + 1;
      if (endOfFile) return bytes.length;
    } else if (endOfFile) throw this.#shrunk();
    return bytes.lastIndexOf(LF) + 1;
  }

  /** The first `stop` bytes of `buffer` become the present chunk. */
  #take(buffer: Buffer, stop: number, at: number): void {
    const { encoding, maxLineBytes } = this.format;
    const from = at === 0 && encoding === "utf8" && hasMark(buffer, stop) ? MARK_BYTES : 0;
    const ended = buffer[stop - 1] === LF;
    const to = ended ? stop - 1 : stop;
    const bytes = buffer.subarray(from, to);
    const start = at + from;
    if (bytes.length > maxLineBytes) this.#checkLengths(bytes, start);
    this.content = this.#contentOf(bytes, start);
    buffer[to] = LF;
    this.buffer = buffer;
    this.from = from;
    this.to = to;
    this.ended = ended;
    this.start = start;
  }

  #contentOf(bytes: Buffer, start: number): ChunkContent {
    if (this.format.encoding === "latin1" || isAscii(bytes)) return "one";
    if (isUtf8(bytes)) return "utf8";
    if (this.format.invalid === "replace") return "damaged";
    throw this.#notUtf8(bytes, start);
  }

  #checkLengths(bytes: Buffer, start: number): void {
    const starts = lineStarts(bytes);
    for (const [i, from] of starts.entries()) {
      const to = starts[i + 1] ?? bytes.length + 1;
      if (to - 1 - from > this.format.maxLineBytes) throw this.#tooLong(start + from);
    }
  }

  #tooLong(offset: number): TidemarkError {
    return new TidemarkError("TEXT_LINE_TOO_LONG", {
      what: `the line at byte ${offset} of ${this.file} is longer than ${this.format.maxLineBytes} bytes`,
      why: "a line is held in memory as a whole, so its length is bounded",
      fix: "check that the file is text with line ends, or raise maxLineBytes",
    });
  }

  #notUtf8(bytes: Buffer, start: number): TidemarkError {
    const starts = lineStarts(bytes);
    const lineAt = (i: number): Buffer => bytes.subarray(starts[i], (starts[i + 1] ?? bytes.length + 1) - 1);
    let bad = 0;
    while (isUtf8(lineAt(bad))) bad++;
    return new TidemarkError("TEXT_NOT_UTF8", {
      what: `the line at byte ${start + (starts[bad] as number)} of ${this.file} is not UTF-8`,
      why: "text is read as UTF-8 unless the source is told otherwise, and nothing is replaced unseen",
      fix: 'pass { encoding: "latin1" } for such files, or { invalid: "replace" } to put U+FFFD in place of the damage',
      element: lineAt(bad).subarray(0, 120).toString("utf8"),
    });
  }

  #shrunk(): TidemarkError {
    const { size } = fstatSync(this.#fd as number);
    return new TidemarkError("FILE_CHANGED", {
      what: `${this.file} ends at byte ${size}, but had at least ${this.#end} bytes when the job began`,
      why: "it was cut or replaced while it was being read",
      fix: "give every file its final content before a job reads it, for example by writing beside it and renaming",
      domain: "external",
    });
  }
}

function hasMark(buffer: Buffer, length: number): boolean {
  return length >= MARK_BYTES && buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf;
}

/** Where the lines of `bytes` begin. */
export function lineStarts(bytes: Buffer): number[] {
  const starts = [0];
  for (let feed = bytes.indexOf(LF); feed >= 0; feed = bytes.indexOf(LF, feed + 1)) starts.push(feed + 1);
  return starts;
}
