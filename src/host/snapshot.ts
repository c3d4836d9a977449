/**
 * What a checkpoint consists of: bytes under names that stay the same from one version of a program to the next.
 *
 * C1 Of each checkpoint all chunks of one kind and step are read together, in the order in which they were put.
 * C2 `gone`, `records` and `view` say what has changed since the checkpoint before, `gone` before the others: what is current
 *    follows from all of them. All other kinds stand for themselves.
 */
import { ByteReader, corrupt } from "../coders/byte-reader.ts";

/** `sealed`: output of a sink, to be made visible after the checkpoint. */
export type ChunkKind = "job" | "stage" | "waiting" | "records" | "gone" | "view" | "sealed";

export interface Chunk {
  readonly kind: ChunkKind;
  /** The path name of the step that it is about; of a stage its first. Empty for the job. */
  readonly step: string;
  readonly body: Uint8Array;
}

/** Takes the chunks of one checkpoint, and the memory of their bodies with them. */
export interface SnapshotSink {
  put(chunk: Chunk): void;
}

/** What is kept for one key and window. */
export interface Entry {
  readonly window: Uint8Array;
  readonly key: Uint8Array;
  readonly body: Uint8Array;
}

/** A checkpoint to go on from. */
export interface Snapshot {
  /** The steps that it has something of. */
  steps(): ReadonlySet<string>;
  /** Those of a kind that stands for itself. */
  chunks(kind: ChunkKind, step: string): Iterable<Uint8Array>;
  /** What is current. */
  entries(kind: "records" | "view", step: string): Iterable<Entry>;
}

/** Changes, as chunks of `records` and `view` have them one after the other. */
export const CHANGE = { put: 1, remove: 2, removeWindow: 3 } as const;

/** Who is told of changes, in their order. */
export interface ChangeTarget {
  put(window: Uint8Array, key: Uint8Array, body: Uint8Array): unknown;
  remove(window: Uint8Array, key: Uint8Array): unknown;
  removeWindow(window: Uint8Array): unknown;
}

/** Reads a chunk of changes. The bytes told of are views of it. */
export function readChanges(chunk: Uint8Array, target: ChangeTarget): void {
  const input = new ByteReader(chunk);
  const part = (): Uint8Array => input.view(input.length());
  while (input.remaining > 0) {
    const change = input.byte();
    const window = part();
    if (change === CHANGE.put) target.put(window, part(), part());
    else if (change === CHANGE.remove) target.remove(window, part());
    else if (change === CHANGE.removeWindow) target.removeWindow(window);
    else throw corrupt(`a change of kind ${change}`);
  }
}
