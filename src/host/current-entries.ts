/** What is current of records and views, once all changes up to a checkpoint have been told, in memory. */
import { type Chunk, type ChunkKind, type Entry, readChanges, type RecordRows, type TimedEntry } from "./snapshot.ts";

/** Kinds of chunks that say what has changed, in the order in which those of one checkpoint are read. */
export const CHANGE_KINDS: readonly ChunkKind[] = ["gone", "records", "view"];

interface Kept extends Entry {
  readonly bodies: Uint8Array[];
}

export class CurrentEntries {
  /** By kind and step, then by window, then by key. */
  readonly #entries = new Map<string, Map<string, Map<string, Kept>>>();

  put(kind: ChunkKind, step: string, { window, key, bodies, times }: Entry): void {
    const windows = this.#windows(kind, step);
    const name = text(window);
    let keys = windows.get(name);
    if (keys === undefined) windows.set(name, (keys = new Map()));
    keys.set(text(key), { window, key, bodies: [...bodies], times });
  }

  /** Takes up the changes of one checkpoint, among chunks of all kinds. */
  apply(chunks: readonly Chunk[]): void {
    for (const turn of CHANGE_KINDS) {
      for (const { kind, step, body } of chunks) {
        if (kind !== turn) continue;
        const windows = this.#windows(kind, step);
        readChanges(body, {
          put: (window, key, kept, times) => this.put(kind, step, { window, key, bodies: [kept], times }),
          extend: (window, key, more) => windows.get(text(window))?.get(text(key))?.bodies.push(more),
          remove: (window, key) => windows.get(text(window))?.delete(text(key)),
          removeWindow: (window) => windows.delete(text(window)),
        });
      }
    }
  }

  #windows(kind: ChunkKind, step: string): Map<string, Map<string, Kept>> {
    const name = `${kind === "gone" ? "records" : kind} ${step}`;
    let windows = this.#entries.get(name);
    if (windows === undefined) this.#entries.set(name, (windows = new Map()));
    return windows;
  }

  *all(kind: ChunkKind, step: string): Iterable<Entry> {
    for (const keys of this.#windows(kind, step).values()) yield* keys.values();
  }

  /** Cost: `page` and `timed` look at each entry. */
  rows(step: string): RecordRows {
    const windows = this.#windows("records", step);
    return {
      get: (window, key) => windows.get(text(window))?.get(text(key)),
      page: (window, after, most) =>
        [...(windows.get(text(window))?.values() ?? [])]
          .sort((a, b) => Buffer.compare(a.key, b.key))
          .filter(({ key }) => after === undefined || Buffer.compare(key, after) > 0)
          .slice(0, most),
      timed: (kind, after, most) =>
        [...windows.values()]
          .flatMap((keys) => [...keys.values()])
          .map(({ window, key, times }) => ({ time: times[kind], window, key }))
          .filter((entry) => entry.time !== Infinity && compareTimed(entry, after) > 0)
          .sort(compareTimed)
          .slice(0, most),
    };
  }
}

function compareTimed(a: TimedEntry, b: TimedEntry): number {
  return a.time - b.time || Buffer.compare(a.window, b.window) || Buffer.compare(a.key, b.key);
}

/** The parts of a snapshot that stand for themselves. @param chunks of one checkpoint */
export function ownChunks(chunks: readonly Chunk[]): {
  steps(): ReadonlySet<string>;
  chunks(kind: ChunkKind, step: string): Uint8Array[];
} {
  return {
    steps: () => new Set(chunks.filter(({ kind }) => kind === "stage").map(({ step }) => step)),
    chunks: (kind, step) =>
      chunks.filter((chunk) => chunk.kind === kind && chunk.step === step).map(({ body }) => body),
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
