/** Checkpoints in memory, for tests: a job that is started again in the same process. Only the newest is kept. */
import type { Epoch } from "../fn/sink.ts";
import type { CheckpointKind, CheckpointStore, StoredCheckpoint } from "../host/checkpoint-store.ts";
import {
  type Chunk,
  type ChunkKind,
  type Entry,
  readChanges,
  type Snapshot,
  type SnapshotSink,
} from "../host/snapshot.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

export class MemoryCheckpoints implements CheckpointStore {
  readonly jobId: string;
  ended = false;
  #newest: StoredCheckpoint | undefined;
  #pending: Chunk[] = [];
  /** By kind and step, then by window, then by key. */
  readonly #entries = new Map<string, Map<string, Map<string, Entry>>>();

  constructor(jobId = "test") {
    this.jobId = jobId;
  }

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
    for (const turn of ["gone", "records", "view"] as const)
      for (const chunk of chunks) if (chunk.kind === turn) this.#apply(chunk);
    this.#newest = { epoch, kind, createdMs, snapshot: this.#snapshot(chunks) };
    return Promise.resolve();
  }

  #apply({ kind, step, body }: Chunk): void {
    const name = `${kind === "gone" ? "records" : kind} ${step}`;
    const windows = this.#entries.get(name) ?? new Map<string, Map<string, Entry>>();
    this.#entries.set(name, windows);
    readChanges(body, {
      put(window, key, entry) {
        const keys = windows.get(text(window)) ?? new Map<string, Entry>();
        windows.set(text(window), keys);
        keys.set(text(key), { window, key, body: entry });
      },
      remove: (window, key) => windows.get(text(window))?.delete(text(key)),
      removeWindow: (window) => windows.delete(text(window)),
    });
  }

  #snapshot(chunks: readonly Chunk[]): Snapshot {
    const entries = this.#entries;
    return {
      steps: () => new Set(chunks.filter(({ kind }) => kind === "stage").map(({ step }) => step)),
      chunks: (kind: ChunkKind, step: string) =>
        chunks.filter((chunk) => chunk.kind === kind && chunk.step === step).map(({ body }) => body),
      *entries(kind, step) {
        for (const keys of entries.get(`${kind} ${step}`)?.values() ?? []) yield* keys.values();
      },
    };
  }

  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
