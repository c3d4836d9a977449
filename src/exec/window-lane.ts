/**
 * Grouping in the window lane: non-merging windows, default trigger, end-of-window timestamps; any lateness, both modes.
 * Path: a fused chain -> HERE -> the step's output.
 *
 * L1 One timer for a window, not for a key; records lie window by window.
 * L2 Until its end a record holds one accumulator and nothing else; it fires once, on time, when the watermark passes.
 * L3 After that, within the allowed lateness, a key with new elements fires a late pane at the end of the bundle.
 */
import type { Emitter } from "../host/emitter.ts";
import type { StageHost } from "../host/host.ts";
import type { PendingList, PendingQuery } from "../host/pending.ts";
import type { KeyedRecord, MapKey, RecordFormat, RecordStore, WindowRecords } from "../host/records.ts";
import { ON_TIME_AND_ONLY, type Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { nextPane } from "../windowing/panes.ts";
import { expiryTime, isExpired } from "../windowing/strategy.ts";
import { stepFailure } from "./errors.ts";
import { pendingIn, recordsByWindow } from "./pending.ts";
import {
  accumulate,
  checkNewKey,
  checkPair,
  extract,
  type LaneCombine,
  type LateOutput,
  lookUpKey,
} from "./grouping.ts";
import type { StepInfo } from "./operators.ts";

export interface Cell extends KeyedRecord {
  accumulator: unknown;
  /** The last pane that was emitted; none until the first. */
  pane: Pane | undefined;
  /** Whether elements came since the last pane, after the window's end. */
  dirty: boolean;
}

function newCell(key: unknown, mapKey: MapKey, window: Window): Cell {
  return { key, mapKey, window, timers: undefined, mark: 0, accumulator: undefined, pane: undefined, dirty: false };
}

/** `undefined` for a window that has expired. */
type Slot = WindowRecords<Cell> | undefined;
const SLOTS_CACHED_MAX = 1024;

export class WindowLane implements Emitter {
  readonly #step: StepInfo;
  readonly #combine: LaneCombine;
  readonly #windowing: WindowingStrategy;
  readonly #host: StageHost;
  readonly #out: Emitter;
  readonly #late: LateOutput;
  readonly #records: RecordStore<Cell>;
  readonly #discarding: boolean;
  #dirty: Cell[] = [];
  /** Upstream shares window arrays between elements, so an array found once is found again by identity. */
  #slots = new Map<readonly Window[], readonly Slot[]>();
  #lastWindows: readonly Window[] | undefined;
  #lastSlots: readonly Slot[] = [];

  constructor(
    step: StepInfo,
    combine: LaneCombine,
    windowing: WindowingStrategy,
    host: StageHost,
    out: Emitter,
    late: LateOutput,
    format: RecordFormat<Cell>,
  ) {
    this.#step = step;
    this.#combine = combine;
    this.#windowing = windowing;
    this.#host = host;
    this.#out = out;
    this.#late = late;
    this.#records = host.records<Cell>(format);
    this.#discarding = windowing.accumulation === "discarding";
  }

  emit(element: unknown, timestamp: Timestamp, windows: readonly Window[], _pane: Pane): void {
    checkPair(this.#step, element);
    if (windows !== this.#lastWindows) this.#find(windows);
    const slots = this.#lastSlots;
    const combine = this.#combine;
    const step = this.#step;
    const records = this.#records;
    try {
      const key = element[0];
      const mapKey = lookUpKey(step, key);
      for (let i = 0; i < slots.length; i++) {
        const slot = slots[i];
        if (slot === undefined) {
          const window = windows[i] as Window;
          this.#late.drop(element, timestamp, window, expiryTime(window, this.#windowing.allowedLateness), "expired");
          continue;
        }
        let cell = slot.records.get(mapKey) ?? (slot.cold > 0 ? records.load(slot, key, mapKey) : undefined);
        if (cell === undefined) {
          checkNewKey(step, key);
          cell = newCell(key, mapKey, slot.window);
          slot.records.set(mapKey, cell);
        }
        if (cell.mark !== records.interval) records.touch(cell);
        cell.accumulator = accumulate(combine, step.name, cell.accumulator, element[1]);
        if (slot.fired && !cell.dirty) {
          cell.dirty = true;
          this.#dirty.push(cell);
        }
      }
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

  #find(windows: readonly Window[]): void {
    let slots = this.#slots.get(windows);
    if (slots === undefined) {
      slots = windows.map((window) => this.#slot(window));
      if (this.#slots.size >= SLOTS_CACHED_MAX) this.#slots = new Map();
      this.#slots.set(windows, slots);
    }
    this.#lastWindows = windows;
    this.#lastSlots = slots;
  }

  #slot(window: Window): Slot {
    const found = this.#records.find(window);
    if (found !== undefined) return found;
    const watermark = this.#host.inputWatermark();
    const expiry = expiryTime(window, this.#windowing.allowedLateness);
    if (watermark > expiry) return undefined;
    const made = this.#records.open(window);
    if (watermark > window.maxTimestamp) made.fired = true;
    else this.#host.timers.setWindowTimer(window, window.maxTimestamp, window.maxTimestamp);
    if (expiry > window.maxTimestamp) this.#host.timers.setWindowTimer(window, expiry);
    return made;
  }

  #forgetSlots(): void {
    this.#slots = new Map();
    this.#lastWindows = undefined;
  }

  fireWindow(window: Window, _at: Timestamp): void {
    const slot = this.#records.find(window);
    if (slot === undefined) return;
    this.#forgetSlots();
    const expired = isExpired(window, this.#windowing.allowedLateness, this.#host.inputWatermark());
    if (!slot.fired) {
      slot.fired = true;
      const windows = [window];
      const pane = expired ? ON_TIME_AND_ONLY : undefined;
      for (const cell of this.#records.all(slot, !expired)) this.#fire(cell, windows, pane);
    }
    if (expired) this.#records.drop(window);
  }

  /** Windows that have not come to their end. */
  pending(query: PendingQuery): PendingList {
    const open = [...this.#records.values()].filter(({ fired }) => !fired);
    return pendingIn(recordsByWindow(open), query, (_, window) => ({
      what: "pane",
      need: { kind: "watermark", after: window.maxTimestamp },
    }));
  }

  /** Fires late panes. */
  finishBundle(): void {
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const cell of dirty) {
      cell.dirty = false;
      this.#fire(cell, [cell.window], undefined);
    }
  }

  #touch(cell: Cell): void {
    if (cell.mark !== this.#records.interval) this.#records.touch(cell);
  }

  /** @param only the pane of a window that expires: its records are not changed any more (host/records P4) */
  #fire(cell: Cell, windows: readonly Window[], only: Pane | undefined): void {
    const { maxTimestamp } = cell.window;
    const pane =
      only ?? nextPane(cell.pane, this.#host.inputWatermark(), this.#host.outputWatermark(), maxTimestamp, false);
    const value = extract(this.#combine, this.#step.name, cell.accumulator, cell.key, windows);
    if (only === undefined) {
      this.#touch(cell);
      cell.pane = pane;
      if (this.#discarding) cell.accumulator = undefined;
    }
    this.#out.emit([cell.key, value], maxTimestamp, windows, pane);
  }
}
