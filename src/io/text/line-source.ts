/**
 * Sources of files that consist of lines: what `text` and `ndjson` share.
 * Path: text, ndjson -> HERE -> line-chunks, or another reader of byte-chunks.
 *
 * S1 A position is the byte offset of the next line, so a reader opened there goes on with exactly that line.
 * S2 Where one reader is wanted a file is one split: its lines then come in order.
 * S3 A file is opened when it is first polled, and closed when its last byte has been read.
 */
import { TidemarkError } from "../../base/errors.ts";
import type { OptionNames } from "../../base/option-names.ts";
import type { Batch, PollResult, Source, SourceReader } from "../../fn/source.ts";
import { matchFiles } from "../../platform/files.ts";
import type { FileRange, LineFormat } from "./byte-chunks.ts";
import { LineChunks } from "./line-chunks.ts";

/** How files of lines are read; all members optional. */
export interface LineOptions {
  /** Default `utf8`; a byte order mark at a file's beginning is not part of its first line. */
  readonly encoding?: "utf8" | "latin1";
  /** Bytes that are not UTF-8: the error TEXT_NOT_UTF8 (`fail`, the default), or U+FFFD in their place (`replace`). */
  readonly invalid?: "fail" | "replace";
  /** How large the parts are into which a file is cut for several readers. Default 64 MiB. */
  readonly splitBytes?: number;
  /** A longer line is the error TEXT_LINE_TOO_LONG. Default 16 MiB. */
  readonly maxLineBytes?: number;
  /** How much is read at once; more where a line is longer. Default 64 KiB. */
  readonly chunkBytes?: number;
}

export const LINE_OPTIONS: OptionNames<LineOptions> = {
  encoding: true,
  invalid: true,
  splitBytes: true,
  maxLineBytes: true,
  chunkBytes: true,
};

/** Makes elements of the lines `from` to `to` (exclusive) of a chunk, and adds them. */
export type Deliver<T> = (chunk: LineChunks, from: number, to: number, into: Batch<T>) => void;

/** What a kind of lines adds to reading them. */
export interface LineKind<T> {
  /** As in `text` of `text(data/*.txt)`. */
  readonly kind: string;
  readonly deliver: Deliver<T>;
  onOpen?(): void;
  onClose?(): void;
}

const DEFAULT_SPLIT_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Strings of more than about 128 KiB are costlier for V8's collector: reading by 256 KiB takes twice the CPU (measured). */
const DEFAULT_CHUNK_BYTES = 64 * 1024;

/**
 * A bounded source of the lines of files.
 * @param patterns a path or glob pattern, or several
 * @throws TRANSFORM_INVALID when `patterns` or an option is of no use
 */
export function lineSource<T>(
  patterns: string | readonly string[],
  options: LineOptions,
  kind: LineKind<T>,
): Source<T, FileRange, number> {
  return rangeSource(patterns, options, kind.kind, (split, position, format) => {
    kind.onOpen?.();
    return new LineReader(new LineChunks(split, position, format), kind);
  });
}

/** Opens a reader of the lines that begin in `split`, from `position` on where it is given. */
export type OpenRange<T> = (
  split: FileRange,
  position: number | undefined,
  format: LineFormat,
) => SourceReader<T, number>;

/** As `lineSource`, with a reader of one's own, which keeps S1 and S3. */
export function rangeSource<T>(
  patterns: string | readonly string[],
  options: LineOptions,
  kind: string,
  open: OpenRange<T>,
): Source<T, FileRange, number> {
  const list = checkPatterns(kind, patterns);
  const splitBytes = checkSize(kind, "splitBytes", options.splitBytes, DEFAULT_SPLIT_BYTES);
  const format: LineFormat = {
    encoding: options.encoding ?? "utf8",
    invalid: options.invalid ?? "fail",
    maxLineBytes: checkSize(kind, "maxLineBytes", options.maxLineBytes, DEFAULT_MAX_LINE_BYTES),
    chunkBytes: checkSize(kind, "chunkBytes", options.chunkBytes, DEFAULT_CHUNK_BYTES),
  };
  return Object.freeze({
    name: `${kind}(${list.join(", ")})`,
    bounded: true,
    async splits(desired: number): Promise<readonly FileRange[]> {
      const files = await matchFiles(list);
      return files.flatMap(({ path, sizeBytes }) => cut(path, sizeBytes, desired > 1 ? splitBytes : Infinity));
    },
    open(split: FileRange, position: number | undefined): SourceReader<T, number> {
      return open(split, position, format);
    },
  });
}

/** An empty file is one empty range, so that a job over empty files still has something that ends. */
function cut(file: string, size: number, splitBytes: number): FileRange[] {
  const ranges: FileRange[] = [];
  let start = 0;
  do {
    const end = Math.min(size, start + splitBytes);
    ranges.push({ file, start, end });
    start = end;
  } while (start < size);
  return ranges;
}

class LineReader<T> implements SourceReader<T, number> {
  readonly #chunks: LineChunks;
  readonly #kind: LineKind<T>;
  /** The next line of the chunk. */
  #at = 0;
  #closed = false;

  constructor(chunks: LineChunks, kind: LineKind<T>) {
    this.#chunks = chunks;
    this.#kind = kind;
  }

  /** Hands out what is left of a chunk, or reads one: never more than that at once. */
  poll(max: number, into: Batch<T>): PollResult {
    const chunks = this.#chunks;
    if (this.#at >= chunks.lines.length) {
      this.#at = 0;
      if (!chunks.next()) return "end";
    }
    const to = Math.min(chunks.lines.length, this.#at + max);
    this.#kind.deliver(chunks, this.#at, to, into);
    this.#at = to;
    return to === chunks.lines.length && chunks.over ? "end" : "more";
  }

  /** A file has always something, or has ended. */
  ready(): Promise<void> {
    return Promise.resolve();
  }

  position(): number {
    return this.#chunks.offsetOf(this.#at);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunks.close();
    this.#kind.onClose?.();
  }
}

function checkPatterns(kind: string, patterns: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(patterns) ? patterns : [patterns];
  if (list.length > 0 && list.every((pattern) => typeof pattern === "string" && pattern !== ""))
    return Object.freeze([...list]) as readonly string[];
  throw new TidemarkError("TRANSFORM_INVALID", {
    what: `${kind}.read is given ${JSON.stringify(patterns) ?? String(patterns)}`,
    why: "it reads files named by a path or pattern, or by a list of them",
    fix: `write ${kind}.read("data/*.txt"), and check that the option that holds the path is set`,
  });
}

function checkSize(kind: string, name: string, given: number | undefined, usual: number): number {
  const size = given ?? usual;
  if (Number.isSafeInteger(size) && size > 0) return size;
  throw new TidemarkError("TRANSFORM_INVALID", {
    what: `${name} of ${kind}.read is ${String(size)}`,
    why: "it is a number of bytes",
    fix: `give a whole number above 0, or leave it out for ${usual}`,
  });
}
