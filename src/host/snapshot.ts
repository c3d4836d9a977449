/**
 * What a checkpoint consists of: bytes under names that stay the same from one version of a program to the next.
 *
 * C1 Of each checkpoint all chunks of one kind and step are read together, in the order in which they were put.
 * C2 `gone`, `records` and `view` say what has changed since the checkpoint before, `gone` before the others: what is current
 *    follows from all of them. All other kinds stand for themselves.
 */
import { ByteReader, corrupt } from "../coders/byte-reader.ts";
import type { ByteWriter } from "../coders/byte-writer.ts";

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
  /** What was put last, and what it was extended by since. */
  readonly bodies: readonly Uint8Array[];
  readonly times: EntryTimes;
}

/** Until when a record need not be in memory: not after the earliest of its timers of each kind. Infinity where there is none. */
export interface EntryTimes {
  /** The watermark passes its first event-time timer. */
  readonly event: number;
  /** The clock comes to its first processing-time timer. */
  readonly processing: number;
  /** What it holds the output watermark at, but for event-time timers that hold it at their own time. */
  readonly hold: number;
}

export const TIME_KINDS = ["event", "processing", "hold"] as const;
export type TimeKind = (typeof TIME_KINDS)[number];
export const NO_TIMES: EntryTimes = Object.freeze({ event: Infinity, processing: Infinity, hold: Infinity });

/** A record with a time of one kind, and where it stands among them: by time, then window, then key. */
export interface TimedEntry {
  readonly time: number;
  readonly window: Uint8Array;
  readonly key: Uint8Array;
}

/**
 * Records of one step as they were at an earlier checkpoint, to be looked up one by one: right for those that have not changed
 * since. @throws CHECKPOINT_DAMAGED
 */
export interface RecordRows {
  get(window: Uint8Array, key: Uint8Array): Entry | undefined;
  /** Of one window, in the order of keys. @param after the key before them */
  page(window: Uint8Array, after: Uint8Array | undefined, most: number): readonly Entry[];
  /** In their order. @param after the one before them */
  timed(kind: TimeKind, after: TimedEntry, most: number): readonly TimedEntry[];
}

/** What has changed in the records of a step in one epoch. */
export interface StepChanges {
  readonly epoch: number;
  readonly records: readonly Uint8Array[];
  /** Read before `records`. */
  readonly gone: readonly Uint8Array[];
}

/** A checkpoint to go on from. */
export interface Snapshot {
  /** The steps that it has something of. */
  steps(): ReadonlySet<string>;
  /** Those of a kind that stands for itself. */
  chunks(kind: ChunkKind, step: string): Iterable<Uint8Array>;
  /** What is current. */
  entries(kind: "records" | "view", step: string): Iterable<Entry>;
  /** The epoch of `rows`. */
  readonly folded: number;
  rows(step: string): RecordRows;
  /** What has changed since, up to this checkpoint, the newest first. */
  changes(step: string): Iterable<StepChanges>;
}

/** Changes, as chunks of `records` and `view` have them one after the other. */
export const CHANGE = { put: 1, remove: 2, removeWindow: 3, extend: 4 } as const;

/** Who is told of changes, in their order. */
export interface ChangeTarget {
  /** @param sameTimes whether what was put before has these times, if there is any */
  put(window: Uint8Array, key: Uint8Array, body: Uint8Array, times: EntryTimes, sameTimes: boolean): unknown;
  /** Adds to what was put, whose times stay. */
  extend(window: Uint8Array, key: Uint8Array, body: Uint8Array): unknown;
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
    if (change === CHANGE.put) {
      const key = part();
      const flags = input.byte();
      const times = readTimes(flags, input);
      target.put(window, key, part(), times, (flags & SAME_TIMES) !== 0);
    } else if (change === CHANGE.extend) target.extend(window, part(), part());
    else if (change === CHANGE.remove) target.remove(window, part());
    else if (change === CHANGE.removeWindow) target.removeWindow(window);
    else throw corrupt(`a change of kind ${change}`);
  }
}

const SAME_TIMES = 8;

/** @param same see ChangeTarget.put */
export function writeTimes({ event, processing, hold }: EntryTimes, same: boolean, out: ByteWriter): void {
  const there = (event === Infinity ? 0 : 1) | (processing === Infinity ? 0 : 2) | (hold === Infinity ? 0 : 4);
  out.byte(there | (same ? SAME_TIMES : 0));
  if (event !== Infinity) out.float64(event);
  if (processing !== Infinity) out.float64(processing);
  if (hold !== Infinity) out.float64(hold);
}

function readTimes(flags: number, input: ByteReader): EntryTimes {
  if ((flags & 7) === 0) return NO_TIMES;
  const time = (bit: number): number => ((flags & bit) === 0 ? Infinity : input.float64());
  return { event: time(1), processing: time(2), hold: time(4) };
}
