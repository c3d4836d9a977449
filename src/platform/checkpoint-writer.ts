/**
 * The thread that writes checkpoints into the database, so that nobody waits for the disk.
 * Path: sqlite-checkpoints.ts sends chunks -> HERE -> one transaction for each checkpoint.
 *
 * It is bundled by itself (rolldown.config.ts), so that the thread loads no more of Tidemark than it needs.
 *
 * W1 Chunks are written as they come, and count for nothing before the row of their checkpoint is there. That row and the removal of
 *    those that it replaces are one transaction, on the disk before the answer goes out, and everything before it too.
 * W2 Changes lie as chunks, as they came, until there are many, or the job asks for rows; then they are folded, bit by bit, between
 *    checkpoints. Chunks cost a thirtieth of rows (measured).
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { CHANGE_KINDS } from "../host/current-entries.ts";
import type { Chunk } from "../host/snapshot.ts";
import { Folding } from "./checkpoint-folding.ts";
import { addSum, CHANGES, checkpointSum, chunkSum } from "./checkpoint-rows.ts";

/** What the thread is told. */
export type WriterMessage =
  | { readonly kind: "chunk"; readonly epoch: number; readonly chunk: Chunk }
  | { readonly kind: "commit"; readonly epoch: number; readonly as: string; readonly createdMs: number }
  | { readonly kind: "fold" }
  | { readonly kind: "end" }
  | { readonly kind: "close" };

/** What it answers, to all but chunks and `fold`; and what it says by itself. */
export type WriterAnswer = { readonly done: true } | { readonly failed: string } | { readonly folded: number };

export interface WriterStart {
  readonly path: string;
  readonly keep: number;
  /** Changes of so many bytes are folded. */
  readonly foldBytes: number;
}

/** So many times what is folded at once may lie unfolded. */
const BEHIND = 2;
/** How long is folded after a commit, about: half of the usual interval. */
const FOLD_FOR_MS = 400;

class Writer {
  readonly #db: DatabaseSync;
  readonly #keep: number;
  readonly #foldBytes: number;
  readonly #insert: StatementSync;
  #ordinal = 0;
  #sum = 0;
  #unfolded: number;
  readonly #folding: Folding;
  /** The last epoch that is being folded; 0 where nothing is. */
  #foldTo = 0;
  #isAsked = false;
  #failure: Error | undefined;

  constructor({ path, keep, foldBytes }: WriterStart) {
    this.#db = new DatabaseSync(path);
    this.#db.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16000");
    this.#folding = new Folding(this.#db);
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
      const ordinal = this.#ordinal++;
      const sum = chunkSum({ epoch, ordinal, kind, step }, body);
      this.#insert.run(epoch, ordinal, kind, step, body, sum);
      this.#sum = addSum(this.#sum, sum);
      if (CHANGE_KINDS.includes(kind)) this.#unfolded += body.length;
    } catch (error) {
      this.fail(error as Error);
    }
  }

  commit(epoch: number, as: string, createdMs: number): void {
    try {
      if (this.#failure !== undefined) throw this.#failure;
      // In the write-ahead log this brings all that was written before it to the disk.
      this.#db.exec("PRAGMA synchronous = FULL");
      this.#db.exec("BEGIN IMMEDIATE");
      const sum = checkpointSum(epoch, as, createdMs, this.#ordinal, this.#sum);
      this.#db
        .prepare("INSERT INTO checkpoint (epoch, kind, created_ms, chunks, crc) VALUES (?, ?, ?, ?, ?)")
        .run(epoch, as, createdMs, this.#ordinal, sum);
      const oldest = this.#oldestKept();
      this.#db.prepare("DELETE FROM checkpoint WHERE epoch < ?").run(oldest);
      this.#db.prepare(`DELETE FROM chunk WHERE epoch < ? AND kind NOT IN ${CHANGES}`).run(oldest);
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#failure = undefined;
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    } finally {
      this.#ordinal = 0;
      this.#sum = 0;
      this.#db.exec("PRAGMA synchronous = NORMAL");
    }
  }

  /** The job wants rows of all that can be folded. */
  fold(): void {
    this.#isAsked = true;
    this.#beginFolding();
  }

  /** After the answer: whoever waits for the checkpoint does not wait for this. */
  tidy(): void {
    if (this.#unfolded >= this.#foldBytes || this.#isAsked) this.#beginFolding();
  }

  #beginFolding(): void {
    if (this.#foldTo > 0) return;
    this.#foldTo = this.#oldestKept();
    if (this.#foldTo > 0) this.#folding.begin(this.#foldTo);
  }

  get isFolding(): boolean {
    return this.#foldTo > 0;
  }

  /** Whether it goes on with that at once; else after the next commit, when a part of it is least in the way. */
  get isInHaste(): boolean {
    return this.#isAsked && this.isFolding;
  }

  /** Whether there is so much to fold that whoever writes more has to wait for it. */
  get isBehind(): boolean {
    return this.#foldTo > 0 && this.#unfolded >= BEHIND * this.#foldBytes;
  }

  /** Folds a part. @returns the epoch that rows have come to, when that is done */
  foldSome(): number | undefined {
    const bytes = this.#folding.some(this.isBehind);
    this.#unfolded -= bytes;
    if (bytes > 0) return undefined;
    this.#folding.shrink();
    const folded = this.#foldTo;
    this.#foldTo = 0;
    this.#isAsked = false;
    return folded;
  }

  #oldestKept(): number {
    const row = this.#db
      .prepare("SELECT epoch FROM checkpoint ORDER BY epoch DESC LIMIT 1 OFFSET ?")
      .get(this.#keep - 1) as { epoch: number } | undefined;
    return row?.epoch ?? 0;
  }

  /** Told when the next checkpoint is to be complete. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#foldTo = 0;
  }

  end(): void {
    this.#db.exec("INSERT OR REPLACE INTO meta (name, value) VALUES ('ended', 'yes')");
  }

  close(): void {
    this.#foldTo = 0;
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
  let isScheduled = false;
  const foldOn = (): void => {
    isScheduled = false;
    if (!writer.isFolding) return;
    try {
      const folded = writer.foldSome();
      if (folded !== undefined) port.postMessage({ folded } satisfies WriterAnswer);
    } catch (error) {
      writer.fail(error as Error);
      return;
    }
    scheduleFolding();
  };
  /** For a while nobody waits for the next checkpoint: a good part of what there is to fold is folded then. */
  const foldAfterCommit = (): void => {
    const end = performance.now() + FOLD_FOR_MS;
    do foldOn();
    while (writer.isBehind || (writer.isFolding && performance.now() < end));
  };
  const scheduleFolding = (): void => {
    if (isScheduled || !writer.isInHaste) return;
    isScheduled = true;
    setImmediate(foldOn);
  };
  port.on("message", (message: WriterMessage) => {
    switch (message.kind) {
      case "chunk":
        return writer.chunk(message.epoch, message.chunk);
      case "commit":
        answer(() => writer.commit(message.epoch, message.as, message.createdMs));
        // Nothing goes on from the last one.
        if (message.as === "final" || message.as === "drained") return;
        writer.tidy();
        foldAfterCommit();
        return;
      case "fold":
        writer.fold();
        return scheduleFolding();
      case "end":
        return answer(() => writer.end());
      case "close":
        answer(() => writer.close());
        return port.close();
    }
  });
}
