/**
 * The thread that writes checkpoints into the database, so that nobody waits for the disk.
 * Path: sqlite-checkpoints.ts sends chunks -> HERE -> one transaction for each checkpoint.
 *
 * It is bundled by itself (rolldown.config.ts), so that the thread loads no more of Tidemark than it needs.
 *
 * W1 A checkpoint and the removal of those that it replaces are one transaction, on the disk before the answer goes out.
 * W2 Changes lie as chunks, as they came, until there are many; then those that all kept checkpoints share are folded into rows,
 *    the last one of each key and window. Chunks cost a thirtieth of rows (measured).
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { CHANGE_KINDS } from "../host/current-entries.ts";
import { type Chunk, readChanges } from "../host/snapshot.ts";
import { addSum, CHANGE_ORDER, CHANGES, checkpointSum, chunkSum, entrySum } from "./checkpoint-rows.ts";

/** What the thread is told. */
export type WriterMessage =
  | { readonly kind: "chunk"; readonly epoch: number; readonly chunk: Chunk }
  | { readonly kind: "commit"; readonly epoch: number; readonly as: string; readonly createdMs: number }
  | { readonly kind: "end" }
  | { readonly kind: "close" };

/** What it answers, to all but chunks. */
export type WriterAnswer = { readonly done: true } | { readonly failed: string };

export interface WriterStart {
  readonly path: string;
  readonly keep: number;
  /** Changes of so many bytes are folded. */
  readonly foldBytes: number;
}

class Writer {
  readonly #db: DatabaseSync;
  readonly #keep: number;
  readonly #foldBytes: number;
  readonly #insert: StatementSync;
  #ordinal = 0;
  #sum = 0;
  #isOpen = false;
  #unfolded: number;
  #failure: Error | undefined;

  constructor({ path, keep, foldBytes }: WriterStart) {
    this.#db = new DatabaseSync(path);
    this.#db.exec("PRAGMA synchronous = FULL");
    this.#keep = keep;
    this.#foldBytes = foldBytes;
    this.#insert = this.#db.prepare(
      "INSERT INTO chunk (epoch, ordinal, kind, step, body, crc) VALUES (?, ?, ?, ?, ?, ?)",
    );
    const { bytes } = this.#db
      .prepare(`SELECT coalesce(sum(length(body)), 0) AS bytes FROM chunk WHERE kind IN ${CHANGES}`)
      .get() as { bytes: number };
    this.#unfolded = bytes;
  }

  chunk(epoch: number, { kind, step, body }: Chunk): void {
    if (this.#failure !== undefined) return;
    try {
      this.#begin();
      const ordinal = this.#ordinal++;
      const sum = chunkSum({ epoch, ordinal, kind, step }, body);
      this.#insert.run(epoch, ordinal, kind, step, body, sum);
      this.#sum = addSum(this.#sum, sum);
      if (CHANGE_KINDS.includes(kind)) this.#unfolded += body.length;
    } catch (error) {
      // Told when the checkpoint is to be complete.
      this.#failure = error as Error;
    }
  }

  #begin(): void {
    if (this.#isOpen) return;
    this.#db.exec("BEGIN IMMEDIATE");
    this.#isOpen = true;
    this.#ordinal = 0;
    this.#sum = 0;
  }

  commit(epoch: number, as: string, createdMs: number): void {
    try {
      if (this.#failure !== undefined) throw this.#failure;
      this.#begin();
      const sum = checkpointSum(epoch, as, createdMs, this.#ordinal, this.#sum);
      this.#db
        .prepare("INSERT INTO checkpoint (epoch, kind, created_ms, chunks, crc) VALUES (?, ?, ?, ?, ?)")
        .run(epoch, as, createdMs, this.#ordinal, sum);
      const oldest = this.#oldestKept();
      this.#db.prepare("DELETE FROM checkpoint WHERE epoch < ?").run(oldest);
      this.#db.prepare(`DELETE FROM chunk WHERE epoch < ? AND kind NOT IN ${CHANGES}`).run(oldest);
      this.#db.exec("COMMIT");
      this.#isOpen = false;
    } catch (error) {
      this.#failure = undefined;
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      this.#isOpen = false;
      throw error;
    }
  }

  /** After the answer: whoever waits for the checkpoint does not wait for this. */
  tidy(): void {
    if (this.#unfolded >= this.#foldBytes) this.#fold(this.#oldestKept());
  }

  #oldestKept(): number {
    const row = this.#db
      .prepare("SELECT epoch FROM checkpoint ORDER BY epoch DESC LIMIT 1 OFFSET ?")
      .get(this.#keep - 1) as { epoch: number } | undefined;
    return row?.epoch ?? 0;
  }

  #fold(upTo: number): void {
    const db = this.#db;
    db.exec("BEGIN IMMEDIATE");
    const rows = db
      .prepare(`SELECT kind, step, body FROM chunk WHERE epoch <= ? AND kind IN ${CHANGES} ORDER BY ${CHANGE_ORDER}`)
      .all(upTo) as { kind: string; step: string; body: Uint8Array }[];
    const put = db.prepare(
      "INSERT OR REPLACE INTO entry (kind, step, window, key, body, crc) VALUES (?, ?, ?, ?, ?, ?)",
    );
    const remove = db.prepare("DELETE FROM entry WHERE kind = ? AND step = ? AND window = ? AND key = ?");
    const removeWindow = db.prepare("DELETE FROM entry WHERE kind = ? AND step = ? AND window = ?");
    for (const { kind: chunkKind, step, body } of rows) {
      const kind = chunkKind === "gone" ? "records" : chunkKind;
      readChanges(body, {
        put: (window, key, kept) => put.run(kind, step, window, key, kept, entrySum(kind, step, window, key, kept)),
        remove: (window, key) => remove.run(kind, step, window, key),
        removeWindow: (window) => removeWindow.run(kind, step, window),
      });
      this.#unfolded -= body.length;
    }
    db.prepare(`DELETE FROM chunk WHERE epoch <= ? AND kind IN ${CHANGES}`).run(upTo);
    db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('folded', ?)").run(String(upTo));
    db.exec("COMMIT");
    db.exec("PRAGMA incremental_vacuum");
  }

  end(): void {
    this.#db.exec("INSERT OR REPLACE INTO meta (name, value) VALUES ('ended', 'yes')");
  }

  close(): void {
    this.#db.close();
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const writer = new Writer(workerData as WriterStart);
  const answer = (action: () => void): void => {
    let said: WriterAnswer = { done: true };
    try {
      action();
    } catch (error) {
      said = { failed: error instanceof Error ? error.message : String(error) };
    }
    port.postMessage(said);
  };
  port.on("message", (message: WriterMessage) => {
    switch (message.kind) {
      case "chunk":
        return writer.chunk(message.epoch, message.chunk);
      case "commit":
        answer(() => writer.commit(message.epoch, message.as, message.createdMs));
        // Nothing goes on from the last one.
        if (message.as !== "final" && message.as !== "drained") writer.tidy();
        return;
      case "end":
        return answer(() => writer.end());
      case "close":
        answer(() => writer.close());
        return port.close();
    }
  });
}
