/** Text files, line by line. */
import { TidemarkError } from "../../base/errors.ts";
import { checkOptionNames, type OptionNames } from "../../base/option-names.ts";
import type { Sink } from "../../fn/sink.ts";
import type { Batch, Source, TimestampPolicy } from "../../fn/source.ts";
import { type PCollection, type Pipeline, stepTransform, type Transform } from "../../pipeline/index.ts";
import type { FileRange } from "./byte-chunks.ts";
import type { LineChunks } from "./line-chunks.ts";
import { type WindowFilesOptions, writeWindowFiles } from "./window-files.ts";
import { lineSink, type LineSinkOptions } from "./line-sink.ts";
import { LINE_OPTIONS, type LineOptions, lineSource } from "./line-source.ts";

/** How text files are read; all members optional. */
export interface TextSourceOptions extends LineOptions {
  /** Leaves out lines that are empty or only white space. Default false. */
  readonly skipBlank?: boolean;
}

/** How `text.read` reads; all members optional. */
export interface TextReadOptions extends TextSourceOptions {
  /** Event time of a line. Default: the earliest there is, for all. */
  readonly timestamps?: TimestampPolicy<string>;
}

/** How `text.write` writes; all members optional. */
export type TextWriteOptions = LineSinkOptions;

/**
 * The lines of files, without their ends (LF or CRLF), as a bounded collection.
 *
 * Cost: 64 KiB of text for each file being read. A line that is kept may keep its chunk in memory.
 * @param patterns a path or glob pattern, or several: `"logs/*.txt"`, `["a.txt", "b.txt"]`
 * @throws TRANSFORM_INVALID; when the job runs, FILE_NOT_FOUND, FILE_NO_MATCH, FILE_IS_DIRECTORY, FILE_UNREADABLE, FILE_CHANGED,
 * TEXT_NOT_UTF8, TEXT_LINE_TOO_LONG
 *
 * @example
 * ```ts
 * await writeFile("a.txt", "fine\nERROR 1\n");
 * await writeFile("b.txt", "ERROR 2\n");
 * p.apply(text.read("*.txt")).filter((line) => line.includes("ERROR")); // -> "ERROR 1", "ERROR 2"
 * ```
 */
export function read(
  patterns: string | readonly string[],
  options: TextReadOptions = {},
): Transform<Pipeline, PCollection<string>> {
  const { timestamps, ...ofSource } = options;
  const source = textSource(patterns, ofSource);
  const readOptions = timestamps && { timestamps };
  return stepTransform((p: Pipeline, name?: string) =>
    name === undefined ? p.read(source, readOptions) : p.read(name, source, readOptions),
  );
}

/**
 * Writes each element as a line into one file, which appears under its name, whole, when the job has ended well. An element
 * with line ends in it becomes several lines. With `append` it grows under its name, line by line, as a log does.
 * @throws TRANSFORM_INVALID; when the job runs, FILE_IS_DIRECTORY, FILE_UNWRITABLE, TEXT_NOT_STRING
 *
 * @example
 * ```ts
 * await runTest((p) => p.create(["a", "b"]).apply(text.write("out.txt", { header: "letter" })));
 * await readFile("out.txt", "utf8"); // -> "letter\na\nb\n"
 * ```
 */
export function write(path: string, options: TextWriteOptions = {}): Transform<PCollection<string>, void> {
  const sink = textSink(path, options);
  return stepTransform((lines: PCollection<string>, name?: string) =>
    name === undefined ? lines.write(sink) : lines.write(name, sink),
  );
}

/**
 * Writes the lines of each window, or of each of its panes, into a file of their own, which appears under its name, whole, when
 * the pane has fired (with checkpoints, with the one after that). Names are made of `pattern` by `{start}` and `{end}` (in UTC, as in
 * `2026-11-24T10-00-00.000Z`), `{window}` (its id) and `{pane}` (its number from 0). Where panes accumulate a later one may replace the
 * earlier. Cost: the lines of a pane lie in memory. Their order is not determined.
 * @throws TRANSFORM_INVALID of a pattern that would lose lines; when the job runs, FILE_IS_DIRECTORY, FILE_UNWRITABLE, TEXT_NOT_STRING
 *
 * @example
 * ```ts
 * await runTest((p) =>
 *   p
 *     .createTimestamped([at(1000, "a"), at(61_000, "b")])
 *     .windowInto(fixedWindows(seconds(60)))
 *     .apply(text.writeWindows("minutes/{start}.txt")),
 * );
 * await readFile("minutes/1970-01-01T00-01-00.000Z.txt", "utf8"); // -> "b\n"
 * ```
 */
export function writeWindows(pattern: string, options: WindowFilesOptions = {}): Transform<PCollection<string>, void> {
  checkOptionNames("text.writeWindows", options, { header: true });
  return (lines) => writeWindowFiles("text", lines, pattern, options, asLine);
}

/**
 * The source behind `text.read`: splits are byte ranges, positions byte offsets.
 * @throws as `text.read`
 *
 * @example
 * ```ts
 * await writeFile("a.txt", "one\n\ntwo\n");
 * p.read("Lines", text.textSource("a.txt", { skipBlank: true })); // -> "one", "two"
 * ```
 */
export function textSource(
  patterns: string | readonly string[],
  options: TextSourceOptions = {},
): Source<string, FileRange, number> {
  checkOptionNames("text.read", options, SOURCE_OPTIONS);
  return lineSource(patterns, options, {
    kind: "text",
    deliver: options.skipBlank === true ? deliverNotBlank : deliver,
  });
}

/**
 * The sink behind `text.write`.
 * @throws as `text.write`
 *
 * @example
 * ```ts
 * await runTest((p) => p.create(["a"]).write("Letters", text.textSink("out.txt")));
 * await readFile("out.txt", "utf8"); // -> "a\n"
 * ```
 */
export function textSink(path: string, options: TextWriteOptions = {}): Sink<string> {
  checkOptionNames("text.write", options, WRITE_OPTIONS);
  return lineSink("text", path, options, asLine);
}

const SOURCE_OPTIONS: OptionNames<TextSourceOptions> = { ...LINE_OPTIONS, skipBlank: true };
const WRITE_OPTIONS: OptionNames<TextWriteOptions> = { header: true, append: true, commit: true };

function deliver(chunk: LineChunks, from: number, to: number, into: Batch<string>): void {
  const { lines } = chunk;
  for (let i = from; i < to; i++) into.add(lines[i] as string);
}

function deliverNotBlank(chunk: LineChunks, from: number, to: number, into: Batch<string>): void {
  const { lines } = chunk;
  for (let i = from; i < to; i++) {
    const line = lines[i] as string;
    if (line.trim() !== "") into.add(line);
  }
}

function asLine(element: string): string {
  // Types say so already, but an element may come from a program without types.
  if (typeof element === "string") return element;
  throw new TidemarkError("TEXT_NOT_STRING", {
    what: `text.write got a value of type ${element === null ? "null" : typeof element}`,
    why: "it writes strings as lines, and does not guess how other values should look",
    fix: "map elements to strings before it, or write them with ndjson.write",
  });
}
