/** A store of checkpoints in which the process may die before and after each operation; what is not committed is lost with it. */
import type { Epoch } from "../../fn/sink.ts";
import type { CheckpointKind, CheckpointStore, StoredCheckpoint } from "../../host/checkpoint-store.ts";
import type { RecordRows, SnapshotSink } from "../../host/snapshot.ts";
import type { Life } from "./life.ts";

export class SimulatedStore implements CheckpointStore {
  readonly jobId: string;
  readonly #disk: CheckpointStore;
  readonly #life: Life;

  /** @param disk what outlives the process */
  constructor(disk: CheckpointStore, life: Life) {
    this.jobId = disk.jobId;
    this.#disk = disk;
    this.#life = life;
    disk.folded = undefined;
  }

  get ended(): boolean {
    return this.#disk.ended;
  }

  get folded(): ((epoch: Epoch) => void) | undefined {
    return this.#disk.folded;
  }

  set folded(listener: ((epoch: Epoch) => void) | undefined) {
    if (!this.#life.isDead) this.#disk.folded = listener;
  }

  newest(): StoredCheckpoint | undefined {
    return this.#disk.newest();
  }

  upgrade(): void {}

  begin(epoch: Epoch): SnapshotSink {
    this.#life.point(`checkpoint ${epoch} begins`);
    const inner = this.#disk.begin(epoch);
    return {
      put: (chunk) => {
        this.#life.point(`checkpoint ${epoch}: ${chunk.kind} of "${chunk.step}", ${chunk.body.length} bytes`);
        inner.put(chunk);
      },
    };
  }

  async commit(epoch: Epoch, kind: CheckpointKind, createdMs: number): Promise<void> {
    this.#life.point(`checkpoint ${epoch} is written`);
    await this.#life.later();
    await this.#disk.commit(epoch, kind, createdMs);
    this.#life.point(`checkpoint ${epoch} is on the disk, as ${kind}`);
    await this.#life.later();
  }

  rows(step: string): RecordRows {
    return this.#disk.rows(step);
  }

  fold(): void {
    this.#life.point("fold");
    this.#life.delay(() => this.#disk.fold());
  }

  async end(): Promise<void> {
    this.#life.point("the end is put on record");
    await this.#disk.end();
    this.#life.point("the end is on record");
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
