/**
 * Reads a checkpoint database beside the thread that writes it, by a connection of its own.
 *
 * Everything that is read is checked: each chunk and row has a checksum, each checkpoint one over all of its chunks.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { TidemarkError } from "../base/errors.ts";
import type { CheckpointKind } from "../host/checkpoint-store.ts";
import { CurrentEntries, ownChunks } from "../host/current-entries.ts";
import {
  type Chunk,
  type ChunkKind,
  type Entry,
  type EntryTimes,
  type RecordRows,
  type Snapshot,
  type StepChanges,
  TIME_KINDS,
  type TimedEntry,
  type TimeKind,
} from "../host/snapshot.ts";
import {
  addedSum,
  addSum,
  CHANGE_ORDER,
  checkpointSum,
  type ChunkPlace,
  chunkSum,
  entrySum,
} from "./checkpoint-rows.ts";

export interface ChunkRow extends Chunk, ChunkPlace {
  readonly kind: ChunkKind;
  readonly crc: number;
}

export interface CheckpointRow {
  readonly epoch: number;
  readonly kind: CheckpointKind;
  readonly created_ms: number;
  readonly chunks: number;
  readonly crc: number;
}

type Bytes = Uint8Array;
type EntryRow = { readonly [K in TimeKind]: number | null } & {
  readonly window: Bytes;
  readonly key: Bytes;
  readonly body: Bytes;
  readonly crc: number;
};

/** Databases of so many bytes have all pages checked (2 ms for each MiB), and their indexes too (20 ms for each MiB). */
const CHECKED_BYTES = 64 * 1024 * 1024;
const CHECKED_WHOLLY_BYTES = 4 * 1024 * 1024;

const NO_BYTES: Bytes = new Uint8Array(0);

/** What SQLite finds to be wrong is the file's. */
function checked<T>(read: () => T, damaged: (why: string) => TidemarkError): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof TidemarkError ? error : damaged(String(error));
  }
}

export class CheckpointReader {
  readonly #db: DatabaseSync;
  readonly #damaged: (why: string) => TidemarkError;

  /** @param damaged makes the error for what is found to be damaged */
  constructor(path: string, damaged: (why: string) => TidemarkError) {
    this.#db = new DatabaseSync(path, { readOnly: true });
    this.#db.exec("PRAGMA cache_size = -8000");
    this.#damaged = damaged;
  }

  meta(): ReadonlyMap<string, string> {
    const rows = this.#db.prepare("SELECT name, value FROM meta").all() as { name: string; value: string }[];
    return new Map(rows.map(({ name, value }) => [name, value]));
  }

  /** Of the database, without what has been freed. */
  bytes(): number {
    const { bytes } = this.#db
      .prepare(
        "SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
      )
      .get() as { bytes: number };
    return bytes;
  }

  /** The newest first. */
  checkpoints(): readonly CheckpointRow[] {
    return this.#db.prepare("SELECT * FROM checkpoint ORDER BY epoch DESC").all() as unknown as CheckpointRow[];
  }

  /** All chunks of a checkpoint that lie there still. */
  chunks(epoch: number): readonly ChunkRow[] {
    return this.#db.prepare("SELECT * FROM chunk WHERE epoch = ? ORDER BY ordinal").all(epoch) as unknown as ChunkRow[];
  }

  /**
   * Looks for damage that what is read later would not show: changes of epochs of which no checkpoint is left, and what SQLite
   * knows of its pages. Cost: a look at all changes, and at all pages where those are few.
   * @returns what is wrong; empty where nothing is
   */
  problem(): string {
    const bytes = this.bytes();
    if (bytes <= CHECKED_BYTES) {
      const check = bytes <= CHECKED_WHOLLY_BYTES ? "integrity_check" : "quick_check";
      const [found] = this.#db.prepare(`PRAGMA ${check}(1)`).all() as Record<string, string>[];
      const said = found?.[check] ?? "ok";
      if (said !== "ok") return said;
    }
    // By the table alone: an index may have lost what it has.
    const chunks = this.#db
      .prepare("SELECT * FROM chunk NOT INDEXED WHERE epoch NOT IN (SELECT epoch FROM checkpoint)")
      .iterate() as Iterable<unknown>;
    for (const chunk of chunks as Iterable<ChunkRow>)
      if (chunkSum(chunk, chunk.body) !== chunk.crc) return damageOf(chunk);
    const count = (from: string): number =>
      (this.#db.prepare(`SELECT count(*) AS count FROM chunk ${from}`).get() as { count: number }).count;
    return count("NOT INDEXED") === count("INDEXED BY chunk_place") ? "" : "the index of its chunks lacks some";
  }

  /** @param own the chunks of the checkpoint, which have been checked @param folded see Snapshot */
  snapshot({ epoch }: CheckpointRow, own: readonly ChunkRow[], folded: number): Snapshot {
    return {
      ...ownChunks(own),
      folded,
      rows: (step) => this.rows(step),
      changes: (step) => this.#changes(step, epoch),
      entries: (kind, step) => this.#entries(kind, step, epoch),
    };
  }

  *#changes(step: string, upTo: number): Generator<StepChanges> {
    const reading = <T>(read: () => T): T => checked(read, this.#damaged);
    const all = this.#db.prepare("SELECT * FROM chunk WHERE epoch = ? AND step = ? AND kind = ? ORDER BY ordinal");
    const epochs = reading(
      () =>
        this.#db
          .prepare(
            "SELECT DISTINCT epoch FROM chunk WHERE step = ? AND kind IN ('records', 'gone') AND epoch <= ? ORDER BY epoch DESC",
          )
          .all(step, upTo) as unknown as { epoch: number }[],
    );
    const bodies = (epoch: number, kind: ChunkKind): Bytes[] =>
      reading(() => all.all(epoch, step, kind) as unknown as ChunkRow[]).map((row) => this.#checked(row));
    for (const { epoch } of epochs) yield { epoch, records: bodies(epoch, "records"), gone: bodies(epoch, "gone") };
  }

  #checked(row: ChunkRow): Bytes {
    if (chunkSum(row, row.body) !== row.crc) throw this.#damaged(damageOf(row));
    return row.body;
  }

  #entries(kind: "records" | "view", step: string, upTo: number): Iterable<Entry> {
    const entries = new CurrentEntries();
    for (const entry of this.#table(kind, step).all()) entries.put(kind, step, entry);
    const chunks = this.#db
      .prepare(`SELECT * FROM chunk WHERE step = ? AND kind IN (?, ?) AND epoch <= ? ORDER BY ${CHANGE_ORDER}`)
      .iterate(step, kind, kind === "records" ? "gone" : kind, upTo) as Iterable<unknown>;
    checked(() => {
      for (const chunk of chunks as Iterable<ChunkRow>) entries.apply([{ ...chunk, body: this.#checked(chunk) }]);
    }, this.#damaged);
    return entries.all(kind, step);
  }

  #table(kind: string, step: string): StepTable {
    return new StepTable(this.#db, kind, step, this.#damaged);
  }

  rows(step: string): RecordRows {
    return this.#table("records", step);
  }

  close(): void {
    this.#db.close();
  }
}

/** The rows of one step. */
class StepTable implements RecordRows {
  readonly #db: DatabaseSync;
  readonly #kind: string;
  readonly #name: string;
  readonly #damaged: (why: string) => TidemarkError;
  #step: number | undefined;
  readonly #get: StatementSync;
  readonly #added: StatementSync;
  readonly #timed = new Map<TimeKind, StatementSync>();

  constructor(db: DatabaseSync, kind: string, name: string, damaged: (why: string) => TidemarkError) {
    this.#db = db;
    this.#kind = kind;
    this.#name = name;
    this.#damaged = damaged;
    this.#get = db.prepare("SELECT * FROM entry WHERE step = ? AND window = ? AND key = ?");
    this.#added = db.prepare(
      "SELECT epoch, body, crc FROM added WHERE step = ? AND window = ? AND key = ? ORDER BY epoch",
    );
  }

  /** Its number; -1 as long as it has no rows. */
  get #id(): number {
    if (this.#step === undefined) {
      const row = this.#db.prepare("SELECT id FROM step WHERE kind = ? AND name = ?").get(this.#kind, this.#name);
      this.#step = (row as { id: number } | undefined)?.id;
    }
    return this.#step ?? -1;
  }

  get(window: Bytes, key: Bytes): Entry | undefined {
    return this.#reading(() => {
      const row = this.#get.get(this.#id, window, key) as unknown as EntryRow | undefined;
      return row && this.#entry(row);
    });
  }

  #reading<T>(read: () => T): T {
    return checked(read, this.#damaged);
  }

  #entry(row: EntryRow): Entry {
    const { window, key, body, crc } = row;
    const step = this.#id;
    const time = (kind: TimeKind): number => row[kind] ?? Infinity;
    const times: EntryTimes = { event: time("event"), processing: time("processing"), hold: time("hold") };
    if (entrySum(step, window, key, times, body) !== crc) throw this.#broken();
    const bodies = [body];
    const added = this.#added.all(step, window, key) as unknown as { epoch: number; body: Bytes; crc: number }[];
    for (const { epoch, body: more, crc: sum } of added) {
      if (addedSum(step, window, key, epoch, more) !== sum) throw this.#broken();
      bodies.push(more);
    }
    return { window, key, bodies, times };
  }

  #broken(): TidemarkError {
    return this.#damaged(`a row of step "${this.#name}" is damaged`);
  }

  page(window: Bytes, after: Bytes | undefined, most: number): readonly Entry[] {
    return this.#reading(() => {
      const rows = this.#db
        .prepare("SELECT * FROM entry WHERE step = ? AND window = ? AND key > ? ORDER BY key LIMIT ?")
        .all(this.#id, window, after ?? NO_BYTES, most) as unknown as EntryRow[];
      return rows.map((row) => this.#entry(row));
    });
  }

  *all(): Generator<Entry> {
    const rows = this.#reading(
      () => this.#db.prepare("SELECT * FROM entry WHERE step = ?").all(this.#id) as unknown as EntryRow[],
    );
    for (const row of rows) yield this.#reading(() => this.#entry(row));
  }

  timed(kind: TimeKind, { time, window, key }: TimedEntry, most: number): readonly TimedEntry[] {
    let statement = this.#timed.get(kind);
    if (statement === undefined) {
      const column = TIME_KINDS[TIME_KINDS.indexOf(kind)] as TimeKind;
      statement = this.#db.prepare(
        `SELECT ${column} AS time, window, key FROM entry WHERE step = ? AND ${column} IS NOT NULL ` +
          `AND (${column}, window, key) > (?, ?, ?) ORDER BY ${column}, window, key LIMIT ?`,
      );
      this.#timed.set(kind, statement);
    }
    const found = statement;
    return this.#reading(() => found.all(this.#id, time, window, key, most) as unknown as TimedEntry[]);
  }
}

/**
 * What is wrong with a checkpoint; empty where nothing is.
 * @param folded the epoch up to which changes may lie in rows already
 */
export function problemOf(row: CheckpointRow, chunks: readonly ChunkRow[], folded: number): string {
  let sum = 0;
  for (const chunk of chunks) {
    if (chunkSum(chunk, chunk.body) !== chunk.crc) return damageOf(chunk);
    sum = addSum(sum, chunk.crc);
  }
  const missing = row.chunks - chunks.length;
  const whole = checkpointSum(row.epoch, row.kind, row.created_ms, row.chunks, sum);
  if (missing === 0 && whole !== row.crc) return `checkpoint ${row.epoch} is damaged`;
  if (missing < 0) return `checkpoint ${row.epoch} has chunks of another one`;
  if (missing > 0 && row.epoch > folded) return `checkpoint ${row.epoch} lacks ${missing} of its chunks`;
  return "";
}

function damageOf({ epoch, ordinal }: ChunkPlace): string {
  return `chunk ${ordinal} of checkpoint ${epoch} is damaged`;
}
