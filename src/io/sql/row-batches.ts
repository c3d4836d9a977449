/**
 * What sinks of SQL databases share: which columns rows have, how rows are kept until their epoch is committed, and what is said where
 * the options make no sense.
 */
import { TidemarkError } from "../../base/errors.ts";
import { checkOptionNames, type OptionNames } from "../../base/option-names.ts";
import { decodeFromBytes, encodeToBytes } from "../../coders/coder.ts";
import { valueCoder } from "../../coders/value.ts";

/** A value that a column can take. Bytes are a BLOB or `bytea`. */
export type SqlValue = string | number | bigint | boolean | null | Uint8Array;

/** How elements become rows of a table. */
export interface SqlTableOptions<T> {
  /** The table, which has to be there. */
  readonly table: string;
  /** The columns that are written. */
  readonly columns: readonly string[];
  /** An element's values, in the order of `columns`. */
  readonly row: (element: T) => readonly SqlValue[];
  /**
   * Columns that tell rows apart, by a unique index or a primary key. With them a row that is there is updated: the same row written
   * twice is there once (idempotent), whatever else writes to the table.
   */
  readonly key?: readonly string[];
  /**
   * `checkpoint`, the default: with checkpoints, rows are committed with the checkpoint after them, each exactly once: the epoch is
   * noted in the same transaction, in the table `tidemark_epochs`, which is made where it is not there. `eager`: at once, at least
   * once; with `key` that is once.
   */
  readonly commit?: "checkpoint" | "eager";
}

export const SQL_OPTIONS: OptionNames<SqlTableOptions<unknown>> = {
  table: true,
  columns: true,
  row: true,
  key: true,
  commit: true,
};

/** @throws OPTION_UNKNOWN, TRANSFORM_INVALID */
export function checkSqlOptions<O extends SqlTableOptions<never>>(
  kind: string,
  options: O,
  names: OptionNames<O>,
): void {
  checkOptionNames(`${kind}.write`, options, names);
  const { table, columns, row, key = [], commit = "checkpoint" } = options;
  const isName = (name: unknown): boolean => typeof name === "string" && name !== "" && !name.includes("\0");
  const problem = !isName(table)
    ? `table is ${JSON.stringify(table)}: it is the name of a table`
    : !Array.isArray(columns) || columns.length === 0 || !columns.every(isName)
      ? `columns is ${JSON.stringify(columns)}: it lists names of columns`
      : typeof row !== "function"
        ? "row is no function: it gives an element's values, one for each column"
        : !key.every((name) => columns.includes(name))
          ? `key is ${JSON.stringify(key)}: it lists some of columns`
          : commit !== "checkpoint" && commit !== "eager"
            ? `commit is ${JSON.stringify(commit)}: it is "checkpoint" or "eager"`
            : undefined;
  if (problem === undefined) return;
  throw new TidemarkError("TRANSFORM_INVALID", {
    what: `of the options of ${kind}.write ${problem}`,
    fix: `write ${kind}.write({ …, table: "counts", columns: ["word", "n"], row: ([word, n]) => [word, n] })`,
  });
}

/** The statement that writes some rows. @param quote of names @param place of the n-th value, from 1 */
export function insertStatement(
  { table, columns, key = [] }: SqlTableOptions<never>,
  quote: (name: string) => string,
  place: (n: number) => string,
  rows = 1,
): string {
  const names = columns.map(quote).join(", ");
  const into = table.split(".").map(quote).join(".");
  const values = (row: number): string => columns.map((_, i) => place(row * columns.length + i + 1)).join(", ");
  const all = Array.from({ length: rows }, (_, row) => `(${values(row)})`);
  const insert = `INSERT INTO ${into} (${names}) VALUES ${all.join(", ")}`;
  if (key.length === 0) return insert;
  const rest = columns.filter((name) => !key.includes(name));
  const update = rest.map((name) => `${quote(name)} = excluded.${quote(name)}`).join(", ");
  return `${insert} ON CONFLICT (${key.map(quote).join(", ")}) DO ${rest.length === 0 ? "NOTHING" : `UPDATE SET ${update}`}`;
}

/** Of rows with the same key the last one, as one statement may not write the same row twice; all, where there is no key. */
export function lastOfEachKey(
  rows: readonly (readonly SqlValue[])[],
  { columns, key = [] }: SqlTableOptions<never>,
): readonly (readonly SqlValue[])[] {
  if (key.length === 0) return rows;
  const places = key.map((name) => columns.indexOf(name));
  const ofKey = (row: readonly SqlValue[]): string =>
    encodeToBytes(
      valueCoder,
      places.map((i) => row[i]),
    ).toString();
  return [...new Map(rows.map((row) => [ofKey(row), row])).values()];
}

/** The database refused what was written, and would again. */
export function sqlFailed(name: string, cause: unknown): TidemarkError {
  return new TidemarkError("SQL_FAILED", {
    what: `${name} could not be written to: ${messageOf(cause)}`,
    why: "the database refused it; nothing of this epoch is in the table",
    fix: "check that the table is there with these columns, that values fit them, and that this user may write to it",
    domain: "external",
    cause,
  });
}

/** The database could not be reached, or had no time: it may later. */
export function sqlUnavailable(name: string, cause: unknown): TidemarkError {
  return new TidemarkError("SQL_UNAVAILABLE", {
    what: `${name} cannot be reached: ${messageOf(cause)}`,
    why: "without the database nothing can be written; a job with checkpoints tries again for a minute",
    fix: "start the database, check the connection, and start the job again: it goes on from its last checkpoint",
    domain: "external",
    cause,
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

/** Names with whatever characters, as SQL has them. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A row of an element. @throws SQL_ROW_INVALID */
export function rowOf<T>(kind: string, { columns, row, table }: SqlTableOptions<T>, element: T): readonly SqlValue[] {
  const values = row(element);
  if (Array.isArray(values) && values.length === columns.length && values.every(isSqlValue)) return values;
  throw new TidemarkError("SQL_ROW_INVALID", {
    what: `row() of ${kind}.write to ${table} gave ${Array.isArray(values) ? `${values.length} values` : typeof values}`,
    why: `a row has ${columns.length} of them (${columns.join(", ")}): strings, numbers, bigints, booleans, bytes or null`,
    fix: "return a list with a value for each column; turn dates and objects into text",
  });
}

function isSqlValue(value: unknown): boolean {
  return (
    value === null || ["string", "number", "bigint", "boolean"].includes(typeof value) || value instanceof Uint8Array
  );
}

/** Rows as they lie in a checkpoint. */
export function encodeRows(rows: readonly (readonly SqlValue[])[]): Uint8Array[] {
  return rows.length === 0 ? [] : [encodeToBytes(valueCoder, rows)];
}

export function decodeRows(chunks: readonly Uint8Array[]): (readonly SqlValue[])[] {
  return chunks.flatMap((chunk) => decodeFromBytes(valueCoder, chunk) as (readonly SqlValue[])[]);
}
