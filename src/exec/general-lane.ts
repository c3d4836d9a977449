/**
 * Grouping in the general lane: any trigger, merging windows, any timestamp combiner: Beam's state machine per key and window.
 * Path: a fused chain -> HERE -> the step's output.
 *
 * G1 Elements are added as they come, merging windows as they come; triggers are asked at the end of the bundle, and when
 *    a timer fires: an early pane of a bundle has all of the bundle's elements.
 * G2 A timer stands at a window's end, then at its expiry: one of the window for all of its records, or where windows merge one of
 *    each record, which moves with it. A window that merely grows keeps its record.
 * G3 A record whose trigger has finished drops what comes after it (`closed`) until the window expires.
 */
import type { StageHost } from "../host/host.ts";
import type { PendingList, PendingQuery } from "../host/pending.ts";
import type { KeyedRecord, MapKey, RecordFormat, RecordStore, TimerEntry } from "../host/records.ts";
import type { Need } from "../model/need.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { IntervalWindow, Window } from "../model/window.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { nextPane } from "../windowing/panes.ts";
import { expiryTime, isExpired } from "../windowing/strategy.ts";
import {
  compileTrigger,
  type TriggerContext,
  type TriggerMachine,
  type TriggerState,
} from "../windowing/trigger-machine.ts";
import { unmet } from "../windowing/unmet.ts";
import { RecentCells } from "./recent-cells.ts";
import { stepFailure } from "./errors.ts";
import { accumulate, type LaneCombine, extract, type LateOutput, merge } from "./grouping.ts";
import type { StepInfo } from "./operators.ts";
import { pendingIn, type PendingOf, recordsByWindow } from "./pending.ts";

export interface Cell extends KeyedRecord {
  /** Where windows merge it may grow. */
  window: Window;
  accumulator: unknown;
  /** Elements since the last pane. */
  fresh: number;
  /** The timestamp of the next pane, as far as elements set it that came in time to hold the watermark there. */
  heldAt: Timestamp | undefined;
  trigger: TriggerState;
  /** The last pane that was emitted; none until the first. */
  pane: Pane | undefined;
  closed: boolean;
  /** False once the record was merged away or its window expired. */
  alive: boolean;
  touched: boolean;
  /** Its trigger has been told of an element and asked, and needs neither again until it fires or merges (trigger-machine M3). */
  told: boolean;
}

const DUE = "due";
const HOLD = "hold";
/** Where windows merge: the end of the record's window, or its expiry. */
const END = "end";

/** What leaves the lane: one pane of one key and window. */
export type PaneOutput = (
  key: unknown,
  accumulated: unknown,
  timestamp: Timestamp,
  windows: readonly Window[],
  pane: Pane,
) => void;

export class GeneralLane {
  readonly #step: StepInfo;
  readonly #combine: LaneCombine;
  readonly #windowing: WindowingStrategy;
  readonly #host: StageHost;
  readonly #output: PaneOutput;
  readonly #late: LateOutput;
  readonly #records: RecordStore<Cell>;
  readonly #machine: TriggerMachine;
  readonly #merging: boolean;
  /** The live windows of each key, where windows merge. */
  readonly #active = new Map<MapKey, Map<string, Cell>>();
  readonly #recent = new RecentCells<Cell>();
  #touched: Cell[] = [];
  /** One object, reused: what triggers may look at. */
  readonly #context = { watermark: 0, processingTime: 0, maxTimestamp: 0, atRest: false };

  constructor(
    step: StepInfo,
    combine: LaneCombine,
    windowing: WindowingStrategy,
    host: StageHost,
    output: PaneOutput,
    late: LateOutput,
    format: RecordFormat<Cell>,
  ) {
    this.#step = step;
    this.#combine = combine;
    this.#windowing = windowing;
    this.#host = host;
    this.#output = output;
    this.#late = late;
    this.#records = host.records<Cell>(format);
    this.#merging = windowing.windowFn.merge !== undefined;
    this.#machine = compileTrigger(windowing.trigger, this.#merging);
  }

  /** @param element the element as it came, for the late output */
  add(key: unknown, value: unknown, element: unknown, timestamp: Timestamp, windows: readonly Window[]): void {
    try {
      const mapKey = this.#step.toMapKey(key);
      const overlap = windows.length > 1 && !this.#merging;
      const known = overlap ? this.#recent.of(mapKey, windows) : undefined;
      const watermark = this.#host.inputWatermark();
      for (let i = 0; i < windows.length; i++) {
        const window = windows[i] as Window;
        const expiry = this.#expiry(window);
        if (watermark > expiry) {
          this.#late.drop(element, timestamp, window, expiry, "expired");
          continue;
        }
        let cell = known?.[i];
        if (cell === undefined) {
          cell = this.#merging ? this.#mergeInto(key, mapKey, window) : this.#cell(key, mapKey, window);
          if (known !== undefined) known[i] = cell;
        }
        if (cell.closed) this.#late.drop(element, timestamp, window, expiry, "closed");
        else this.#put(cell, value, timestamp);
      }
      if (known !== undefined) this.#recent.keep(mapKey, windows, known);
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, element, windows, key, hasKey: true, deadLetters: false });
    }
  }

  /** Goes on with the records of a checkpoint. */
  restored(): void {
    if (!this.#merging) return;
    for (const { records } of this.#records.values())
      for (const cell of records.values()) {
        if (cell.closed) continue;
        let active = this.#active.get(cell.mapKey);
        if (active === undefined) this.#active.set(cell.mapKey, (active = new Map()));
        active.set(cell.window.id, cell);
      }
  }

  #willChange(cell: Cell): void {
    if (cell.mark !== this.#records.interval) this.#records.touch(cell);
  }

  #put(cell: Cell, value: unknown, timestamp: Timestamp): void {
    this.#willChange(cell);
    cell.accumulator = accumulate(this.#combine, this.#step.name, cell.accumulator, value);
    cell.fresh++;
    this.#hold(cell, timestamp);
    if (cell.told) return;
    this.#machine.onElement(cell.trigger, this.#at(cell.window));
    cell.told = !this.#machine.counts;
    this.#touch(cell);
  }

  #touch(cell: Cell): void {
    if (cell.touched) return;
    cell.touched = true;
    this.#touched.push(cell);
  }

  /** Elements that are not emitted yet hold the watermark at the timestamp of their pane. */
  #hold(cell: Cell, timestamp: Timestamp): void {
    const { timestampCombiner } = this.#windowing;
    const before = cell.heldAt;
    if (timestampCombiner === "endOfWindow" && before !== undefined) return;
    const { maxTimestamp } = cell.window;
    const at = timestampCombiner === "endOfWindow" ? maxTimestamp : timestamp;
    if (this.#tooLateToHold(at, cell.window)) return;
    const held =
      before === undefined ? at : timestampCombiner === "earliest" ? Math.min(before, at) : Math.max(before, at);
    if (held === before) return;
    cell.heldAt = held;
    // Until its end the window's own timer holds this much.
    if (held < maxTimestamp) this.#holdTimer(cell, held);
    else if (before !== undefined) this.#host.timers.clear(cell, HOLD, "");
  }

  /** Nothing is held where the output watermark has been already, nor past a window's end, which no timer will come to. */
  #tooLateToHold(at: Timestamp, window: Window): boolean {
    return at < this.#host.outputWatermark() || window.maxTimestamp < this.#host.inputWatermark();
  }

  #holdTimer(cell: Cell, held: Timestamp): void {
    // Stands at the expiry: the pane that takes the hold away always comes first.
    this.#host.timers.set(cell, HOLD, "", "event", this.#expiry(cell.window), held);
  }

  #expiry(window: Window): Timestamp {
    return expiryTime(window, this.#windowing.allowedLateness);
  }

  #at(window: Window): TriggerContext {
    const context = this.#context;
    context.watermark = this.#host.inputWatermark();
    context.processingTime = this.#host.now();
    context.maxTimestamp = window.maxTimestamp;
    return context;
  }

  #cell(key: unknown, mapKey: MapKey, window: Window): Cell {
    let slot = this.#records.find(window);
    if (slot === undefined) {
      slot = this.#records.open(window);
      if (!this.#merging) this.#setWindowTimers(window);
    }
    let cell = slot.records.get(mapKey);
    if (cell === undefined) {
      cell = {
        key,
        mapKey,
        window: slot.window,
        timers: undefined,
        mark: 0,
        accumulator: undefined,
        fresh: 0,
        heldAt: undefined,
        trigger: this.#machine.create(),
        pane: undefined,
        closed: false,
        alive: true,
        touched: false,
        told: false,
      };
      slot.records.set(mapKey, cell);
      if (this.#merging) this.#setEndTimer(cell);
    }
    return cell;
  }

  #setEndTimer(cell: Cell): void {
    const { maxTimestamp } = cell.window;
    if (this.#host.inputWatermark() <= maxTimestamp && !cell.closed)
      this.#host.timers.set(cell, END, "", "event", maxTimestamp, maxTimestamp);
    else this.#host.timers.set(cell, END, "", "event", this.#expiry(cell.window), Infinity);
  }

  #setWindowTimers(window: Window): void {
    const { timers } = this.#host;
    const watermark = this.#host.inputWatermark();
    const expiry = this.#expiry(window);
    if (watermark <= window.maxTimestamp) timers.setWindowTimer(window, window.maxTimestamp, window.maxTimestamp);
    if (expiry > window.maxTimestamp) timers.setWindowTimer(window, expiry);
  }

  /** Files the element's own window among the key's, merges, and returns the record of the window that it ended in. */
  #mergeInto(key: unknown, mapKey: MapKey, window: Window): Cell {
    let active = this.#active.get(mapKey);
    active ??= new Map<string, Cell>();
    const windows = [...active.values()].map((cell) => cell.window);
    if (!active.has(window.id)) windows.push(window);
    let target = window;
    const { windowFn } = this.#windowing;
    for (const { from, into } of windowFn.merge?.(windows) ?? []) {
      if (from.some((w) => w.id === window.id)) target = into;
      this.#merge(active, from, into);
    }
    this.#combine.moveTo?.(target);
    const cell = this.#cell(key, mapKey, target);
    if (!cell.closed) active.set(target.id, cell);
    if (active.size > 0) this.#active.set(mapKey, active);
    return cell;
  }

  #merge(active: Map<string, Cell>, from: readonly Window[], into: Window): void {
    const cells = from.flatMap((window) => active.get(window.id) ?? []);
    const merged = active.get(into.id) ?? cells[0];
    if (merged === undefined || (cells.length === 1 && merged.window.id === into.id)) return;
    this.#willChange(merged);
    const states = cells.map((cell) => cell.trigger);
    const accumulators = cells.flatMap((cell) => (cell.accumulator === undefined ? [] : [cell.accumulator]));
    for (const cell of cells) if (cell !== merged) this.#forget(cell, active);
    if (merged.window.id !== into.id) this.#grow(merged, active, into);
    this.#combine.moveTo?.(into);
    merged.trigger = this.#machine.create();
    this.#machine.onMerge(merged.trigger, states, this.#at(into));
    merged.closed = this.#machine.isFinished(merged.trigger);
    merged.told = false;
    merged.accumulator =
      accumulators.length > 1 ? merge(this.#combine, this.#step.name, accumulators) : accumulators[0];
    merged.fresh = cells.reduce((sum, cell) => sum + cell.fresh, 0);
    merged.heldAt = this.#mergedHold(cells, into);
    if (merged.heldAt !== undefined) this.#holdTimer(merged, merged.heldAt);
    else this.#host.timers.clear(merged, HOLD, "");
    this.#touch(merged);
  }

  /** Files a record under the window that its own has become part of, as if it began there: its panes count anew. */
  #grow(cell: Cell, active: Map<string, Cell>, into: Window): void {
    this.#unfile(cell);
    active.delete(cell.window.id);
    const { records, window } = this.#records.open(into);
    // A session that had closed leaves nothing to one that grows to the same bounds.
    const closed = records.get(cell.mapKey);
    if (closed !== undefined) {
      this.#host.timers.clearAll(closed);
      this.#records.remove(closed);
    }
    records.set(cell.mapKey, cell);
    cell.window = window;
    this.#willChange(cell);
    cell.pane = undefined;
    active.set(window.id, cell);
    this.#setEndTimer(cell);
  }

  #mergedHold(cells: readonly Cell[], into: Window): Timestamp | undefined {
    const { timestampCombiner } = this.#windowing;
    if (timestampCombiner === "endOfWindow")
      return this.#tooLateToHold(into.maxTimestamp, into) ? undefined : into.maxTimestamp;
    const held = cells.flatMap((cell) => (cell.heldAt === undefined ? [] : [cell.heldAt]));
    if (held.length === 0) return undefined;
    return timestampCombiner === "earliest" ? Math.min(...held) : Math.max(...held);
  }

  #forget(cell: Cell, active: Map<string, Cell>): void {
    cell.alive = false;
    this.#host.timers.clearAll(cell);
    active.delete(cell.window.id);
    this.#unfile(cell);
  }

  #unfile(cell: Cell): void {
    this.#records.remove(cell);
    if (this.#records.find(cell.window)?.records.size === 0) this.#records.drop(cell.window);
  }

  /** Windows that have something to say, now or at their end, and why they have not. */
  pending(query: PendingQuery): PendingList {
    return pendingIn(recordsByWindow(this.#records.values()), query, (cell) => this.#waits(cell));
  }

  #waits(cell: Cell): PendingOf | undefined {
    if (!cell.alive || cell.closed) return undefined;
    const { window } = cell;
    const need = unmet(this.#windowing.trigger, cell.trigger, this.#at(window));
    if (cell.fresh === 0 && !needsWatermark(need)) return undefined;
    const pending: PendingOf = {
      what: "pane",
      need: need.kind === "expiry" ? { kind: "expiry", after: this.#expiry(window) } : need,
    };
    if (this.#windowing.windowFn.kind !== "sessions") return pending;
    const first = this.#windowing.windowFn.assign((window as IntervalWindow).start, undefined, [])[0] as Window;
    return { ...pending, firstEnd: first.maxTimestamp };
  }

  /** Asks the triggers of everything touched in this bundle. */
  finishBundle(): void {
    while (this.#touched.length > 0) {
      const touched = this.#touched;
      this.#touched = [];
      for (const cell of touched) {
        cell.touched = false;
        if (cell.alive && !cell.closed) this.#ask(cell);
      }
    }
  }

  #ask(cell: Cell): void {
    if (this.#machine.shouldFire(cell.trigger, this.#at(cell.window))) {
      this.#willChange(cell);
      this.#machine.onFire(cell.trigger, this.#at(cell.window));
      cell.told = false;
      this.#fire(cell, this.#machine.isFinished(cell.trigger));
    }
    if (cell.closed) return;
    // At rest, a delay that is over waits for something else: whatever that is asks again.
    const due = this.#machine.nextProcessingTime(cell.trigger, this.#context.atRest ? this.#host.now() : -Infinity);
    if (due !== undefined) this.#host.timers.set(cell, DUE, "", "processing", due, Infinity);
  }

  fireTimer(timer: TimerEntry): void {
    const cell = timer.owner as Cell;
    if (!cell.alive) return;
    if (timer.family === END) {
      const expired = this.#isExpired(cell.window);
      this.#atEnd(cell, expired);
      if (expired) this.#unfile(cell);
      else this.#setEndTimer(cell);
    } else if (timer.family === DUE && !cell.closed) {
      this.#context.atRest = true;
      this.#ask(cell);
      this.#context.atRest = false;
    }
  }

  fireWindow(window: Window, _at: Timestamp): void {
    const slot = this.#records.find(window);
    if (slot === undefined) return;
    const expired = this.#isExpired(window);
    for (const cell of slot.records.values()) this.#atEnd(cell, expired);
    if (expired) this.#records.drop(window);
  }

  #isExpired(window: Window): boolean {
    return isExpired(window, this.#windowing.allowedLateness, this.#host.inputWatermark());
  }

  /** The end of a record's window has come, or its expiry. */
  #atEnd(cell: Cell, expired: boolean): void {
    const { window } = cell;
    if (!cell.closed) {
      if (!expired) {
        this.#ask(cell);
        // What the end of the window did not fire is held until something does.
        if (cell.heldAt !== undefined) this.#holdTimer(cell, cell.heldAt);
      } else {
        this.#willChange(cell);
        if (this.#machine.shouldFire(cell.trigger, this.#at(window)))
          this.#machine.onFire(cell.trigger, this.#at(window));
        this.#fire(cell, true);
      }
    }
    if (expired) this.#expire(cell);
  }

  /** Takes no more elements. A closed session merges with nothing either: what overlaps it begins anew. */
  #close(cell: Cell): void {
    cell.closed = true;
    this.#host.timers.clearAll(cell);
    if (this.#merging) this.#setEndTimer(cell);
    this.#deactivate(cell);
  }

  #expire(cell: Cell): void {
    cell.alive = false;
    this.#recent.forget(cell);
    this.#host.timers.clearAll(cell);
    this.#deactivate(cell);
  }

  #deactivate(cell: Cell): void {
    const active = this.#active.get(cell.mapKey);
    if (active === undefined) return;
    active.delete(cell.window.id);
    if (active.size === 0) this.#active.delete(cell.mapKey);
  }

  /** Emits a pane, unless there is nothing to say. @param last whether the trigger finished or the window expires */
  #fire(cell: Cell, last: boolean): void {
    const { accumulation, closingBehavior, onTimeBehavior } = this.#windowing;
    const { maxTimestamp } = cell.window;
    const pane = nextPane(cell.pane, this.#host.inputWatermark(), this.#host.outputWatermark(), maxTimestamp, last);
    const wanted =
      cell.fresh > 0 ||
      (pane.timing === "ON_TIME" && onTimeBehavior === "fireAlways") ||
      (last && closingBehavior === "fireAlways");
    const timestamp = cell.heldAt ?? maxTimestamp;
    const accumulator = cell.accumulator;
    cell.fresh = 0;
    if (cell.heldAt !== undefined) {
      cell.heldAt = undefined;
      this.#host.timers.clear(cell, HOLD, "");
    }
    if (accumulation === "discarding" || last) cell.accumulator = undefined;
    if (last) this.#close(cell);
    if (!wanted) return;
    cell.pane = pane;
    const windows = [cell.window];
    const value = extract(this.#combine, this.#step.name, accumulator, cell.key, windows);
    this.#output(cell.key, value, timestamp, windows, pane);
  }
}

/** Whether the end of the window fires it, whatever else may. */
function needsWatermark(need: Need): boolean {
  return need.kind === "watermark" || (need.kind === "any" && need.needs.some(needsWatermark));
}
