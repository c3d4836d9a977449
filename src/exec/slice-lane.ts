/**
 * Grouping in the slice lane: combining in sliding windows with the default trigger and end-of-window timestamps; any
 * lateness, both modes. Path: a fused chain -> HERE -> the step's output.
 *
 * L1 An element in its windows' time is added to its slice alone: one accumulator, however many windows it is in.
 * L2 Windows fire in order; each takes up the slices that are new to it, lets go of those that it is not in, and its value is
 *    the sum of a queue (two-stacks.ts) for each key.
 * L3 Elements that come in single windows, or behind a window that has fired, are kept beside, window by window (`own`):
 *    what they add to a window's value before it fires, and its late panes after that.
 * L4 One timer stands for all windows to come: the first that has elements. When it has fired, the next one's is set.
 */
import type { AnyCombine } from "../fn/combine-fn.ts";
import type { Emitter } from "../host/emitter.ts";
import type { StageHost } from "../host/host.ts";
import type { PendingList, PendingQuery } from "../host/pending.ts";
import type { MapKey, RecordFormat, RecordStore, WindowRecords } from "../host/records.ts";
import { ON_TIME_AND_ONLY, type Pane } from "../model/pane.ts";
import { MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import { IntervalWindow, type Window } from "../model/window.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { nextPane } from "../windowing/panes.ts";
import { expiryTime, isExpired } from "../windowing/strategy.ts";
import { stepFailure } from "./errors.ts";
import { accumulate, checkNewKey, checkPair, extract, type LateOutput, lookUpKey } from "./grouping.ts";
import type { StepInfo } from "./operators.ts";
import { isAsked, pendingIn } from "./pending.ts";
import { areSlice, type Cell, type Slice, Slices, SliceWindow, sliceWindow } from "./slices.ts";
import { add, expire, push, reset, sum, type TwoStacks, twoStacks } from "./two-stacks.ts";

/** What a key has in a window beside its slices. */
export interface OwnCell extends Cell {
  /** The last pane that was emitted; none until the first. */
  pane: Pane | undefined;
  /** Whether elements came since the last pane, after the window fired. */
  dirty: boolean;
}

const WINDOWS_CACHED_MAX = 2 ** 18;

/** What a checkpoint keeps of the lane beside its records: times, and the slices in order. */
interface SavedSlices {
  readonly firedMax: Timestamp;
  readonly period: number;
  readonly size: number;
  readonly taken: number;
  readonly slices: readonly (readonly [
    newestStart: Timestamp,
    newestEnd: Timestamp,
    oldestMax: Timestamp,
    start: Timestamp,
    end: Timestamp,
    open: boolean,
  ])[];
  readonly scheduled: readonly (readonly [id: string, max: Timestamp])[];
}

export class SliceLane implements Emitter {
  readonly #step: StepInfo;
  readonly #combine: AnyCombine;
  readonly #lateness: number;
  readonly #accumulating: boolean;
  readonly #host: StageHost;
  readonly #out: Emitter;
  readonly #late: LateOutput;
  readonly #records: RecordStore<OwnCell>;
  readonly #slices = new Slices();
  readonly #sliceById = new Map<string, Slice>();
  readonly #queues = new Map<MapKey, TwoStacks>();
  /** Windows whose firing has a timer: their last instants by their ids, since the last windows of all end at once. */
  readonly #scheduled = new Map<string, Timestamp>();
  #firedMax: Timestamp = -Infinity;
  /** From one window to the next; 0 before the first slice. */
  #period = 0;
  #size = 0;
  #dirty: OwnCell[] = [];
  /** Upstream shares window arrays between elements, so an array found once is found again by identity. */
  #sliceByWindows = new Map<readonly Window[], Slice>();
  #lastWindows: readonly Window[] | undefined;
  #lastSlice: Slice | undefined;
  /** The records of a single window that has not fired, as elements come in it one after the other. */
  #lastOwn: WindowRecords<OwnCell> | undefined;

  constructor(
    step: StepInfo,
    combine: AnyCombine,
    windowing: WindowingStrategy,
    host: StageHost,
    out: Emitter,
    late: LateOutput,
    format: RecordFormat<OwnCell>,
  ) {
    this.#step = step;
    this.#combine = combine;
    this.#lateness = windowing.allowedLateness;
    this.#accumulating = windowing.accumulation === "accumulating";
    this.#host = host;
    this.#out = out;
    this.#late = late;
    this.#records = host.records<OwnCell>(format);
  }

  emit(element: unknown, timestamp: Timestamp, windows: readonly Window[], _pane: Pane): void {
    checkPair(this.#step, element);
    if (windows !== this.#lastWindows) this.#find(windows);
    const slice = this.#lastSlice;
    try {
      const [key, value] = element;
      const mapKey = lookUpKey(this.#step, key);
      const own = this.#lastOwn?.records.get(mapKey);
      if (slice?.open === true) this.#addTo(slice.cells, key, mapKey, value);
      else if (own !== undefined) {
        this.#touch(own);
        own.accumulator = accumulate(this.#combine, this.#step.name, own.accumulator, value);
      } else this.#addByWindow(slice, element, mapKey, timestamp, windows);
    } catch (error) {
      throw stepFailure(error, {
        step: this.#step.name,
        element,
        windows,
        key: element[0],
        hasKey: true,
        deadLetters: false,
      });
    }
  }

  #addTo({ records, window }: WindowRecords<Cell>, key: unknown, mapKey: MapKey, value: unknown): void {
    const cell = records.get(mapKey);
    if (cell === undefined) {
      checkNewKey(this.#step, key);
      const fresh: Cell = { key, mapKey, window, timers: undefined, mark: 0, accumulator: undefined };
      this.#touch(fresh);
      fresh.accumulator = accumulate(this.#combine, this.#step.name, undefined, value);
      records.set(mapKey, fresh);
    } else {
      this.#touch(cell);
      cell.accumulator = accumulate(this.#combine, this.#step.name, cell.accumulator, value);
    }
  }

  #touch(cell: Cell): void {
    const records = this.#records;
    if (cell.mark !== records.interval) records.touch(cell as OwnCell);
  }

  #find(windows: readonly Window[]): void {
    this.#lastWindows = windows;
    this.#lastOwn = undefined;
    this.#lastSlice = this.#sliceByWindows.get(windows);
    if (this.#lastSlice !== undefined || !areSlice(windows)) return;
    const slice = this.#sliceOf(windows);
    // One that is behind every window is gone at once; it must not be remembered.
    if (slice === undefined) return;
    // Each entry keeps its array alive: few of long ones.
    const max = Math.max(64, WINDOWS_CACHED_MAX / windows.length);
    if (this.#sliceByWindows.size >= max) this.#sliceByWindows = new Map();
    this.#sliceByWindows.set(windows, slice);
    this.#lastSlice = slice;
  }

  #sliceOf(windows: readonly IntervalWindow[]): Slice | undefined {
    const newest = windows[0] as IntervalWindow;
    const oldest = windows.at(-1) as IntervalWindow;
    if (this.#isExpired(newest)) return undefined;
    this.#period = newest.start - (windows[1] as IntervalWindow).start;
    this.#size = newest.end - newest.start;
    const name = sliceWindow(oldest, newest);
    let slice = this.#sliceById.get(name.id);
    if (slice !== undefined) return slice;
    const cells = this.#records.open(name) as unknown as WindowRecords<Cell>;
    const { maxTimestamp: oldestMax } = oldest;
    slice = { newest, oldestMax, newestMax: newest.maxTimestamp, cells, open: !this.#isFired(oldestMax) };
    this.#sliceById.set(name.id, slice);
    this.#slices.insert(slice);
    const next = windows.findLast((window) => !this.#isFired(window.maxTimestamp));
    if (next !== undefined) this.#schedule(next);
    if (this.#lateness > 0) this.#host.timers.setWindowTimer(newest, this.#expiry(newest));
    return slice;
  }

  #expiry(window: Window): Timestamp {
    return expiryTime(window, this.#lateness);
  }

  #isExpired(window: Window): boolean {
    return isExpired(window, this.#lateness, this.#host.inputWatermark());
  }

  /** A window that the watermark has passed has fired, unless its turn is still to come in this one. */
  #isFired(max: Timestamp): boolean {
    if (max <= this.#firedMax) return true;
    if (this.#host.inputWatermark() <= max) return false;
    for (const scheduled of this.#scheduled.values()) if (scheduled <= max) return false;
    return true;
  }

  #schedule(window: Window): void {
    const { id, maxTimestamp } = window;
    if (this.#scheduled.has(id)) return;
    this.#scheduled.set(id, maxTimestamp);
    this.#host.timers.setWindowTimer(window, maxTimestamp, maxTimestamp);
  }

  /** An element with windows that are over, or that stands by itself: each window is judged alone. */
  #addByWindow(
    slice: Slice | undefined,
    element: readonly [unknown, unknown],
    mapKey: MapKey,
    timestamp: Timestamp,
    windows: readonly Window[],
  ): void {
    const [key, value] = element;
    let inSlice = false;
    for (const window of windows) {
      if (this.#isExpired(window)) {
        this.#late.drop(element, timestamp, window, this.#expiry(window), "expired");
        continue;
      }
      const fired = this.#isFired(window.maxTimestamp);
      const fromSlice = slice !== undefined && (this.#accumulating || !fired);
      inSlice ||= fromSlice;
      if (!fired) this.#schedule(window);
      if (fromSlice && !fired) continue;
      const cell = this.#own(key, mapKey, window, fired);
      this.#touch(cell);
      if (!fromSlice) cell.accumulator = accumulate(this.#combine, this.#step.name, cell.accumulator, value);
      if (fired && !cell.dirty) {
        cell.dirty = true;
        this.#dirty.push(cell);
      }
    }
    if (slice === undefined) this.#remember(windows);
    if (slice === undefined || !inSlice) return;
    this.#addTo(slice.cells, key, mapKey, value);
    const queue = this.#queues.get(mapKey);
    if (queue !== undefined) queue.stale = true;
    else this.#queues.set(mapKey, { ...twoStacks(key), stale: true });
  }

  /** Where one window has not fired, what comes next in it needs no judging. */
  #remember(windows: readonly Window[]): void {
    const [window] = windows;
    if (windows.length === 1 && this.#scheduled.has((window as Window).id)) {
      this.#lastOwn = this.#records.find(window as Window);
    }
  }

  #own(key: unknown, mapKey: MapKey, window: Window, fired: boolean): OwnCell {
    let slot = this.#records.find(window);
    if (slot === undefined) {
      slot = this.#records.open(window);
      if (this.#lateness > 0) this.#host.timers.setWindowTimer(window, this.#expiry(window));
    }
    let cell = slot.records.get(mapKey);
    if (cell === undefined) {
      checkNewKey(this.#step, key);
      const pane = fired && this.#wasInSlices(mapKey, window.maxTimestamp) ? this.#onTime(window) : undefined;
      const fresh = { timers: undefined, mark: 0, accumulator: undefined, pane, dirty: false };
      cell = { key, mapKey, window: slot.window, ...fresh };
      slot.records.set(mapKey, cell);
    }
    return cell;
  }

  /** Whether a key without a cell of its own had a value when its window fired. */
  #wasInSlices(mapKey: MapKey, max: Timestamp): boolean {
    for (const { cells } of this.#slices.of(max)) if (cells.records.has(mapKey)) return true;
    return false;
  }

  #onTime({ maxTimestamp }: Window): Pane {
    return nextPane(undefined, this.#host.inputWatermark(), MIN_TIMESTAMP, maxTimestamp, false);
  }

  fireWindow(window: Window, _at: Timestamp): void {
    this.#lastOwn = undefined;
    if (this.#scheduled.delete(window.id)) this.#fire(window as IntervalWindow);
    if (this.#isExpired(window)) this.#records.drop(window);
    // What still comes for a slice that is dropped finds each of its windows expired.
    this.#slices.dropUntil(
      ({ newest, newestMax }) => this.#isFired(newestMax) && this.#isExpired(newest),
      ({ cells }) => {
        this.#sliceById.delete(cells.window.id);
        this.#records.drop(cells.window);
      },
    );
  }

  #fire(window: IntervalWindow): void {
    const max = window.maxTimestamp;
    this.#firedMax = Math.max(this.#firedMax, max);
    const windows = [window];
    this.#takeUp(max, windows);
    const slot = this.#records.find(window);
    const pane = this.#isExpired(window) ? ON_TIME_AND_ONLY : this.#onTime(window);
    if (slot !== undefined) slot.fired = true;
    for (const [mapKey, queue] of this.#queues) {
      let accumulator: unknown;
      try {
        if (!this.#bringUpToDate(mapKey, queue, max)) {
          this.#queues.delete(mapKey);
          continue;
        }
        accumulator = sum(queue, this.#combine, this.#step.name);
        const own = slot?.records.get(mapKey);
        if (own?.accumulator !== undefined) accumulator = this.#plus(accumulator, own.accumulator);
      } catch (error) {
        throw stepFailure(error, { step: this.#step.name, windows, key: queue.key, hasKey: true });
      }
      this.#emit(queue.key, accumulator, windows, pane);
    }
    if (slot !== undefined) this.#fireOwn(slot, windows, pane);
    this.#scheduleNext(window);
  }

  #takeUp(max: Timestamp, windows: readonly Window[]): void {
    for (let slice = this.#slices.take(max); slice !== undefined; slice = this.#slices.take(max)) {
      const { newestMax } = slice;
      for (const [mapKey, { key, accumulator }] of slice.cells.records) {
        let queue = this.#queues.get(mapKey);
        if (queue === undefined) this.#queues.set(mapKey, (queue = twoStacks(key)));
        try {
          if (!queue.stale) push(queue, newestMax, accumulator, this.#combine, this.#step.name);
        } catch (error) {
          throw stepFailure(error, { step: this.#step.name, windows, key, hasKey: true });
        }
      }
    }
  }

  #bringUpToDate(mapKey: MapKey, queue: TwoStacks, max: Timestamp): boolean {
    if (queue.stale) {
      reset(queue);
      for (const { cells, newestMax } of this.#slices.of(max)) {
        const cell = cells.records.get(mapKey);
        if (cell !== undefined) push(queue, newestMax, cell.accumulator, this.#combine, this.#step.name);
      }
    }
    return expire(queue, max, this.#combine, this.#step.name);
  }

  /** What stood by itself in a window that fires: keys that are not in its slices get their pane here. */
  #fireOwn(slot: WindowRecords<OwnCell>, windows: readonly Window[], pane: Pane): void {
    for (const cell of slot.records.values()) {
      if (!this.#queues.has(cell.mapKey)) this.#emit(cell.key, cell.accumulator, windows, pane);
      this.#touch(cell);
      cell.pane = pane;
      if (!this.#accumulating) cell.accumulator = undefined;
    }
  }

  #scheduleNext({ start, end }: IntervalWindow): void {
    if (this.#period === 0) return;
    const next = new IntervalWindow(start + this.#period, end + this.#period);
    if (this.#slices.has(next.maxTimestamp)) this.#schedule(next);
  }

  /** What stands beside the records. Queues are made anew of slices. */
  save(): SavedSlices {
    const { slices, taken } = this.#slices.saved();
    return {
      firedMax: this.#firedMax,
      period: this.#period,
      size: this.#size,
      taken,
      slices: slices.map(({ newest, oldestMax, cells, open }) => {
        const { start, end } = cells.window as SliceWindow;
        return [newest.start, newest.end, oldestMax, start, end, open];
      }),
      scheduled: [...this.#scheduled],
    };
  }

  /** Goes on where `save` was called; the records are there. */
  restored({ firedMax, period, size, taken, slices, scheduled }: SavedSlices): void {
    this.#firedMax = firedMax;
    this.#period = period;
    this.#size = size;
    for (const [id, max] of scheduled) this.#scheduled.set(id, max);
    const all = slices.map(([newestStart, newestEnd, oldestMax, start, end, open]): Slice => {
      const newest = new IntervalWindow(newestStart, newestEnd);
      const name = new SliceWindow(start, end, newest.maxTimestamp);
      const cells = this.#records.open(name) as unknown as WindowRecords<Cell>;
      const slice = { newest, oldestMax, newestMax: newest.maxTimestamp, cells, open };
      this.#sliceById.set(cells.window.id, slice);
      return slice;
    });
    this.#slices.restore(all, taken);
    for (const { cells } of all.slice(0, taken))
      for (const [mapKey, { key }] of cells.records) this.#queues.set(mapKey, { ...twoStacks(key), stale: true });
  }

  /** Windows that have not come to their end. */
  pending(query: PendingQuery): PendingList {
    const windows = [...this.#unfired()].filter((window) => isAsked(window, query));
    return pendingIn(
      windows.map((window) => ({ window, records: this.#cellsOf(window) })),
      query,
      (_, { maxTimestamp }) => ({ what: "pane", need: { kind: "watermark", after: maxTimestamp } }),
    );
  }

  *#unfired(): Generator<Window> {
    const bySlices = new Set<string>();
    for (const max of this.#slices.windows(this.#period)) {
      if (this.#isFired(max)) continue;
      const window = new IntervalWindow(max + 1 - this.#size, max + 1);
      bySlices.add(window.id);
      yield window;
    }
    for (const { window } of this.#records.values())
      if (window instanceof IntervalWindow && !this.#isFired(window.maxTimestamp) && !bySlices.has(window.id))
        yield window;
  }

  /** One for each key that has something in a window. */
  #cellsOf(window: Window): Iterable<Cell> {
    const cells = new Map<MapKey, Cell>();
    for (const slice of this.#slices.of(window.maxTimestamp))
      for (const [mapKey, cell] of slice.cells.records) cells.set(mapKey, cell);
    for (const [mapKey, cell] of this.#records.find(window)?.records ?? []) cells.set(mapKey, cell);
    return cells.values();
  }

  /** Fires late panes. */
  finishBundle(): void {
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const cell of dirty) {
      cell.dirty = false;
      this.#touch(cell);
      const { maxTimestamp } = cell.window;
      let { accumulator } = cell;
      if (this.#accumulating) {
        try {
          for (const { cells } of this.#slices.of(maxTimestamp)) {
            const part = cells.records.get(cell.mapKey)?.accumulator;
            if (part !== undefined) accumulator = this.#plus(accumulator, part);
          }
        } catch (error) {
          throw stepFailure(error, { step: this.#step.name, windows: [cell.window], key: cell.key, hasKey: true });
        }
      } else cell.accumulator = undefined;
      cell.pane = nextPane(cell.pane, this.#host.inputWatermark(), this.#host.outputWatermark(), maxTimestamp, false);
      this.#emit(cell.key, accumulator, [cell.window], cell.pane);
    }
  }

  #plus(a: unknown, b: unknown): unknown {
    return a === undefined ? b : add(a, b, this.#combine, this.#step.name);
  }

  #emit(key: unknown, accumulator: unknown, windows: readonly Window[], pane: Pane): void {
    const value = extract(this.#combine, this.#step.name, accumulator, key, windows);
    this.#out.emit([key, value], (windows[0] as Window).maxTimestamp, windows, pane);
  }
}
