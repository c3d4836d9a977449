/**
 * Writes rows into a table of a database: epoch by epoch, each with a note of itself in one transaction, or at once.
 *
 * Q1 The transaction that writes the rows of an epoch notes the epoch of the job and step; one that is noted is not written again.
 * Q2 Rows wait in memory until their epoch is sealed; without epochs, and with eager commits, at most `ROWS_AT_ONCE` of them before
 *    `flush` has to be awaited.
 */
import type { Epoch, SinkWriter } from "../../fn/sink.ts";
import { decodeRows, encodeRows, type SqlValue } from "./row-batches.ts";

export type Row = readonly SqlValue[];

/** A connection to a table. Each method is one transaction. */
export interface SqlTable {
  /** Writes rows, and notes the epoch unless it is noted already: then it writes nothing. */
  commit(rows: readonly Row[], epoch: Epoch | undefined): void | Promise<void>;
  lastCommitted(): Epoch | Promise<Epoch>;
  close(): void | Promise<void>;
}

const ROWS_AT_ONCE = 1000;

/** For jobs with epochs. */
export class SqlEpochWriter<T> implements SinkWriter<T> {
  readonly #table: SqlTable;
  readonly #row: (value: T) => Row;
  #rows: Row[] = [];

  constructor(table: SqlTable, row: (value: T) => Row) {
    this.#table = table;
    this.#row = row;
  }

  write(value: T): void {
    this.#rows.push(this.#row(value));
  }

  seal(): Uint8Array[] {
    const rows = this.#rows;
    this.#rows = [];
    return encodeRows(rows);
  }

  async commit(epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void> {
    await this.#table.commit(decodeRows(chunks), epoch);
  }

  async lastCommitted(): Promise<Epoch> {
    return this.#table.lastCommitted();
  }

  close(): void | Promise<void> {
    return this.#table.close();
  }
}

/** For rows that go out as they come: a run without epochs, or one that does not wait for them. */
export class SqlDirectWriter<T> implements SinkWriter<T> {
  readonly #table: SqlTable;
  readonly #row: (value: T) => Row;
  /** Not written yet, or not known to be. */
  #rows: Row[] = [];
  #isScheduled = false;
  #written: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  readonly #sealed = new Set<Epoch>();

  constructor(table: SqlTable, row: (value: T) => Row) {
    this.#table = table;
    this.#row = row;
  }

  write(value: T): boolean {
    this.#checkFailure();
    this.#rows.push(this.#row(value));
    this.#schedule();
    return this.#rows.length < ROWS_AT_ONCE;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#written = this.#written.then(() => this.#send());
  }

  /** Never rejects: a failure is kept for whoever asks next. */
  async #send(): Promise<void> {
    this.#isScheduled = false;
    const sent = this.#rows.length;
    try {
      if (this.#failure !== undefined || sent === 0) return;
      await this.#table.commit(this.#rows.slice(0, sent), undefined);
      this.#rows.splice(0, sent);
    } catch (error) {
      this.#failure = { error };
    }
  }

  #checkFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async flush(): Promise<void> {
    await this.#written;
    this.#checkFailure();
  }

  /** What is not known to be written is sealed; see text/append-writer.ts A1. */
  seal(epoch: Epoch): Uint8Array[] {
    this.#checkFailure();
    this.#sealed.add(epoch);
    return encodeRows(this.#rows);
  }

  async commit(epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void> {
    if (!this.#sealed.delete(epoch)) await this.#table.commit(decodeRows(chunks), undefined);
    await this.flush();
  }

  lastCommitted(): Promise<Epoch> {
    return Promise.resolve(0);
  }

  finish(): Promise<void> {
    return this.flush();
  }

  async close(): Promise<void> {
    await this.#written;
    await this.#table.close();
  }
}
