/**
 * What a running stage needs of its host. The embedded engine is one host; a worker of another runner is a second one.
 *
 * Every hold has an owner (a timer, a call in flight, a parked element), so none can leak.
 */
import type { CollectionId, StepId, ViewId } from "../graph/graph.ts";
import type { Pane } from "../model/pane.ts";
import type { SinkJob } from "../fn/sink.ts";
import type { TimeDomain } from "../fn/timer.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { Emitter } from "./emitter.ts";
import type { KeyedRecord, RecordFormat, RecordStore, StateData, TimerEntry } from "./records.ts";
import type { ElementCounts } from "./element-counts.ts";
import type { UserMetrics } from "./user-metrics.ts";

/** Event time and processing time as the stage sees them. */
export interface TimeHost {
  inputWatermark(): Timestamp;
  outputWatermark(): Timestamp;
  /** Processing time in milliseconds. */
  now(): number;
}

/** Timers and, with them, watermark holds. */
export interface TimerHost {
  /** Fires the stage's `fireWindow` when the watermark is after `at`; holds the output watermark at `holdAt` (default: not at all). */
  setWindowTimer(window: Window, at: Timestamp, holdAt?: Timestamp): void;
  /**
   * A window timer that takes state with it. When the input is over it waits for the processing-time timers of the stage;
   * before that it does not, since a window of a running job may not outlive its time.
   */
  setExpiryTimer(window: Window, at: Timestamp, holdAt?: Timestamp): void;
  /** Sets, or replaces, the timer `family`/`tag` of `record`. `holdAt` above MAX_TIMESTAMP holds nothing. */
  set(record: KeyedRecord, family: string, tag: string, domain: TimeDomain, at: Timestamp, holdAt: Timestamp): void;
  clear(record: KeyedRecord, family: string, tag: string): void;
  clearAll(record: KeyedRecord): void;
}

/**
 * Why something went no further: an element whose window had `expired` or `closed`, that lies in the `gap` between two
 * windows, or that is too late for a side input (`view`); a processing-time `timer` whose window expired before it was due.
 */
export type DropReason = "expired" | "closed" | "gap" | "view" | "timer";

/** Side inputs. */
export interface SideInputHost {
  ready(view: ViewId, sideWindow: Window): boolean;
  /** What the view holds for `sideWindow`: the elements of its newest pane; `undefined` where there was none. */
  contents(view: ViewId, sideWindow: Window): readonly unknown[] | undefined;
  put(view: ViewId, sideWindow: Window, contents: readonly unknown[]): void;
  /** Keeps an element of one window back until `views` are ready; it then enters the stage again. */
  park(value: unknown, timestamp: Timestamp, window: Window, pane: Pane): void;
}

/** An element whose call has not settled. */
export interface Invocation {
  readonly id: number;
  readonly value: unknown;
  readonly timestamp: Timestamp;
  readonly windows: readonly Window[];
  readonly pane: Pane;
  /** Set for a timer's or an expiry's call. */
  readonly timer?: InvokedTimer | undefined;
  attempt: number;
  /** Aborted when the attempt's time is out or the job ends: nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** What a call of a timer's callback, or of an expiry, is about. */
export interface InvokedTimer {
  readonly record: KeyedRecord;
  readonly family: string;
  readonly tag: string;
  readonly at: Timestamp;
  /** The timer itself, set until its call begins: one that an earlier call clears or moves is not called. Absent for an expiry. */
  readonly entry?: TimerEntry;
}

/** Calls that are queued, limited, timed, retried and ordered by the host. */
export interface CallHost {
  /** Queues an element; the host calls the stage's `invoke` when it is its turn. */
  submit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane, key: unknown): void;
  /** Queues a timer's call in the order of its key. */
  submitTimer(timer: InvokedTimer, timestamp: Timestamp, window: Window, key: unknown): void;
}

/**
 * Where the state of a stage lies when it is not in its records: with a runner, which is asked. A host whose records are the
 * state has none.
 */
export interface StateHost {
  /**
   * Fills a record that was just made with what is kept for its key and window. Synchronous, however long the answer takes:
   * user code reads cells synchronously on every host. What becomes of the record is the host's to hand back when the bundle ends.
   */
  load(record: KeyedRecord & StateData): void;
}

/** Everything, for one stage. */
export interface StageHost extends TimeHost {
  /** Where the elements of a collection go that leaves the stage. */
  output(collection: CollectionId): Emitter;
  readonly timers: TimerHost;
  readonly sideInputs: SideInputHost;
  readonly calls: CallHost;
  records<R extends KeyedRecord>(format: RecordFormat<R>): RecordStore<R>;
  readonly state?: StateHost | undefined;
  /** Counts an element or a timer that was dropped; `emitLate` says where it went. */
  dropped(step: StepId, reason: DropReason): void;
  /** Runs `callback` when what the bundle emitted is durable (without checkpoints: at the end of the turn). */
  onBundleFinalized(callback: () => void | Promise<void>): void;
  /** Tells the host that the stage cannot take more for now, and when it can again. */
  setFull(full: boolean): void;
  /**
   * Work of the stage's own that must finish before the job is done: flushing a sink. `done` is called in a later turn, when it
   * has finished.
   */
  trackWork(work: Promise<void>, done: () => void): void;
  readonly options: unknown;
  /** Given to sinks of a job with checkpoints. */
  readonly sinkJob?: SinkJob | undefined;
  /** Where the elements of collections are counted. */
  readonly counts: Pick<ElementCounts, "of">;
  /** Where user code keeps its metrics. */
  readonly metrics: Pick<UserMetrics, "of" | "add">;
}
