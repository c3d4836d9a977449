/** What is current of records and views, once all changes up to a checkpoint have been told: what a Snapshot answers by. */
import { type Chunk, type ChunkKind, type Entry, readChanges, type Snapshot } from "./snapshot.ts";

/** Kinds of chunks that say what has changed, in the order in which those of one checkpoint are read. */
export const CHANGE_KINDS: readonly ChunkKind[] = ["gone", "records", "view"];

export class CurrentEntries {
  /** By kind and step, then by window, then by key. */
  readonly #entries = new Map<string, Map<string, Map<string, Entry>>>();

  put(kind: ChunkKind, step: string, entry: Entry): void {
    const windows = this.#windows(kind, step);
    const window = text(entry.window);
    let keys = windows.get(window);
    if (keys === undefined) windows.set(window, (keys = new Map()));
    keys.set(text(entry.key), entry);
  }

  /** Takes up the changes of one checkpoint, among chunks of all kinds. */
  apply(chunks: readonly Chunk[]): void {
    for (const turn of CHANGE_KINDS) {
      for (const { kind, step, body } of chunks) {
        if (kind !== turn) continue;
        const windows = this.#windows(kind, step);
        readChanges(body, {
          put: (window, key, kept) => this.put(kind, step, { window, key, body: kept }),
          remove: (window, key) => windows.get(text(window))?.delete(text(key)),
          removeWindow: (window) => windows.delete(text(window)),
        });
      }
    }
  }

  #windows(kind: ChunkKind, step: string): Map<string, Map<string, Entry>> {
    const name = `${kind === "gone" ? "records" : kind} ${step}`;
    let windows = this.#entries.get(name);
    if (windows === undefined) this.#entries.set(name, (windows = new Map()));
    return windows;
  }

  /** A checkpoint with these chunks, which have been taken up last. */
  snapshot(chunks: readonly Chunk[]): Snapshot {
    const windowsOf = (kind: ChunkKind, step: string): Iterable<Map<string, Entry>> =>
      this.#windows(kind, step).values();
    return {
      steps: () => new Set(chunks.filter(({ kind }) => kind === "stage").map(({ step }) => step)),
      chunks: (kind, step) =>
        chunks.filter((chunk) => chunk.kind === kind && chunk.step === step).map(({ body }) => body),
      *entries(kind, step) {
        for (const keys of windowsOf(kind, step)) yield* keys.values();
      },
    };
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
