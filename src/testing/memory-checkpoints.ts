/** Checkpoints in memory, for tests: a job that is started again in the same process. Only the newest is kept. */
import type { Epoch } from "../fn/sink.ts";
import type { CheckpointKind, CheckpointStore, StoredCheckpoint } from "../host/checkpoint-store.ts";
import { CurrentEntries } from "../host/current-entries.ts";
import type { Chunk, SnapshotSink } from "../host/snapshot.ts";

export class MemoryCheckpoints implements CheckpointStore {
  readonly jobId = "test";
  ended = false;
  #newest: StoredCheckpoint | undefined;
  #pending: Chunk[] = [];
  readonly #entries = new CurrentEntries();

  newest(): StoredCheckpoint | undefined {
    return this.#newest;
  }

  begin(): SnapshotSink {
    this.#pending = [];
    return { put: (chunk) => void this.#pending.push(chunk) };
  }

  commit(epoch: Epoch, kind: CheckpointKind, createdMs: number): Promise<void> {
    const chunks = this.#pending;
    this.#pending = [];
    this.#entries.apply(chunks);
    this.#newest = { epoch, kind, createdMs, snapshot: this.#entries.snapshot(chunks) };
    return Promise.resolve();
  }

  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
