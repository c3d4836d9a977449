/**
 * The chunks of a byte range as lines of text.
 * Path: line-source -> HERE -> byte-chunks.
 *
 * C1 `offsetOf` counts bytes of the file: line ends, a byte order mark and damaged bytes included.
 * C2 A line ends with LF or CRLF; the last one may have no end. A CR elsewhere is part of its line.
 */
import { oneBuffer } from "./buffers.ts";
import { ByteChunks, type FileRange, type LineFormat, lineStarts } from "./byte-chunks.ts";

/** One buffer for all readers: its content has become a string before another reader can run. */
const shared = oneBuffer();

/** How the bytes of a line follow from its text: one each, by UTF-8's rule, or noted because bytes were replaced. */
type Measure = "one" | "utf8" | readonly number[];

export class LineChunks {
  /** The lines of the chunk, without their ends. Strings may share memory with their chunk. */
  lines: readonly string[] = [];
  readonly #chunks: ByteChunks;
  /** The lines with their CRs, for counting bytes. */
  #raw: readonly string[] = [];
  #measure: Measure = "one";
  /** `offsetOf(#countedIndex)` is `#countedOffset`: counting goes on from there. */
  #countedIndex = 0;
  #countedOffset = 0;

  /** @param position where a line begins, from an earlier `offsetOf`; undefined for the beginning of the range */
  constructor(range: FileRange, position: number | undefined, format: LineFormat) {
    this.#chunks = new ByteChunks(range, position, format, shared);
  }

  get file(): string {
    return this.#chunks.file;
  }

  /** Whether no chunk follows the present one. Never true before it is known. */
  get over(): boolean {
    return this.#chunks.over;
  }

  /**
   * Reads the next chunk into `lines`. @returns false when the range is over
   * @throws FILE_NOT_FOUND, FILE_UNREADABLE, FILE_CHANGED, TEXT_NOT_UTF8, TEXT_LINE_TOO_LONG
   */
  next(): boolean {
    const chunks = this.#chunks;
    const found = chunks.advance();
    if (found) {
      const { buffer, from, to, content } = chunks;
      const text = chunks.decode(from, to);
      this.#raw = text.split("\n");
      this.#measure = content === "damaged" ? lineStarts(buffer.subarray(from, to)) : content;
      this.lines = text.includes("\r") ? withoutReturns(this.#raw, chunks.ended) : this.#raw;
    } else {
      this.#raw = [];
      this.lines = [];
    }
    this.#countedIndex = 0;
    this.#countedOffset = chunks.start;
    return found;
  }

  /** The byte offset of line `index` of the chunk; of what follows the chunk for `lines.length`. Cost: the lines since the last call. */
  offsetOf(index: number): number {
    if (index === this.#raw.length) return this.#chunks.next;
    const measure = this.#measure;
    if (typeof measure === "object") return this.#chunks.start + (measure[index] as number);
    if (index < this.#countedIndex) {
      this.#countedIndex = 0;
      this.#countedOffset = this.#chunks.start;
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
    this.#chunks.close();
  }
}

/** @param ended whether the last line has a line feed, so that a CR before it belongs to the line's end */
function withoutReturns(raw: readonly string[], ended: boolean): readonly string[] {
  const last = ended ? raw.length : raw.length - 1;
  return raw.map((line, i) => (i < last && line.endsWith("\r") ? line.slice(0, -1) : line));
}
