/** Checkpoints in memory, for tests: a job that is started again in the same process. Only the newest is kept. */
import type { Epoch } from "../fn/sink.ts";
import type { CheckpointKind, CheckpointStore, StoredCheckpoint } from "../host/checkpoint-store.ts";
import { CurrentEntries, ownChunks } from "../host/current-entries.ts";
import type { Chunk, Snapshot, SnapshotSink } from "../host/snapshot.ts";

interface Written {
  readonly epoch: Epoch;
  readonly chunks: readonly Chunk[];
}

export class MemoryCheckpoints implements CheckpointStore {
  readonly jobId = "test";
  ended = false;
  folded: ((epoch: Epoch) => void) | undefined;
  readonly #foldWhen: () => boolean;
  #newest: (Omit<StoredCheckpoint, "snapshot"> & Written) | undefined;
  #pending: Chunk[] = [];
  /** Everything that is current, and all of it but for what has not been folded. */
  readonly #current = new CurrentEntries();
  readonly #rows = new CurrentEntries();
  #unfolded: Written[] = [];
  #foldedEpoch: Epoch = 0;

  /** @param foldWhen asked after each checkpoint whether what has changed becomes rows */
  constructor(foldWhen: () => boolean = () => false) {
    this.#foldWhen = foldWhen;
  }

  newest(): StoredCheckpoint | undefined {
    return this.#newest && { ...this.#newest, snapshot: this.#snapshot(this.#newest.chunks) };
  }

  begin(): SnapshotSink {
    this.#pending = [];
    return { put: (chunk) => void this.#pending.push(chunk) };
  }

  commit(epoch: Epoch, kind: CheckpointKind, createdMs: number): Promise<void> {
    const chunks = this.#pending;
    this.#pending = [];
    this.#current.apply(chunks);
    this.#unfolded.push({ epoch, chunks });
    this.#newest = { epoch, kind, createdMs, chunks };
    if (this.#foldWhen()) this.fold();
    return Promise.resolve();
  }

  #snapshot(own: readonly Chunk[]): Snapshot {
    const bodies = ({ chunks }: Written, kind: string, step: string): Uint8Array[] =>
      chunks.filter((chunk) => chunk.kind === kind && chunk.step === step).map(({ body }) => body);
    return {
      ...ownChunks(own),
      entries: (kind, step) => this.#current.all(kind, step),
      folded: this.#foldedEpoch,
      rows: (step) => this.#rows.rows(step),
      changes: (step) =>
        this.#unfolded.toReversed().map((written) => ({
          epoch: written.epoch,
          records: bodies(written, "records", step),
          gone: bodies(written, "gone", step),
        })),
    };
  }

  /** A job that is started again in its process is the same program. */
  upgrade(): void {}

  fold(): void {
    for (const { epoch, chunks } of this.#unfolded) {
      this.#rows.apply(chunks);
      this.#foldedEpoch = epoch;
    }
    this.#unfolded = [];
    this.folded?.(this.#foldedEpoch);
  }

  rows(step: string): ReturnType<CheckpointStore["rows"]> {
    return this.#rows.rows(step);
  }

  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
