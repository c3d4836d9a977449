/** Tables of SQLite databases, by the module that Node brings. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isTidemarkError } from "../../base/errors.ts";
import type { Epoch, Sink, SinkJob } from "../../fn/sink.ts";
import { type PCollection, stepTransform, type Transform } from "../../pipeline/index.ts";
import {
  checkSqlOptions,
  insertStatement,
  quoteName,
  rowOf,
  SQL_OPTIONS,
  sqlFailed,
  type SqlTableOptions,
  sqlUnavailable,
  type SqlValue,
} from "./row-batches.ts";
import { type Row, SqlDirectWriter, SqlEpochWriter, type SqlTable } from "./sql-writer.ts";

/** Where rows go, and how elements become rows. */
export interface SqliteWriteOptions<T> extends SqlTableOptions<T> {
  /** The database, a file. */
  readonly file: string;
}

/**
 * Writes each element as a row of a table. With checkpoints exactly once (or, as `commit` says, at once and at least once); without,
 * as elements come. Booleans are written as 0 and 1.
 * @throws TRANSFORM_INVALID, OPTION_UNKNOWN; when the job runs, SQL_FAILED, SQL_UNAVAILABLE, SQL_ROW_INVALID
 *
 * @example
 * ```ts
 * import { DatabaseSync } from "node:sqlite";
 *
 * const database = new DatabaseSync("counts.db");
 * database.exec("CREATE TABLE counts (word TEXT PRIMARY KEY, n INTEGER)");
 * const toCounts = sqlite.write<KV<string, number>>({
 *   file: "counts.db",
 *   table: "counts",
 *   columns: ["word", "n"],
 *   key: ["word"],
 *   row: ([word, n]) => [word, n],
 * });
 * await runTest((p) => p.create(["to", "be", "to"]).apply(countPerElement()).apply(toCounts));
 * database.prepare("SELECT sum(n) AS words FROM counts").get()?.["words"]; // -> 3
 * ```
 */
export function write<T>(options: SqliteWriteOptions<T>): Transform<PCollection<T>, void> {
  const sink = sqliteSink(options);
  return stepTransform((rows: PCollection<T>, name?: string) =>
    name === undefined ? rows.write(sink) : rows.write(name, sink),
  );
}

/**
 * The sink behind `sqlite.write`.
 * @throws as `sqlite.write`
 *
 * @example
 * ```ts
 * import { DatabaseSync } from "node:sqlite";
 *
 * const database = new DatabaseSync("log.db");
 * database.exec("CREATE TABLE log (line TEXT)");
 * const sink = sqlite.sqliteSink({ file: "log.db", table: "log", columns: ["line"], row: (line: string) => [line] });
 * await runTest((p) => p.create(["a", "b"]).write("Log", sink));
 * database.prepare("SELECT count(*) AS n FROM log").get()?.["n"]; // -> 2
 * ```
 */
export function sqliteSink<T>(options: SqliteWriteOptions<T>): Sink<T> {
  checkSqlOptions("sqlite", options, { ...SQL_OPTIONS, file: true });
  const { file, table, commit = "checkpoint" } = options;
  const name = `sqlite(${file}, ${table})`;
  const toRow = (value: T): Row => rowOf("sqlite", options, value);
  return Object.freeze({
    name,
    async open(job?: SinkJob) {
      const { DatabaseSync: Database } = await import("node:sqlite");
      const opened = attempt(name, () => new Database(file, { timeout: BUSY_MS }));
      try {
        const byEpochs = job !== undefined && commit === "checkpoint";
        const rows = new SqliteTable(opened, options, name, byEpochs ? job.jobId : undefined);
        return byEpochs ? new SqlEpochWriter(rows, toRow) : new SqlDirectWriter(rows, toRow);
      } catch (error) {
        opened.close();
        throw error;
      }
    },
  });
}

/** How long another writer of the database is waited for. */
const BUSY_MS = 10_000;

class SqliteTable implements SqlTable {
  readonly #db: DatabaseSync;
  readonly #name: string;
  readonly #insert: StatementSync;
  readonly #job: string | undefined;

  /** @param job with epochs: whose they are */
  constructor(db: DatabaseSync, options: SqlTableOptions<never>, name: string, job: string | undefined) {
    this.#db = db;
    this.#name = name;
    this.#job = job;
    this.#insert = attempt(name, () => {
      if (job !== undefined)
        db.exec(
          "CREATE TABLE IF NOT EXISTS tidemark_epochs (job TEXT, sink TEXT, epoch INTEGER, PRIMARY KEY (job, sink))",
        );
      return db.prepare(insertStatement(options, quoteName, () => "?"));
    });
  }

  commit(rows: readonly Row[], epoch: Epoch | undefined): void {
    attempt(this.#name, () => {
      this.#db.exec("BEGIN IMMEDIATE");
      try {
        if (epoch === undefined || this.#note(epoch)) for (const row of rows) this.#insert.run(...row.map(toSqlite));
        this.#db.exec("COMMIT");
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      }
    });
  }

  /** @returns false where it is noted already */
  #note(epoch: Epoch): boolean {
    if (this.lastCommitted() >= epoch) return false;
    this.#db
      .prepare("INSERT OR REPLACE INTO tidemark_epochs (job, sink, epoch) VALUES (?, ?, ?)")
      .run(this.#job as string, this.#name, epoch);
    return true;
  }

  lastCommitted(): Epoch {
    const row = attempt(this.#name, () =>
      this.#db
        .prepare("SELECT epoch FROM tidemark_epochs WHERE job = ? AND sink = ?")
        .get(this.#job as string, this.#name),
    );
    return (row as { epoch: number } | undefined)?.epoch ?? 0;
  }

  close(): void {
    this.#db.close();
  }
}

function toSqlite(value: SqlValue): string | number | bigint | null | Uint8Array {
  return typeof value === "boolean" ? Number(value) : value;
}

/** SQLite's code for a database that somebody else writes to. */
const SQLITE_BUSY = 5;

function attempt<R>(name: string, action: () => R): R {
  try {
    return action();
  } catch (error) {
    if (isTidemarkError(error)) throw error;
    const isBusy = (error as { errcode?: unknown }).errcode === SQLITE_BUSY;
    throw isBusy ? sqlUnavailable(name, error) : sqlFailed(name, error);
  }
}
