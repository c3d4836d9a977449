/** Newline-delimited JSON: one value on each line. */
import { TidemarkError } from "../../base/errors.ts";
import type { Sink } from "../../fn/sink.ts";
import type { Batch, Source, TimestampPolicy } from "../../fn/source.ts";
import { type PCollection, type Pipeline, stepTransform, type Transform } from "../../pipeline/index.ts";
import type { FileRange } from "../text/byte-chunks.ts";
import type { LineChunks } from "../text/line-chunks.ts";
import { lineSink } from "../text/line-sink.ts";
import { type LineKind, type LineOptions, lineSource } from "../text/line-source.ts";

/** How files of JSON lines are read; all members optional. */
export interface NdjsonSourceOptions<T> extends LineOptions {
  /** Makes an element of a line; what it throws makes the line an invalid one. Default: `JSON.parse`. */
  readonly parse?: (line: string) => T;
  /** An invalid line: the error NDJSON_INVALID (`fail`, the default), or passed over and counted (`skip`). */
  readonly onInvalid?: "fail" | "skip";
  /** Told once, when all files have been read, how many lines were passed over. Default: `process.emitWarning`. */
  readonly onWarning?: (message: string) => void;
}

/** How `ndjson.read` reads; all members optional. */
export interface NdjsonReadOptions<T> extends NdjsonSourceOptions<T> {
  /** Event time of a value. Default: the earliest there is, for all. */
  readonly timestamps?: TimestampPolicy<T>;
}

/**
 * The JSON values on the lines of files, as a bounded collection. Blank lines are no values and are passed over. `T` is believed,
 * not checked: give `parse` where the data are not your own. Cost as `text.read`.
 * @param patterns a path or glob pattern, or several
 * @throws TRANSFORM_INVALID; when the job runs, NDJSON_INVALID, and what `text.read` throws
 *
 * @example
 * ```ts
 * interface Tweet {
 *   readonly text: string;
 *   readonly eventTimeMs: number;
 * }
 * await writeFile("tweets.ndjson", '{ "text": "hello", "eventTimeMs": 1000 }\n');
 * p.apply(ndjson.read<Tweet>("*.ndjson", { timestamps: eventTime((tweet) => tweet.eventTimeMs) }))
 *   .map((tweet, { timestamp }) => [tweet.text, timestamp]); // -> ["hello", 1000]
 * ```
 */
export function read<T = unknown>(
  patterns: string | readonly string[],
  options: NdjsonReadOptions<T> = {},
): Transform<Pipeline, PCollection<T>> {
  const source = ndjsonSource(patterns, options);
  const readOptions = options.timestamps && { timestamps: options.timestamps };
  return stepTransform((p: Pipeline, name?: string) =>
    name === undefined ? p.read(source, readOptions) : p.read(name, source, readOptions),
  );
}

/**
 * Writes each element as a line of JSON into one file, which appears under its name, whole, when the job has ended well. What
 * JSON itself cannot tell apart is lost as in `JSON.stringify`: NaN becomes null, a Date its ISO text, a Map `{}`.
 * @throws TRANSFORM_INVALID; when the job runs, NDJSON_NOT_JSON, FILE_IS_DIRECTORY, FILE_UNWRITABLE
 *
 * @example
 * ```ts
 * await runTest((p) => p.create([{ n: 1 }, { n: 2 }]).apply(ndjson.write("out.ndjson")));
 * await readFile("out.ndjson", "utf8"); // -> '{"n":1}\n{"n":2}\n'
 * ```
 */
export function write(path: string): Transform<PCollection<unknown>, void> {
  const sink = ndjsonSink(path);
  return stepTransform((values: PCollection<unknown>, name?: string) =>
    name === undefined ? values.write(sink) : values.write(name, sink),
  );
}

/**
 * The source behind `ndjson.read`: splits are byte ranges, positions byte offsets.
 * @throws as `ndjson.read`
 *
 * @example
 * ```ts
 * await writeFile("a.ndjson", '{ "n": 1 }\noops\n');
 * const skipped: string[] = [];
 * p.read(ndjson.ndjsonSource("a.ndjson", { onInvalid: "skip", onWarning: (message) => skipped.push(message) })); // -> { n: 1 }
 * ```
 */
export function ndjsonSource<T = unknown>(
  patterns: string | readonly string[],
  options: NdjsonSourceOptions<T> = {},
): Source<T, FileRange, number> {
  return lineSource(patterns, options, new JsonLines(String(patterns), options));
}

/**
 * The sink behind `ndjson.write`.
 * @throws as `ndjson.write`
 *
 * @example
 * ```ts
 * await runTest((p) => p.create([[1, null]]).write("Rows", ndjson.ndjsonSink("out.ndjson")));
 * await readFile("out.ndjson", "utf8"); // -> "[1,null]\n"
 * ```
 */
export function ndjsonSink(path: string): Sink<unknown> {
  return lineSink("ndjson", path, {}, asJson);
}

/** Parses lines, and counts over all readers of a source those that it passed over. */
class JsonLines<T> implements LineKind<T> {
  readonly kind = "ndjson";
  readonly #patterns: string;
  readonly #parse: (line: string) => T;
  readonly #skips: boolean;
  readonly #warn: (message: string) => void;
  #openReaders = 0;
  #skipped = 0;
  #firstSkipped = "";

  constructor(patterns: string, options: NdjsonSourceOptions<T>) {
    this.#patterns = patterns;
    this.#parse = options.parse ?? (JSON.parse as (line: string) => T);
    this.#skips = options.onInvalid === "skip";
    this.#warn = options.onWarning ?? ((message) => process.emitWarning(message, { code: "NDJSON_SKIPPED" }));
  }

  readonly deliver = (chunk: LineChunks, from: number, to: number, into: Batch<T>): void => {
    const parse = this.#parse;
    const { lines } = chunk;
    for (let i = from; i < to; i++) {
      const line = lines[i] as string;
      let value: T;
      try {
        value = parse(line);
      } catch (error) {
        this.#invalid(chunk, i, line, error);
        continue;
      }
      into.add(value);
    }
  };

  onOpen(): void {
    this.#openReaders++;
  }

  onClose(): void {
    if (--this.#openReaders > 0 || this.#skipped === 0) return;
    this.#warn(
      `ndjson.read(${this.#patterns}) skipped invalid lines: ${this.#skipped}, the first of them ${this.#firstSkipped}`,
    );
    this.#skipped = 0;
  }

  #invalid(chunk: LineChunks, index: number, line: string, error: unknown): void {
    // Not looked at before parsing: few lines are blank, and no blank line is JSON.
    if (line.trim() === "") return;
    const place = `at byte ${chunk.offsetOf(index)} of ${chunk.file}`;
    if (!this.#skips) throw invalidLine(place, line, error);
    if (this.#skipped++ === 0) this.#firstSkipped = place;
  }
}

function invalidLine(place: string, line: string, error: unknown): TidemarkError {
  return new TidemarkError("NDJSON_INVALID", {
    what: `the line ${place} is not valid: ${error instanceof Error ? error.message : String(error)}`,
    why: "every line of newline-delimited JSON is one whole JSON value",
    fix: 'mend the file, or pass { onInvalid: "skip" } to pass over such lines and have them counted',
    element: shorten(line),
    cause: error,
  });
}

function asJson(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw notJson(error instanceof Error ? (error.message.split("\n")[0] as string) : String(error), error);
  }
  if (json === undefined) throw notJson(`a value of type ${typeof value} has no JSON`, undefined);
  return json;
}

function notJson(why: string, cause: unknown): TidemarkError {
  return new TidemarkError("NDJSON_NOT_JSON", {
    what: "ndjson.write got a value that cannot be written as JSON",
    why,
    fix: "map elements to plain objects, arrays, strings, numbers, booleans or null before it",
    cause,
  });
}

const PREVIEW_CHARACTERS = 120;

function shorten(line: string): string {
  return line.length > PREVIEW_CHARACTERS ? `${line.slice(0, PREVIEW_CHARACTERS)}…` : line;
}
