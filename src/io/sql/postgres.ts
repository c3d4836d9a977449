/** Tables of PostgreSQL databases, by the package `pg`, which a program that uses this has to have. */
import { inspect } from "node:util";
import { isTidemarkError, TidemarkError } from "../../base/errors.ts";
import type { Epoch, Sink, SinkJob } from "../../fn/sink.ts";
import { type PCollection, stepTransform, type Transform } from "../../pipeline/index.ts";
import {
  checkSqlOptions,
  insertStatement,
  lastOfEachKey,
  quoteName,
  rowOf,
  SQL_OPTIONS,
  type SqlTableOptions,
  sqlFailed,
  sqlUnavailable,
} from "./row-batches.ts";
import { type Row, SqlDirectWriter, SqlEpochWriter, type SqlTable } from "./sql-writer.ts";

/** Where rows go, and how elements become rows. */
export interface PostgresWriteOptions<T> extends SqlTableOptions<T> {
  /** As `pg` takes it: `postgres://user@host:5432/database`. */
  readonly connection: string;
}

/**
 * Writes each element as a row of a table; `table` may name a schema before a dot. With checkpoints exactly once (or, as `commit` says,
 * at once and at least once); without, as elements come. A server that is away for a while is waited for, a minute for each checkpoint.
 * Needs the package `pg` (8 or later).
 * @throws TRANSFORM_INVALID, OPTION_UNKNOWN; when the job runs, SQL_FAILED, SQL_UNAVAILABLE, SQL_ROW_INVALID, PACKAGE_MISSING
 *
 * @example
 * ```ts
 * const toCounts = postgres.write<KV<string, number>>({
 *   connection: "postgres://me@localhost/shop",
 *   table: "counts",
 *   columns: ["word", "n"],
 *   key: ["word"],
 *   row: ([word, n]) => [word, n],
 * });
 * postgres.write({ connection: "postgres://me@localhost/shop", table: "counts", columns: [], row: () => [] }); // throws TRANSFORM_INVALID
 * ```
 */
export function write<T>(options: PostgresWriteOptions<T>): Transform<PCollection<T>, void> {
  const sink = postgresSink(options);
  return stepTransform((rows: PCollection<T>, name?: string) =>
    name === undefined ? rows.write(sink) : rows.write(name, sink),
  );
}

/**
 * The sink behind `postgres.write`. Its name leaves out the connection, which may hold a password.
 * @throws as `postgres.write`
 *
 * @example
 * ```ts
 * const connection = "postgres://me:secret@localhost/shop";
 * postgres.postgresSink({ connection, table: "log", columns: ["line"], row: (line: string) => [line] }).name; // -> "postgres(log)"
 * ```
 */
export function postgresSink<T>(options: PostgresWriteOptions<T>): Sink<T> {
  checkSqlOptions("postgres", options, { ...SQL_OPTIONS, connection: true });
  const { table, commit = "checkpoint" } = options;
  const toRow = (value: T): Row => rowOf("postgres", options, value);
  return Object.freeze({
    name: `postgres(${table})`,
    async open(job?: SinkJob) {
      const byEpochs = job !== undefined && commit === "checkpoint";
      const rows = new PostgresTable(await loadPg(), options, byEpochs ? job.jobId : undefined);
      await rows.prepare();
      return byEpochs ? new SqlEpochWriter(rows, toRow) : new SqlDirectWriter(rows, toRow);
    },
  });
}

/** The part of `pg` that is used. */
interface Client {
  connect(): Promise<unknown>;
  query(sql: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
  end(): Promise<void>;
  on(event: "error", listener: () => void): unknown;
}
type NewClient = new (options: { readonly connectionString: string }) => Client;

async function loadPg(): Promise<NewClient> {
  try {
    const { default: pg } = (await import("pg")) as unknown as { default: { Client: NewClient } };
    return pg.Client;
  } catch (error) {
    throw new TidemarkError("PACKAGE_MISSING", {
      what: "postgres.write needs the package pg, which cannot be loaded",
      why: inspect(error).split("\n")[0] as string,
      fix: "npm install pg",
      cause: error,
    });
  }
}

/** Parameters that one statement may have. */
const PARAMETERS_MAX = 60_000;
const ROWS_MAX = 1000;

class PostgresTable implements SqlTable {
  readonly #Client: NewClient;
  readonly #options: SqlTableOptions<never> & { readonly connection: string };
  readonly #job: string | undefined;
  readonly #name: string;
  /** None where the connection is lost: it is made anew with the next use. */
  #client: Client | undefined;

  /** @param job with epochs: whose they are */
  constructor(
    Client: NewClient,
    options: SqlTableOptions<never> & { readonly connection: string },
    job: string | undefined,
  ) {
    this.#Client = Client;
    this.#options = options;
    this.#job = job;
    this.#name = `postgres(${options.table})`;
  }

  /** Makes the table of epochs, where there are any. */
  async prepare(): Promise<void> {
    await this.#use(async (client) => {
      if (this.#job === undefined) return;
      // Two jobs that make it at the same time would collide: `IF NOT EXISTS` does not lock.
      await client.query("BEGIN");
      await client.query("SELECT pg_advisory_xact_lock(hashtext('tidemark_epochs'))");
      await client.query(
        "CREATE TABLE IF NOT EXISTS tidemark_epochs (job text, sink text, epoch bigint, PRIMARY KEY (job, sink))",
      );
      await client.query("COMMIT");
    });
  }

  commit(rows: readonly Row[], epoch: Epoch | undefined): Promise<void> {
    return this.#use(async (client) => {
      await client.query("BEGIN");
      if (epoch === undefined || (await this.#note(client, epoch))) await this.#insert(client, rows);
      await client.query("COMMIT");
    });
  }

  /** @returns false where it is noted already */
  async #note(client: Client, epoch: Epoch): Promise<boolean> {
    const { rows } = await client.query(
      "INSERT INTO tidemark_epochs (job, sink, epoch) VALUES ($1, $2, $3) ON CONFLICT (job, sink) " +
        "DO UPDATE SET epoch = excluded.epoch WHERE tidemark_epochs.epoch < excluded.epoch RETURNING epoch",
      [this.#job, this.#name, epoch],
    );
    return rows.length > 0;
  }

  async #insert(client: Client, all: readonly Row[]): Promise<void> {
    const rows = lastOfEachKey(all, this.#options);
    const { columns } = this.#options;
    const atOnce = Math.min(ROWS_MAX, Math.floor(PARAMETERS_MAX / columns.length));
    for (let i = 0; i < rows.length; i += atOnce) {
      const some = rows.slice(i, i + atOnce);
      const sql = insertStatement(this.#options, quoteName, (n) => `$${n}`, some.length);
      await client.query(sql, some.flat().map(toPostgres));
    }
  }

  lastCommitted(): Promise<Epoch> {
    return this.#use(async (client) => {
      const { rows } = await client.query("SELECT epoch FROM tidemark_epochs WHERE job = $1 AND sink = $2", [
        this.#job,
        this.#name,
      ]);
      return Number(rows[0]?.["epoch"] ?? 0);
    });
  }

  /** A connection that has failed is not used again. */
  async #use<R>(action: (client: Client) => Promise<R>): Promise<R> {
    try {
      this.#client ??= await this.#connect();
      return await action(this.#client);
    } catch (error) {
      const client = this.#client;
      this.#client = undefined;
      // Not waited for: of a connection that the server has cut the end may never come.
      void client?.end().catch(() => {});
      if (isTidemarkError(error)) throw error;
      throw isRefusal(error) ? sqlFailed(this.#name, error) : sqlUnavailable(this.#name, error);
    }
  }

  async #connect(): Promise<Client> {
    const client = new this.#Client({ connectionString: this.#options.connection });
    // A server that goes away between two uses is found by the next one.
    client.on("error", () => {
      if (this.#client === client) this.#client = undefined;
    });
    await client.connect();
    return client;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }
}

/**
 * Whether the server refused what it was asked, and would again. Classes 08, 53 and 57 of its codes (connections, resources, operators)
 * and 40 (serialization, deadlocks) pass by, as do failures that have no such code.
 */
function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !/^(08|40|53|57)/.test(code);
}

function toPostgres(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}
