/**
 * Makes rows of changes: of each key and window what it is now, so that it can be looked up, and so that changes do not pile up.
 * Path: checkpoint-writer.ts, in its thread, between checkpoints -> HERE.
 *
 * F1 Only changes that all kept checkpoints share are folded, in their order; after each part rows and the chunks that are left say
 *    together what they said before.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type ChangeTarget, readChanges } from "../host/snapshot.ts";
import { ChangeBatch } from "./change-batch.ts";
import { addedSum, CHANGE_ORDER, CHANGES, column, entrySum } from "./checkpoint-rows.ts";

/**
 * So many chunks are one transaction: a checkpoint that comes meanwhile waits so long. Where checkpoints have to wait anyway, more:
 * keys lie scattered, and a page that several of them share is written once.
 */
const CHUNKS_AT_ONCE = 32;
const CHUNKS_AT_MOST = 96;
/** Pages that are given back to the file system at a time. */
const PAGES_AT_ONCE = 2048;

interface ChangeChunk {
  readonly epoch: number;
  readonly ordinal: number;
  readonly kind: string;
  readonly step: string;
  readonly body: Uint8Array;
}

export class Folding {
  readonly #db: DatabaseSync;
  readonly #chunk: StatementSync;
  readonly #forget: StatementSync;
  readonly #mark: StatementSync;
  readonly #put: StatementSync;
  /** Where times stay as they are: their indexes are not touched. */
  readonly #putSameTimes: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeWindow: StatementSync;
  readonly #add: StatementSync;
  readonly #removeAdded: StatementSync;
  readonly #removeAddedOfWindow: StatementSync;
  /** What is being folded, in its order, and how far that has come. */
  #places: readonly Pick<ChangeChunk, "epoch" | "ordinal">[] = [];
  #at = 0;
  readonly #steps = new Map<string, number>();
  /** Steps that have rows in `added`. */
  readonly #extended: Set<number>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#chunk = db.prepare("SELECT epoch, ordinal, kind, step, body FROM chunk WHERE epoch = ? AND ordinal = ?");
    this.#forget = db.prepare("DELETE FROM chunk WHERE epoch = ? AND ordinal = ?");
    this.#mark = db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('folded', ?)");
    const put = (columns: readonly string[]): StatementSync =>
      db.prepare(
        "INSERT INTO entry (step, window, key, event, processing, hold, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?) " +
          `ON CONFLICT DO UPDATE SET ${columns.map((name) => `${name} = excluded.${name}`).join(", ")}`,
      );
    this.#put = put(["event", "processing", "hold", "body", "crc"]);
    this.#putSameTimes = put(["body", "crc"]);
    this.#remove = db.prepare("DELETE FROM entry WHERE step = ? AND window = ? AND key = ?");
    this.#removeWindow = db.prepare("DELETE FROM entry WHERE step = ? AND window = ?");
    this.#add = db.prepare(
      "INSERT OR REPLACE INTO added (step, window, key, epoch, body, crc) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#removeAdded = db.prepare("DELETE FROM added WHERE step = ? AND window = ? AND key = ?");
    this.#removeAddedOfWindow = db.prepare("DELETE FROM added WHERE step = ? AND window = ?");
    const extended = db.prepare("SELECT DISTINCT step FROM added").all() as unknown as { step: number }[];
    this.#extended = new Set(extended.map(({ step }) => step));
  }

  /** Begins to fold all changes of epochs up to `upTo`. */
  begin(upTo: number): void {
    this.#places = this.#db
      .prepare(`SELECT epoch, ordinal FROM chunk WHERE epoch <= ? AND kind IN ${CHANGES} ORDER BY ${CHANGE_ORDER}`)
      .all(upTo) as unknown as Pick<ChangeChunk, "epoch" | "ordinal">[];
    this.#at = 0;
    this.#mark.run(String(upTo));
  }

  /** Folds the next chunks. @returns how many bytes; 0 where there is nothing left */
  some(isBehind: boolean): number {
    const places = this.#places.slice(this.#at, this.#at + (isBehind ? CHUNKS_AT_MOST : CHUNKS_AT_ONCE));
    if (places.length === 0) return 0;
    let bytes = 0;
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      let batch: { readonly of: string; readonly changes: ChangeBatch } | undefined;
      for (const { epoch, ordinal } of places) {
        const chunk = this.#chunk.get(epoch, ordinal) as unknown as ChangeChunk;
        const of = `${chunk.epoch} ${chunk.kind === "view"} ${chunk.step}`;
        if (batch?.of !== of) {
          batch?.changes.flush();
          batch = { of, changes: new ChangeBatch(this.#into(chunk)) };
        }
        readChanges(chunk.body, batch.changes);
        this.#forget.run(epoch, ordinal);
        bytes += chunk.body.length;
      }
      batch?.changes.flush();
      this.#db.exec("COMMIT");
      this.#at += places.length;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
    return bytes;
  }

  /** Gives back what has become free. */
  shrink(): void {
    this.#db.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
  }

  #into({ kind, step: name, epoch }: ChangeChunk): ChangeTarget {
    const step = this.#step(kind === "gone" ? "records" : kind, name);
    const isExtended = (): boolean => this.#extended.has(step);
    return {
      put: (window, key, body, times, sameTimes) => {
        const sum = entrySum(step, window, key, times, body);
        const { event, processing, hold } = times;
        const statement = sameTimes ? this.#putSameTimes : this.#put;
        statement.run(step, window, key, column(event), column(processing), column(hold), body, sum);
        if (isExtended()) this.#removeAdded.run(step, window, key);
      },
      extend: (window, key, body) => {
        this.#extended.add(step);
        this.#add.run(step, window, key, epoch, body, addedSum(step, window, key, epoch, body));
      },
      remove: (window, key) => {
        this.#remove.run(step, window, key);
        if (isExtended()) this.#removeAdded.run(step, window, key);
      },
      removeWindow: (window) => {
        this.#removeWindow.run(step, window);
        if (isExtended()) this.#removeAddedOfWindow.run(step, window);
      },
    };
  }

  #step(kind: string, name: string): number {
    const place = `${kind} ${name}`;
    let id = this.#steps.get(place);
    if (id === undefined) {
      this.#db.prepare("INSERT OR IGNORE INTO step (kind, name) VALUES (?, ?)").run(kind, name);
      const row = this.#db.prepare("SELECT id FROM step WHERE kind = ? AND name = ?").get(kind, name);
      id = (row as { id: number }).id;
      this.#steps.set(place, id);
    }
    return id;
  }
}
