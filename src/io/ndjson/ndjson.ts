/** Newline-delimited JSON: one value on each line. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { TidemarkError } from "../../base/errors.ts";
import { checkOptionNames, type OptionNames } from "../../base/option-names.ts";
import type { Sink } from "../../fn/sink.ts";
import type { Source, TimestampPolicy } from "../../fn/source.ts";
import { type PCollection, type Pipeline, stepTransform, type Transform } from "../../pipeline/index.ts";
import type { FileRange } from "../text/byte-chunks.ts";
import { type AppendOptions, lineSink } from "../text/line-sink.ts";
import { LINE_OPTIONS, type LineOptions, lineSource, rangeSource } from "../text/line-source.ts";
import { type Fields, type RecordOf, shapeOf } from "./fields.ts";
import { type InvalidLineOptions, InvalidLines } from "./invalid-lines.ts";
import { JsonLines } from "./json-lines.ts";
import { checkedBy, shapeOfSchema } from "./schema-fields.ts";
import { TypedReader, type TypedRecords } from "./typed-reader.ts";
import { writeWindowFiles } from "../text/window-files.ts";

export {
  type Field,
  type Fields,
  type FieldType,
  nullable,
  type NullableField,
  optional,
  type OptionalField,
  type RecordOf,
  type ScalarField,
} from "./fields.ts";

/** How files of JSON lines are read; all members optional. */
export interface NdjsonSourceOptions<T> extends LineOptions, InvalidLineOptions {
  /** Makes an element of a line; what it throws makes the line an invalid one. Default: `JSON.parse`. */
  readonly parse?: (line: string) => T;
  readonly fields?: never;
  readonly schema?: never;
}

/** How records of declared fields are read. */
export interface NdjsonFieldsOptions<F extends Fields> extends LineOptions, InvalidLineOptions {
  /** The fields that are read, with their types; others are passed over. */
  readonly fields: F;
  readonly parse?: never;
  readonly schema?: never;
}

/** How records that a schema describes are read. `Validate` says whether it checks them. */
export interface NdjsonSchemaOptions<S extends StandardSchemaV1, Validate extends boolean = true>
  extends LineOptions, InvalidLineOptions {
  /** Its JSON Schema says which fields are read, and of which types they are. */
  readonly schema: S;
  /**
   * Whether the schema then checks each record: its elements are what it gives back. Without it (`false`) elements are of the
   * schema's input type, of which only what `fields` can say is checked: no ranges, patterns or choices of values. Default true.
   */
  readonly validate?: Validate;
  readonly fields?: never;
  readonly parse?: never;
}

interface Timestamped<T> {
  /** Event time of a value. Default: the earliest there is, for all. */
  readonly timestamps?: TimestampPolicy<T>;
}

/** How `ndjson.read` reads; all members optional. */
export interface NdjsonReadOptions<T> extends NdjsonSourceOptions<T>, Timestamped<T> {}

/** The elements of a schema: what it gives back or, where it does not check them, what it takes. */
export type SchemaRecord<S extends StandardSchemaV1, Validate extends boolean> = Validate extends true
  ? StandardSchemaV1.InferOutput<S>
  : StandardSchemaV1.InferInput<S>;

type SourceOptions =
  NdjsonSourceOptions<unknown> | NdjsonFieldsOptions<Fields> | NdjsonSchemaOptions<StandardSchemaV1, boolean>;
type AnyOptions = SourceOptions & Timestamped<never>;

const SOURCE_OPTIONS: OptionNames<NdjsonSourceOptions<unknown> & NdjsonSchemaOptions<StandardSchemaV1, boolean>> = {
  ...LINE_OPTIONS,
  parse: true,
  fields: true,
  schema: true,
  validate: true,
  onInvalid: true,
  onWarning: true,
};

/**
 * The JSON values on the lines of files, as a bounded collection. Blank lines are no values and are passed over. In one of three
 * ways, which accept the same JSON and, of equal names, all take the last:
 *
 * - `fields` reads the fields that it declares and passes over the rest, which is checked to be JSON but becomes no objects and
 *   strings. Each element has all of them, in the order of the declaration; a missing `optional` one is `undefined`. Their types
 *   are checked, and nothing is converted: a record that is not as declared is the error NDJSON_RECORD_INVALID.
 * - `schema`, any Standard Schema, reads in the same way the properties of the JSON Schema that it offers, then checks each
 *   record (see `validate`). A record that does not fit the JSON Schema is parsed as a whole and left to the schema, which may
 *   convert it; so is every record where the schema offers no JSON Schema, or one that is not an object of properties: a union, or
 *   an object that refuses or keeps other properties.
 * - Otherwise lines are parsed whole. `T` is believed, not checked: give `parse` where the data are not your own.
 *
 * Cost: 64 KiB for each file being read. Declared fields take about a third of the time of `JSON.parse` for plain text, and less
 * the more is passed over; strings with escapes, "json" and a schema's check cost what they cost elsewhere. For its number, an
 * invalid line is counted from the beginning of its file, within the first GiB.
 * @param patterns a path or glob pattern, or several
 * @throws TRANSFORM_INVALID; when the job runs, NDJSON_INVALID, NDJSON_RECORD_INVALID, ASYNC_NOT_ALLOWED where the schema is
 * asynchronous, and what `text.read` throws
 *
 * @example
 * ```ts
 * await writeFile("tweets.ndjson", '{ "user": {"id": 7}, "text": "hello", "tags": ["a"], "eventTimeMs": 1000 }\n');
 * const fields = {
 *   text: "string",
 *   tags: ["string"],
 *   eventTimeMs: "integer",
 *   place: ndjson.optional({ lat: "number" }),
 * } as const;
 * type Tweet = ndjson.RecordOf<typeof fields>;
 * p.apply(ndjson.read("*.ndjson", { fields, timestamps: eventTime((tweet: Tweet) => tweet.eventTimeMs) }))
 *   .map(({ text, tags, place }, { timestamp }) => [text, tags[0], place?.lat ?? 0, timestamp]); // -> ["hello", "a", 0, 1000]
 * ```
 */
export function read<const F extends Fields>(
  patterns: string | readonly string[],
  options: NdjsonFieldsOptions<F> & Timestamped<RecordOf<F>>,
): Transform<Pipeline, PCollection<RecordOf<F>>>;
/** By a schema. */
export function read<S extends StandardSchemaV1, Validate extends boolean = true>(
  patterns: string | readonly string[],
  options: NdjsonSchemaOptions<S, Validate> & Timestamped<SchemaRecord<S, Validate>>,
): Transform<Pipeline, PCollection<SchemaRecord<S, Validate>>>;
/** As lines that are parsed whole. */
export function read<T = unknown>(
  patterns: string | readonly string[],
  options?: NdjsonReadOptions<T>,
): Transform<Pipeline, PCollection<T>>;
export function read(
  patterns: string | readonly string[],
  options: AnyOptions = {},
): Transform<Pipeline, PCollection<unknown>> {
  const { timestamps, ...ofSource } = options;
  const source = sourceOf(patterns, ofSource);
  const readOptions = timestamps && { timestamps: timestamps as TimestampPolicy<unknown> };
  return stepTransform((p: Pipeline, name?: string) =>
    name === undefined ? p.read(source, readOptions) : p.read(name, source, readOptions),
  );
}

/**
 * Writes each element as a line of JSON into one file, which appears under its name, whole, when the job has ended well. What
 * JSON itself cannot tell apart is lost as in `JSON.stringify`: NaN becomes null, a Date its ISO text, a Map `{}`. With `append` the
 * file grows under its name, line by line, as a log does.
 * @throws TRANSFORM_INVALID; when the job runs, NDJSON_NOT_JSON, FILE_IS_DIRECTORY, FILE_UNWRITABLE
 *
 * @example
 * ```ts
 * await runTest((p) => p.create([{ n: 1 }, { n: 2 }]).apply(ndjson.write("out.ndjson")));
 * await readFile("out.ndjson", "utf8"); // -> '{"n":1}\n{"n":2}\n'
 * ```
 */
export function write(path: string, options: AppendOptions = {}): Transform<PCollection<unknown>, void> {
  const sink = ndjsonSink(path, options);
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
export function ndjsonSource<const F extends Fields>(
  patterns: string | readonly string[],
  options: NdjsonFieldsOptions<F>,
): Source<RecordOf<F>, FileRange, number>;
/** By a schema. */
export function ndjsonSource<S extends StandardSchemaV1, Validate extends boolean = true>(
  patterns: string | readonly string[],
  options: NdjsonSchemaOptions<S, Validate>,
): Source<SchemaRecord<S, Validate>, FileRange, number>;
/** As lines that are parsed whole. */
export function ndjsonSource<T = unknown>(
  patterns: string | readonly string[],
  options?: NdjsonSourceOptions<T>,
): Source<T, FileRange, number>;
export function ndjsonSource(
  patterns: string | readonly string[],
  options: SourceOptions = {},
): Source<unknown, FileRange, number> {
  return sourceOf(patterns, options);
}

function sourceOf(patterns: string | readonly string[], options: SourceOptions): Source<unknown, FileRange, number> {
  checkOptionNames("ndjson.read", options, SOURCE_OPTIONS);
  const invalid = new InvalidLines(String(patterns), options);
  const records = recordsOf(options);
  if (typeof records === "function") return lineSource(patterns, options, new JsonLines(records, invalid));
  return rangeSource(
    patterns,
    options,
    "ndjson",
    (split, position, format) => new TypedReader(split, position, format, records, invalid),
  );
}

/** How the options want lines to be read: by declared fields, or as text by a function. */
function recordsOf(options: SourceOptions): TypedRecords<unknown> | ((line: string) => unknown) {
  const { parse, fields, schema } = options;
  const ways = Object.entries({ parse, fields, schema }).filter(([, way]) => way !== undefined);
  if (ways.length > 1) throw severalWays(ways.map(([name]) => name));
  if (fields !== undefined) return { shape: shapeOf(fields), finish: undefined };
  if (schema === undefined) return parse ?? (JSON.parse as (line: string) => unknown);
  const validates = options.validate ?? true;
  const shape = shapeOfSchema(schema, validates);
  const check = validates ? checkedBy(schema) : undefined;
  if (shape !== undefined) return { shape, finish: check };
  return (line) => (check === undefined ? JSON.parse(line) : check(JSON.parse(line))) as unknown;
}

function severalWays(names: readonly string[]): TidemarkError {
  return new TidemarkError("TRANSFORM_INVALID", {
    what: `ndjson.read is given ${names.join(" and ")}`,
    why: "each of them says by itself how a line becomes an element",
    fix: "give one of them",
  });
}

/**
 * Writes the elements of each window, or of each of its panes, as lines of JSON into a file of their own. Names, and when files
 * appear, as of `text.writeWindows`.
 * @throws TRANSFORM_INVALID; when the job runs, NDJSON_NOT_JSON, FILE_IS_DIRECTORY, FILE_UNWRITABLE
 *
 * @example
 * ```ts
 * await runTest((p) =>
 *   p
 *     .createTimestamped([at(0, { n: 1 })])
 *     .windowInto(fixedWindows(seconds(60)))
 *     .apply(ndjson.writeWindows("out/{end}.ndjson")),
 * );
 * await readFile("out/1970-01-01T00-01-00.000Z.ndjson", "utf8"); // -> '{"n":1}\n'
 * ```
 */
export function writeWindows(pattern: string): Transform<PCollection<unknown>, void> {
  return (values) => writeWindowFiles("ndjson", values, pattern, {}, asJson);
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
export function ndjsonSink(path: string, options: AppendOptions = {}): Sink<unknown> {
  checkOptionNames("ndjson.write", options, WRITE_OPTIONS);
  return lineSink("ndjson", path, options, asJson);
}

const WRITE_OPTIONS: OptionNames<AppendOptions> = { append: true, commit: true };

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
