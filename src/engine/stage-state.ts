/**
 * One stage inside the engine: its watermarks, holds, timers, calls and inbox, and the host that its runner sees.
 *
 * W1 Both watermarks only move forward; the output watermark never passes the input watermark or a hold.
 * W2 While elements wait in the inbox the input watermark stands still: what came before a watermark is handled before it.
 *    Elements that are parked or in calls hold it at their own time, so that no window expires under them.
 */
import type { SinkJob } from "../fn/sink.ts";
import type { CollectionId, StepId } from "../graph/graph.ts";
import type { Emitter } from "../host/emitter.ts";
import type { CallHost, DropReason, SideInputHost, StageHost } from "../host/host.ts";
import { type KeyedRecord, type RecordFormat, RecordStore } from "../host/records.ts";
import type { RecordRows } from "../host/snapshot.ts";
import type { CallPolicy, Stage } from "../host/stage.ts";
import type { StageRunner } from "../host/stage-runner.ts";
import type { ElementCount, ElementCounts } from "../host/element-counts.ts";
import type { UserMetrics } from "../host/user-metrics.ts";
import type { Pane } from "../model/pane.ts";
import { MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import { CallQueue } from "./calls.ts";
import { ColdRecords } from "./cold-records.ts";
import { type Hold, Holds } from "./holds.ts";
import type { SideInputStore } from "./side-input-store.ts";
import { WrittenRecords } from "./record-chunks.ts";
import type { Reading } from "./source.ts";
import { StageTimers } from "./timers.ts";

/** Where a stage's element waits when it cannot be handled at once. */
export interface Waiting {
  readonly collection: CollectionId;
  readonly value: unknown;
  readonly timestamp: Timestamp;
  readonly windows: readonly Window[];
  readonly pane: Pane;
}

export interface Parked extends Waiting {
  readonly hold: Hold;
}

/** What a stage needs of the engine around it. */
export interface StageEngine {
  now(): number;
  readonly options: unknown;
  readonly views: SideInputStore;
  edge(collection: CollectionId): Emitter;
  deliverResult(stage: number, callId: number, attempt: number, effects: object): void;
  onBundleFinalized(callback: () => void | Promise<void>): void;
  trackWork(stage: StageState, work: Promise<void>, done: () => void): void;
  dropped(step: StepId, reason: DropReason): void;
  readonly sinkJob: SinkJob | undefined;
  readonly counts: ElementCounts;
  readonly metrics: UserMetrics;
}

export class StageState {
  readonly stage: Stage;
  /** What timers hold back at the output. */
  readonly holds: Holds = new Holds();
  /** Elements that have come but are not handled yet, parked or in calls: they hold the input back, and with it expiry. */
  readonly pending: Holds = new Holds();
  readonly timers: StageTimers;
  readonly calls: CallQueue | undefined;
  readonly host: StageHost;
  readonly upstream: StageState[] = [];
  /** Those that its output comes to and that can be busy. */
  readonly below: StageState[] = [];
  /** Where its elements are read, for a source. */
  reading: Reading | undefined;
  /** Where its source stood when the checkpoint was made that the job goes on from. */
  readingBefore: unknown;
  /** Set once by the engine before anything runs. */
  runner: StageRunner = undefined as unknown as StageRunner;
  store: RecordStore<KeyedRecord> | undefined;
  /** With checkpoints, of a step that can do without some of its records in memory. */
  cold: ColdRecords | undefined;
  readonly written: WrittenRecords = new WrittenRecords();

  inputWatermark: Timestamp = MIN_TIMESTAMP;
  outputWatermark: Timestamp = MIN_TIMESTAMP;
  /** Whether a bundle is open. */
  open = false;
  /** For a stage whose bundles begin and end by promises: where it stands. */
  bundlePhase: "closed" | "changing" | "open" = "closed";
  full = false;
  /** Since when, in processing time, it has been full, and its bundle has been beginning or ending by a promise. */
  fullSince: number = Infinity;
  bundleSince: number = Infinity;
  /** Flushes and the like that hold the stage back from its end. */
  work = 0;
  readonly #arrivals: ElementCount[] = [];
  bundles = 0;
  /** Milliseconds at work: reading, ending bundles, firing timers, and all that this calls in the stages behind it. */
  busyMs = 0;
  readonly inbox: Waiting[] = [];
  /** Elements that wait for side inputs, by window, each in the order of coming. */
  readonly #parked = new Map<string, Parked[]>();
  #parkedCount = 0;
  /** The side inputs' version at which the parked elements were last tried. */
  triedAt = -1;

  constructor(stage: Stage, engine: StageEngine, policy: CallPolicy | undefined) {
    this.stage = stage;
    const refused = (): void => engine.dropped(stage.steps[0] as StepId, "timer");
    const willChange = (record: KeyedRecord): void => {
      const { store } = this;
      if (store !== undefined && record.mark !== store.interval) store.touch(record);
    };
    this.timers = new StageTimers(
      this.holds,
      refused,
      willChange,
      policy && ((window) => this.calls?.isBusy(window) === true),
    );
    const setFull = (full: boolean): void => {
      if (full !== this.full) this.fullSince = full ? engine.now() : Infinity;
      this.full = full;
    };
    this.calls =
      policy &&
      new CallQueue(
        policy,
        {
          now: () => engine.now(),
          inputWatermark: () => this.inputWatermark,
          deliverResult: (callId, attempt, effects) => engine.deliverResult(stage.id, callId, attempt, effects),
          setFull,
          takeTimer: (timer) => this.timers.take(timer),
          step: stage.name,
        },
        this.pending,
        this.holds,
      );
    this.host = this.#makeHost(engine, setFull);
  }

  #makeHost(engine: StageEngine, setFull: (full: boolean) => void): StageHost {
    const { views } = engine;
    const sideInputs: SideInputHost = {
      ready: (view, window) => views.ready(view, window),
      contents: (view, window) => views.contents(view, window),
      put: (view, window, contents) => views.put(view, window, contents),
      park: (value, timestamp, window, pane) => this.#park(value, timestamp, window, pane),
    };
    return {
      output: (collection) => engine.edge(collection),
      timers: this.timers,
      sideInputs,
      // A stage without calls never asks for them.
      calls: this.calls as CallHost,
      records: <R extends KeyedRecord>(format: RecordFormat<R>): RecordStore<R> => {
        this.store ??= new RecordStore<KeyedRecord>(format);
        return this.store as unknown as RecordStore<R>;
      },
      dropped: (step, reason) => engine.dropped(step, reason),
      onBundleFinalized: (callback) => engine.onBundleFinalized(callback),
      setFull,
      trackWork: (work, done) => engine.trackWork(this, work, done),
      options: engine.options,
      sinkJob: engine.sinkJob,
      counts: engine.counts,
      metrics: engine.metrics,
      inputWatermark: () => this.inputWatermark,
      outputWatermark: () => this.outputWatermark,
      now: () => engine.now(),
    };
  }

  /** Begins to track what changes in its records. @param interval the first, above all before */
  track(interval: number, rows: RecordRows): void {
    const { store } = this;
    if (store?.format.lazy === true) {
      this.cold = new ColdRecords(store, this.timers, rows);
      this.timers.setCold(this.cold);
    }
    store?.track(interval, this.cold);
  }

  #park(value: unknown, timestamp: Timestamp, window: Window, pane: Pane): void {
    const hold = this.pending.add(Math.max(timestamp, this.inputWatermark));
    const collection = this.stage.inputs[0] as CollectionId;
    const parked: Parked = { collection, value, timestamp, windows: [window], pane, hold };
    const others = this.#parked.get(window.id);
    if (others === undefined) this.#parked.set(window.id, [parked]);
    else others.push(parked);
    this.#parkedCount++;
  }

  /** Parks an element that was parked when the checkpoint was made. */
  restoreParked(value: unknown, timestamp: Timestamp, window: Window, pane: Pane): void {
    this.#park(value, timestamp, window, pane);
  }

  /** What waits for side inputs, window by window. */
  parked(): Iterable<readonly Parked[]> {
    return this.#parked.values();
  }

  /** A way in that counts what comes. */
  arrival(): ElementCount {
    const traffic = { elements: 0 };
    this.#arrivals.push(traffic);
    return traffic;
  }

  /** Elements that had come when the checkpoint was made that the job goes on from. */
  arrivedBefore = 0;

  get elementsIn(): number {
    return this.#arrivals.reduce((sum, { elements }) => sum + elements, this.arrivedBefore);
  }

  /** How many elements wait for side inputs. */
  get parkedCount(): number {
    return this.#parkedCount;
  }

  /** Begins a bundle where none is open. */
  begin(): void {
    if (this.open) return;
    this.open = true;
    this.bundles++;
    // Where it gives a promise the engine begins bundles itself (`bundlePhase`).
    void this.runner.startBundle();
  }

  /**
   * Tries parked elements again. Whether side inputs are ready depends on the window alone, so the first of a window speaks for
   * the others: trying costs O(windows), however many wait.
   */
  unpark(version: number): void {
    if (this.#parkedCount === 0 || this.triedAt === version) return;
    this.triedAt = version;
    this.begin();
    // A copy: a window that is not ready comes back into the map, behind the others.
    for (const [windowId, waiting] of Array.from(this.#parked)) {
      this.#parked.delete(windowId);
      this.#parkedCount -= waiting.length;
      for (const [index, { collection, value, timestamp, windows, pane, hold }] of waiting.entries()) {
        this.runner.entry(collection).emit(value, timestamp, windows, pane);
        const again = index === 0 ? this.#parked.get(windowId)?.[0] : undefined;
        if (again !== undefined) {
          this.pending.release(again.hold);
          this.#parked.set(windowId, waiting);
          this.#parkedCount += waiting.length - 1;
          break;
        }
        this.pending.release(hold);
      }
    }
  }

  /** Whether it cannot take more for now, and will by itself: its sink or calls are full, or bundles have not ended. */
  get isBusy(): boolean {
    return this.full || this.inbox.length >= WAITING_MAX;
  }

  /** One below that is busy: until it is not, timers that are due wait. */
  get stoppedBy(): StageState | undefined {
    const { below } = this;
    for (let i = 0; i < below.length; i++) if ((below[i] as StageState).isBusy) return below[i];
    return undefined;
  }

  /** Whether too much waits in it for side inputs. */
  get keepsWaiting(): boolean {
    return this.#parkedCount >= WAITING_MAX;
  }

  /** The input watermark as its inputs would have it now. */
  nextInputWatermark(): Timestamp {
    if (this.inbox.length > 0 || this.bundlePhase !== "closed") return this.inputWatermark;
    let least = Math.min(this.reading?.watermark() ?? Infinity, this.pending.earliest());
    for (const upstream of this.upstream) if (upstream.outputWatermark < least) least = upstream.outputWatermark;
    return least;
  }

  /** Whether the watermark has passed a timer that has not fired. */
  get hasDueTimers(): boolean {
    return this.timers.nextEventTime() < this.inputWatermark;
  }

  /** Whether there is anything to open a bundle for. */
  hasWork(now: number, viewsVersion: number): boolean {
    return (
      this.inbox.length > 0 ||
      (this.#parkedCount > 0 && this.triedAt !== viewsVersion) ||
      (this.calls?.size ?? 0) > 0 ||
      this.hasDueTimers ||
      this.timers.nextProcessingTime() <= now
    );
  }

  advanceInput(to: Timestamp): void {
    if (to > this.inputWatermark) this.inputWatermark = to;
  }

  advanceOutput(): boolean {
    const to = Math.min(this.inputWatermark, this.timers.earliestHold(), this.holds.earliest());
    if (to <= this.outputWatermark) return false;
    this.outputWatermark = to;
    return true;
  }
}

/** Elements that wait for side inputs, or for a bundle that begins by a promise, before the stage counts as full. */
const WAITING_MAX = 10_000;
