/**
 * Sinks: how elements go out.
 *
 * K1 `write` is synchronous and only takes the element in; where it cannot take more, `flush` is awaited before more come.
 * K2 `seal(epoch)` returns what belongs to the epoch as encodable chunks; `commit` makes it visible and is idempotent.
 * K3 `lastCommitted` says which epoch the outside world has seen, so that a restart neither loses nor repeats one.
 * K4 A writer opened for a durable job hands output over by epochs only: `finish` comes after the commit of the last epoch, and
 *    `close` after it is on record that the job has ended.
 * K5 Nothing becomes visible by `finish` before every sink of the job has flushed: what fails in writing leaves nothing of any of
 *    them. Where a `finish` itself fails, sinks that came before it have become visible, as no two places change as one.
 * K6 A writer opened without a job is never sealed: what it was given becomes visible by `finish`.
 */
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";

/** The number of a stretch of output that becomes visible as one, from 1. */
export type Epoch = number;

/** What is known of an element beside its value. */
export interface ElementMeta {
  readonly timestamp: Timestamp;
  readonly windows: readonly Window[];
  readonly pane: Pane;
}

/** One writer of one run. */
export interface SinkWriter<T> {
  /** `true` (or nothing) to go on; `false` when `flush` has to be awaited first. */
  write(value: T, meta: ElementMeta): boolean | void;
  /** Resolves when what was written has been handed on far enough for more to be taken. */
  flush?(): Promise<void>;
  /** What belongs to the epoch and was written since the last one, as chunks to be kept until `commit`. */
  seal(epoch: Epoch): Uint8Array[];
  /** Makes the chunks of a sealed epoch visible. May be called again with the same ones. */
  commit(epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void>;
  /** 0 before the first: epochs are numbered from 1. */
  lastCommitted(): Promise<Epoch>;
  /** The input is over, and every sink of the job has flushed: makes everything written visible. */
  finish?(): Promise<void>;
  /** The job failed or was cancelled: takes back what is not visible yet. */
  abort?(): void | Promise<void>;
  /** Called last in any case, after `finish` or `abort`. */
  close(): void | Promise<void>;
}

/** A job whose output must go on where it stood when the job is restarted. */
export interface SinkJob {
  /** The same in every restart of the job, and another one for each new job. */
  readonly jobId: string;
}

/** Where elements go out. Given to `collection.write`. */
export interface Sink<T> {
  /** For graphs and messages, as in `text(out.txt)`. */
  readonly name: string;
  /** What a run writes as a whole, as an absolute path or a URL: two steps of a pipeline that replace the same are refused. */
  readonly replaces?: string;
  /** @param job given by a durable run, which seals and commits; left out where output becomes visible at the end */
  open(job?: SinkJob): SinkWriter<T> | Promise<SinkWriter<T>>;
}
