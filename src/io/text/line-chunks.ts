/**
 * A byte range of a text file as chunks of whole lines. Synchronous: the hot path of every job that reads files.
 * Path: line-source -> HERE -> node:fs.
 *
 * L1 A line belongs to the range in which it begins, so the ranges of a file give each of its lines exactly once.
 * L2 A chunk is whole lines: the next one is read from where the last line ended, so nothing is carried over and no
 *    character is ever cut. A few bytes are read twice, from the system's cache.
 * L3 `offsetOf` counts bytes of the file: line ends, a byte order mark and damaged bytes included.
 * L4 A line ends with LF or CRLF; the last one may have no end. A CR elsewhere is part of its line.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { closeSync, fstatSync, openSync } from "node:fs";
import { TidemarkError } from "../../base/errors.ts";
import { readError, readFully } from "../../platform/files.ts";

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

const LF = 10;
const MARK_BYTES = 3;
/** A chunk that finds no line end is read again this many times as large. */
const GROWTH = 4;

/** One buffer for all readers: its content has become a string before another reader can run. */
let shared: Buffer = Buffer.alloc(0);
const SHARED_MOST_BYTES = 1 << 20;

function scratch(bytes: number): Buffer {
  if (bytes <= shared.length) return shared;
  const buffer = Buffer.allocUnsafeSlow(bytes);
  if (bytes <= SHARED_MOST_BYTES) shared = buffer;
  return buffer;
}

/** How the bytes of a line follow from its text: one each, by UTF-8's rule, or noted because bytes were replaced. */
type Measure = "one" | "utf8" | readonly number[];

export class LineChunks {
  /** The lines of the chunk, without their ends. Strings may share memory with their chunk. */
  lines: readonly string[] = [];
  readonly file: string;
  readonly #format: LineFormat;
  readonly #start: number;
  readonly #end: number;
  /** Where the next chunk begins; undefined until the first line of the range has been looked for. */
  #next: number | undefined;
  #fd: number | undefined;
  /** The lines with their CRs, for counting bytes. */
  #raw: readonly string[] = [];
  #measure: Measure = "one";
  /** `offsetOf(#countedIndex)` is `#countedOffset`: counting goes on from there. */
  #countedIndex = 0;
  #countedOffset: number;
  #chunkStart: number;

  /** @param position where a line begins, from an earlier `offsetOf`; undefined for the beginning of the range */
  constructor(range: FileRange, position: number | undefined, format: LineFormat) {
    this.file = range.file;
    this.#format = format;
    this.#start = range.start;
    this.#end = range.end;
    this.#next = position ?? (range.start === 0 ? 0 : undefined);
    this.#chunkStart = this.#next ?? range.start;
    this.#countedOffset = this.#chunkStart;
  }

  /** Whether no chunk follows the present one. Never true before it is known. */
  get over(): boolean {
    return this.#next !== undefined && this.#next >= this.#end;
  }

  /**
   * Reads the next chunk into `lines`. @returns false when the range is over
   * @throws FILE_NOT_FOUND, FILE_UNREADABLE, FILE_CHANGED, TEXT_NOT_UTF8, TEXT_LINE_TOO_LONG
   */
  next(): boolean {
    let at = this.#findFirst();
    while (at < this.#end) {
      at = this.#read(at);
      this.#next = at;
      if (at >= this.#end) this.close();
      // A file of nothing but a byte order mark has no line.
      if (this.lines.length > 0) return true;
    }
    this.#clear();
    this.close();
    return false;
  }

  /** The byte offset of line `index` of the chunk; of what follows the chunk for `lines.length`. Cost: the lines since the last call. */
  offsetOf(index: number): number {
    if (this.#next === undefined) return this.#findFirst();
    if (index === this.#raw.length) return this.#next;
    const measure = this.#measure;
    if (typeof measure === "object") return this.#chunkStart + (measure[index] as number);
    if (index < this.#countedIndex) {
      this.#countedIndex = 0;
      this.#countedOffset = this.#chunkStart;
    }
    let offset = this.#countedOffset;
    for (let i = this.#countedIndex; i < index; i++) {
      const line = this.#raw[i] as string;
      offset += (measure === "one" ? line.length : Buffer.byteLength(line)) + 1;
    }
    this.#countedIndex = index;
    this.#countedOffset = offset;
    return offset;
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Where the first line that begins in the range begins: after the first line feed at or after `start - 1`. */
  #findFirst(): number {
    if (this.#next !== undefined) return this.#next;
    const { chunkBytes } = this.#format;
    const buffer = scratch(chunkBytes);
    let first = this.#end;
    for (let at = this.#start - 1; at < this.#end; at += chunkBytes) {
      const length = this.#fill(buffer, chunkBytes, at);
      const feed = buffer.subarray(0, length).indexOf(LF);
      if (feed >= 0) {
        first = at + feed + 1;
        break;
      }
      if (length < chunkBytes && at + length < this.#end) throw this.#shrunk();
    }
    this.#next = first;
    this.#chunkStart = first;
    this.#countedOffset = first;
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
    const { maxLineBytes } = this.#format;
    let wanted = this.#format.chunkBytes;
    for (;;) {
      const buffer = scratch(wanted);
      const length = this.#fill(buffer, wanted, at);
      const stop = this.#wholeLines(buffer.subarray(0, length), at, length < wanted);
      if (stop > 0) {
        this.#decode(buffer, stop, at);
        return at + stop;
      }
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

  #decode(buffer: Buffer, stop: number, at: number): void {
    const { encoding, maxLineBytes } = this.#format;
    const from = at === 0 && encoding === "utf8" && hasMark(buffer, stop) ? MARK_BYTES : 0;
    const ended = buffer[stop - 1] === LF;
    const bytes = buffer.subarray(from, ended ? stop - 1 : stop);
    const start = at + from;
    if (bytes.length > maxLineBytes) this.#checkLengths(bytes, start);
    this.#chunkStart = start;
    this.#countedIndex = 0;
    this.#countedOffset = start;
    if (bytes.length === 0 && !ended) this.#clear();
    else if (encoding === "latin1" || isAscii(bytes)) this.#setText(bytes.toString("latin1"), "one", ended);
    else if (isUtf8(bytes)) this.#setText(bytes.toString("utf8"), "utf8", ended);
    else if (this.#format.invalid === "replace") this.#setText(bytes.toString("utf8"), lineStarts(bytes), ended);
    else throw this.#notUtf8(bytes, start);
  }

  #setText(text: string, measure: Measure, ended: boolean): void {
    this.#raw = text.split("\n");
    this.#measure = measure;
    this.lines = text.includes("\r") ? withoutReturns(this.#raw, ended) : this.#raw;
  }

  #clear(): void {
    this.#raw = [];
    this.lines = [];
  }

  #checkLengths(bytes: Buffer, start: number): void {
    const starts = lineStarts(bytes);
    for (const [i, from] of starts.entries()) {
      const to = starts[i + 1] ?? bytes.length + 1;
      if (to - 1 - from > this.#format.maxLineBytes) throw this.#tooLong(start + from);
    }
  }

  #tooLong(offset: number): TidemarkError {
    return new TidemarkError("TEXT_LINE_TOO_LONG", {
      what: `the line at byte ${offset} of ${this.file} is longer than ${this.#format.maxLineBytes} bytes`,
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
function lineStarts(bytes: Buffer): number[] {
  const starts = [0];
  for (let feed = bytes.indexOf(LF); feed >= 0; feed = bytes.indexOf(LF, feed + 1)) starts.push(feed + 1);
  return starts;
}

/** @param ended whether the last line has a line feed, so that a CR before it belongs to the line's end */
function withoutReturns(raw: readonly string[], ended: boolean): readonly string[] {
  const last = ended ? raw.length : raw.length - 1;
  return raw.map((line, i) => (i < last && line.endsWith("\r") ? line.slice(0, -1) : line));
}
