/**
 * Checkpoints in a folder: one SQLite database, `checkpoints.db`, beside the lock that says whose it is.
 * Path: runners/embedded/checkpointing.ts -> HERE -> checkpoint-writer.ts, in a thread of its own.
 *
 * D1 A checkpoint that is not whole is passed over for the one before it, where there is one.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { randomUUID } from "node:crypto";
import { assert } from "../base/assert.ts";
import { TidemarkError } from "../base/errors.ts";
import type { Epoch } from "../fn/sink.ts";
import type { CheckpointKind, CheckpointStore, StoreChanges, StoredCheckpoint } from "../host/checkpoint-store.ts";
import type { RecordRows, SnapshotSink } from "../host/snapshot.ts";
import { otherJob } from "./checkpoint-folder.ts";
import { CheckpointReader, problemOf } from "./checkpoint-reader.ts";
import { SCHEMA } from "./checkpoint-rows.ts";
import { upgradeDatabase } from "./checkpoint-upgrade.ts";
import type { WriterAnswer, WriterMessage, WriterStart } from "./checkpoint-writer.ts";
import { lockFolder, type OwnerLock } from "./owner-lock.ts";

const FORMAT = "3";
/** A job that is started again reads so many bytes of changes beside the rows. */
const FOLD_BYTES = 8 * 1024 * 1024;

/** The thread makes garbage, and keeps little. */
const WRITER_YOUNG_MB = 12;

/** @param name the job's @param keep how many checkpoints are kept @throws CHECKPOINT_LOCKED, CHECKPOINT_DAMAGED, FILE_UNWRITABLE */
export function openCheckpoints(folder: string, name: string, keep: number): CheckpointStore {
  const lock = ownFolder(folder, name);
  try {
    return new SqliteCheckpoints(folder, name, keep, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Makes the folder where it is not there, and locks it. */
function ownFolder(folder: string, name: string): OwnerLock {
  try {
    mkdirSync(folder, { recursive: true });
    return lockFolder(folder, name);
  } catch (error) {
    throw error instanceof TidemarkError ? error : unusable(folder, error);
  }
}

function unusable(folder: string, cause: unknown): TidemarkError {
  return new TidemarkError("FILE_UNWRITABLE", {
    what: `the checkpoint folder ${folder} cannot be used: ${String(cause)}`,
    fix: "give a folder on a local disk with room, that this user may write; what is in it is as it was",
    domain: "external",
    cause,
  });
}

/** SQLite's codes of what is not the database's fault: not permitted, read-only, failing, full, cannot be opened. */
const OUTSIDE: ReadonlySet<number> = new Set([3, 8, 10, 13, 14]);

function isOutside(error: unknown): boolean {
  const { errcode } = error as { readonly errcode?: number };
  return errcode !== undefined && OUTSIDE.has(errcode & 0xff);
}

class SqliteCheckpoints implements CheckpointStore {
  readonly jobId: string;
  readonly ended: boolean;
  readonly #path: string;
  readonly #keep: number;
  readonly #lock: OwnerLock;
  readonly #reader: CheckpointReader;
  #newest: StoredCheckpoint | undefined;
  folded: ((epoch: Epoch) => void) | undefined;
  /** None where the job has ended: nothing is written any more. */
  readonly #writer: Worker | undefined;
  /** Why the thread has ended, where it has. */
  #dead: TidemarkError | undefined;
  /** Who waits for the next answer. */
  #waiting: { resolve(): void; reject(error: unknown): void } | undefined;

  constructor(folder: string, name: string, keep: number, lock: OwnerLock) {
    this.#path = join(folder, "checkpoints.db");
    this.#keep = keep;
    this.#lock = lock;
    try {
      const database = new DatabaseSync(this.#path);
      try {
        database.exec(SCHEMA);
        this.#reader = new CheckpointReader(this.#path, (why) => this.#damaged(why));
        const meta = this.#reader.meta();
        this.jobId = meta.get("job") ?? beginJob(database, name);
        this.#check(meta, name, folder);
        this.ended = meta.get("ended") === "yes";
        this.#newest = this.#load(database, this.#reader, Number(meta.get("folded") ?? 0));
      } finally {
        database.close();
      }
    } catch (error) {
      if (error instanceof TidemarkError) throw error;
      throw isOutside(error) ? unusable(folder, error) : this.#damaged(String(error), error);
    }
    if (!this.ended) this.#writer = this.#start();
  }

  #check(meta: ReadonlyMap<string, string>, name: string, folder: string): void {
    const format = meta.get("format") ?? FORMAT;
    if (format !== FORMAT) throw this.#damaged(`its format is ${format}, and this version of Tidemark reads ${FORMAT}`);
    const job = meta.get("name") ?? name;
    if (job !== name) throw otherJob(folder, job, name);
  }

  #damaged(why: string, cause?: unknown): TidemarkError {
    return new TidemarkError("CHECKPOINT_DAMAGED", {
      what: `the checkpoints in ${this.#path} cannot be read: ${why}`,
      why: "going on from damaged state could give wrong output",
      fix: "restore the folder from a copy, or start anew in an empty folder",
      domain: "external",
      ...(cause !== undefined && { cause }),
    });
  }

  /** The newest checkpoint that is whole; later ones are forgotten. */
  #load(database: DatabaseSync, reader: CheckpointReader, folded: number): StoredCheckpoint | undefined {
    const rows = reader.checkpoints();
    let problem = reader.problem();
    if (problem !== "") throw this.#damaged(problem);
    for (const row of rows) {
      const { epoch, kind, created_ms: createdMs } = row;
      if (epoch < folded) break;
      const chunks = reader.chunks(epoch);
      problem = problemOf(row, chunks, folded);
      if (problem !== "") continue;
      database.prepare("DELETE FROM checkpoint WHERE epoch > ?").run(epoch);
      database.prepare("DELETE FROM chunk WHERE epoch > ?").run(epoch);
      return { epoch, kind, createdMs, snapshot: reader.snapshot(row, chunks, folded) };
    }
    if (rows.length > 0) throw this.#damaged(problem || "no checkpoint is as new as the rows");
    database.exec("DELETE FROM chunk");
    return undefined;
  }

  upgrade(changes: StoreChanges): void {
    assert(this.#newest !== undefined, "there is no checkpoint");
    try {
      const database = new DatabaseSync(this.#path);
      try {
        upgradeDatabase(database, this.#newest.epoch, changes);
        this.#newest = this.#load(database, this.#reader, Number(this.#reader.meta().get("folded") ?? 0));
      } finally {
        database.close();
      }
    } catch (error) {
      throw error instanceof TidemarkError ? error : this.#failed(String(error), error);
    }
  }

  rows(step: string): RecordRows {
    return this.#reader.rows(step);
  }

  fold(): void {
    this.#tell({ kind: "fold" });
  }

  #tell(message: WriterMessage): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#running.postMessage(message);
  }

  newest(): StoredCheckpoint | undefined {
    return this.#newest;
  }

  begin(epoch: Epoch): SnapshotSink {
    const writer = this.#running;
    return {
      put(chunk) {
        const body = chunk.body.byteLength === chunk.body.buffer.byteLength ? chunk.body : chunk.body.slice();
        writer.postMessage({ kind: "chunk", epoch, chunk: { ...chunk, body } } satisfies WriterMessage, [
          body.buffer as ArrayBuffer,
        ]);
      },
    };
  }

  get #running(): Worker {
    assert(this.#writer !== undefined, "a job that has ended writes a checkpoint");
    return this.#writer;
  }

  #start(): Worker {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const workerData: WriterStart = {
      path: this.#path,
      keep: this.#keep,
      foldBytes: FOLD_BYTES,
    };
    const writer = new Worker(new URL(`./checkpoint-writer.${extension}`, import.meta.url), {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: WRITER_YOUNG_MB },
    });
    writer.on("message", (answer: WriterAnswer) => {
      if ("folded" in answer) return this.folded?.(answer.folded);
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if ("done" in answer) waiting?.resolve();
      else waiting?.reject(this.#failed(answer.failed));
    });
    writer.on("error", (error) => {
      this.#dead = this.#failed(String(error), error);
      this.#waiting?.reject(this.#dead);
    });
    // The job keeps the process alive, or an answer that is waited for.
    writer.unref();
    return writer;
  }

  #failed(why: string, cause?: unknown): TidemarkError {
    return new TidemarkError("CHECKPOINT_FAILED", {
      what: `a checkpoint could not be written to ${this.#path}: ${why}`,
      why: "without it nothing more of the output may become visible; the last one that is complete stays good",
      fix: "make room on the disk, or mend it, and start the job again: it goes on from there",
      domain: "external",
      ...(cause !== undefined && { cause }),
    });
  }

  #ask(message: WriterMessage): Promise<void> {
    const writer = this.#running;
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    return new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      writer.ref();
      this.#tell(message);
    }).finally(() => writer.unref());
  }

  commit(epoch: Epoch, kind: CheckpointKind, createdMs: number): Promise<void> {
    return this.#ask({ kind: "commit", epoch, as: kind, createdMs });
  }

  end(): Promise<void> {
    return this.#ask({ kind: "end" });
  }

  async close(): Promise<void> {
    try {
      if (this.#writer !== undefined) {
        await this.#ask({ kind: "close" });
        await this.#writer.terminate();
      }
    } finally {
      this.#reader.close();
      this.#lock.release();
    }
  }
}

function beginJob(database: DatabaseSync, name: string): string {
  const id = randomUUID();
  const put = database.prepare("INSERT INTO meta (name, value) VALUES (?, ?)");
  put.run("job", id);
  put.run("name", name);
  put.run("format", FORMAT);
  return id;
}
