/**
 * One grouping step of the reference model: lists of cells, one per key and window, searched from end to end.
 * Place: windows.ts, triggers.ts -> HERE -> run.ts, which feeds it bundles, watermarks and the clock.
 *
 * G1 Elements of a bundle are added one by one, merging windows as they come; triggers are asked once per touched window,
 *    when the whole bundle is in.
 * G2 An advance of the watermark finds each window in one of three states: expired (its last pane leaves, all is
 *    forgotten), at its end (the trigger is asked), or as before. Expired wins when both are passed in one step.
 * G3 The output watermark is the input watermark or the earliest hold, and is worked out when the step is at rest: panes
 *    that leave together see the same one. A hold stands at the pane's future timestamp, from the first element that is
 *    not too late for it until the pane leaves.
 * G4 An element inside a live window changes nothing about it. A window made by a merge starts its panes at index 0.
 * G5 A window whose trigger has finished is closed: its elements are dropped, and it merges with nothing, until it
 *    expires. A merge that makes the same window again opens it afresh.
 */
import type { GoldenPane, GoldenPipeline, GoldenTrigger, LateRecord, Mark } from "./scenario.ts";
import {
  delayIsOver,
  mergeTrees,
  onElement,
  onFire,
  plant,
  shouldFire,
  type Moment,
  type TriggerNode,
} from "./triggers.ts";
import { expiry, overlaps, showInstant, showWindow, type Win } from "./windows.ts";

export interface PaneInfo {
  readonly timing: GoldenPane["timing"];
  readonly index: number;
  readonly nonSpeculativeIndex: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** An element on its way into a keyed step, in the windows that it was given. */
export interface Input {
  readonly key: string;
  readonly value: number;
  readonly ts: number;
  readonly windows: readonly Win[];
}

/** What leaves a keyed step. */
export interface Output {
  readonly key: string;
  readonly value: number | readonly number[];
  readonly ts: number;
  readonly window: Win;
  readonly pane: PaneInfo;
}

/** What run.ts drives: a keyed step of the pipeline. */
export interface Step {
  readonly outputWatermark: number;
  bundle(elements: readonly Input[]): Output[];
  advanceWatermark(to: number): Output[];
  /** The clock stands at `now` and everything upstream is at rest. */
  checkProcessingTime(now: number): Output[];
  /** Works out the output watermark. */
  rest(): void;
}

export interface GroupingSpec {
  readonly step: number;
  readonly pipeline: GoldenPipeline;
  readonly trigger: GoldenTrigger;
  readonly merging: boolean;
  /** What a pane's value is made of; the list may be empty. */
  readonly combine: (values: readonly number[]) => number | readonly number[];
  readonly late: LateRecord[];
  readonly marks: Mark[];
}

interface Cell {
  readonly key: string;
  readonly window: Win;
  /** All values that the next pane may repeat. */
  all: number[];
  /** Values since the last pane. */
  fresh: number[];
  hold: number | undefined;
  trigger: TriggerNode;
  /** The last pane that was emitted. */
  pane: PaneInfo | undefined;
}

interface Closed {
  readonly key: string;
  readonly window: Win;
}

export class Grouping implements Step {
  readonly #spec: GroupingSpec;
  #cells: Cell[] = [];
  #closed: Closed[] = [];
  /** Keys that once had cells or closed windows, and have none now. */
  #gone: string[] = [];
  #inputWatermark = -Infinity;
  outputWatermark: number = -Infinity;
  #now = 0;
  #atRest = false;

  constructor(spec: GroupingSpec) {
    this.#spec = spec;
  }

  bundle(elements: readonly Input[]): Output[] {
    const touched: Cell[] = [];
    for (const element of elements) {
      for (const window of element.windows) {
        if (this.#inputWatermark > this.#expiry(window)) {
          this.#drop(element, window, "expired");
          continue;
        }
        const cell = this.#spec.merging ? this.#mergedCell(element.key, window) : this.#openCell(element.key, window);
        if (cell === undefined) {
          this.#drop(element, window, "closed");
          continue;
        }
        this.#add(cell, element);
        touched.push(cell);
      }
    }
    const live = this.#cells.filter((cell) => touched.includes(cell));
    return live.flatMap((cell) => this.#ask(cell));
  }

  advanceWatermark(to: number): Output[] {
    const from = this.#inputWatermark;
    if (to <= from) return [];
    this.#inputWatermark = to;
    const due = (window: Win): number => (to > this.#expiry(window) ? this.#expiry(window) : window.last);
    const passed = this.#cells
      .filter((cell) => to > cell.window.last && (from <= cell.window.last || to > this.#expiry(cell.window)))
      .toSorted((a, b) => due(a.window) - due(b.window));
    this.#markEnded(passed.filter((cell) => from <= cell.window.last && cell.all.length > 0));
    const outputs: Output[] = [];
    for (const cell of passed) {
      const expired = to > this.#expiry(cell.window);
      outputs.push(...(expired ? this.#emit(cell, true) : this.#ask(cell)));
    }
    this.#forgetExpired();
    return outputs;
  }

  checkProcessingTime(now: number): Output[] {
    this.#now = now;
    this.#atRest = true;
    const outputs = this.#cells.filter((cell) => delayIsOver(cell.trigger, now)).flatMap((cell) => this.#ask(cell));
    this.#atRest = false;
    return outputs;
  }

  rest(): void {
    const holds = this.#cells.flatMap((cell) => (cell.hold === undefined ? [] : [cell.hold]));
    this.outputWatermark = Math.max(this.outputWatermark, Math.min(this.#inputWatermark, ...holds));
  }

  #expiry(window: Win): number {
    return expiry(window, this.#spec.pipeline.allowedLateness);
  }

  #moment(window: Win): Moment {
    const { merging } = this.#spec;
    return { watermark: this.#inputWatermark, now: this.#now, last: window.last, merging, atRest: this.#atRest };
  }

  #drop(element: Input, window: Win, reason: LateRecord["reason"]): void {
    const { late, step } = this.#spec;
    late.push({
      key: element.key,
      value: element.value,
      ts: showInstant(element.ts),
      window: showWindow(window),
      reason,
      step,
    });
  }

  #isClosed(key: string, window: Win): boolean {
    return this.#closed.some((closed) => closed.key === key && closed.window.name === window.name);
  }

  #find(key: string, window: Win): Cell | undefined {
    return this.#cells.find((cell) => cell.key === key && cell.window.name === window.name);
  }

  #openCell(key: string, window: Win): Cell | undefined {
    if (this.#isClosed(key, window)) return undefined;
    const found = this.#find(key, window);
    if (found !== undefined) return found;
    const cell: Cell = {
      key,
      window,
      all: [],
      fresh: [],
      hold: undefined,
      trigger: plant(this.#spec.trigger),
      pane: undefined,
    };
    this.#cells.push(cell);
    return cell;
  }

  #mergedCell(key: string, window: Win): Cell | undefined {
    const active = this.#cells.filter((cell) => cell.key === key);
    const windows = active.map((cell) => cell.window);
    if (!windows.some((other) => other.name === window.name)) windows.push(window);
    const group = overlaps(windows).find(({ from }) => from.some((other) => other.name === window.name));
    if (group === undefined) return this.#openCell(key, window);
    return this.#merge(
      key,
      active.filter((cell) => group.from.some((other) => other.name === cell.window.name)),
      group.into,
    );
  }

  #merge(key: string, sources: readonly Cell[], into: Win): Cell {
    // Live sessions are disjoint, so a merge equals one of them only where the element's window lies inside it.
    const own = sources.find((cell) => cell.window.name === into.name);
    if (own !== undefined) return own;
    const trees = sources.map((cell) => cell.trigger);
    const merged: Cell = {
      key,
      window: into,
      all: sources.flatMap((cell) => cell.all),
      fresh: sources.flatMap((cell) => cell.fresh),
      hold: this.#mergedHold(sources, into),
      trigger: mergeTrees(this.#spec.trigger, trees, this.#moment(into)),
      pane: undefined,
    };
    this.#cells = this.#cells.filter((cell) => !sources.includes(cell));
    this.#cells.push(merged);
    const fired = sources.filter((cell) => cell.pane !== undefined).length;
    if (sources.length > 1) this.#spec.marks.push({ kind: "merged", step: this.#spec.step, fired });
    return merged;
  }

  #mergedHold(sources: readonly Cell[], into: Win): number | undefined {
    const { timestampCombiner } = this.#spec.pipeline;
    if (timestampCombiner === "endOfWindow") return this.#tooLateToHold(into.last, into) ? undefined : into.last;
    const holds = sources.flatMap((cell) => (cell.hold === undefined ? [] : [cell.hold]));
    if (holds.length === 0) return undefined;
    return timestampCombiner === "earliest" ? Math.min(...holds) : Math.max(...holds);
  }

  /** The output watermark may not be held where it has already been, nor by a window whose end no timer will reach. */
  #tooLateToHold(at: number, window: Win): boolean {
    return at < this.outputWatermark || window.last < this.#inputWatermark;
  }

  #add(cell: Cell, element: Input): void {
    const { timestampCombiner } = this.#spec.pipeline;
    cell.all.push(element.value);
    cell.fresh.push(element.value);
    const at = timestampCombiner === "endOfWindow" ? cell.window.last : element.ts;
    if (!this.#tooLateToHold(at, cell.window)) {
      const before = cell.hold ?? at;
      cell.hold = timestampCombiner === "earliest" ? Math.min(before, at) : Math.max(before, at);
    }
    onElement(cell.trigger, this.#moment(cell.window));
    if (this.#gone.includes(element.key)) {
      this.#gone = this.#gone.filter((key) => key !== element.key);
      this.#spec.marks.push({ kind: "keyReturned", step: this.#spec.step, key: element.key });
    }
  }

  #ask(cell: Cell): Output[] {
    const moment = this.#moment(cell.window);
    if (!shouldFire(cell.trigger, moment)) return [];
    onFire(cell.trigger, moment);
    return this.#emit(cell, cell.trigger.finished);
  }

  /** The next pane of the window, if there is anything to say. @param last whether no other can follow */
  #emit(cell: Cell, last: boolean): Output[] {
    const { accumulation, closingBehavior, onTimeBehavior } = this.#spec.pipeline;
    const { key, window } = cell;
    const pane = this.#describe(cell, last);
    const empty = cell.fresh.length === 0;
    const onTime = pane.timing === "ON_TIME" && (onTimeBehavior ?? "fireAlways") === "fireAlways";
    const closing = last && (closingBehavior ?? "fireIfNonEmpty") === "fireAlways";
    const value = this.#spec.combine(accumulation === "accumulating" ? cell.all : cell.fresh);
    const ts = cell.hold ?? window.last;
    cell.hold = undefined;
    cell.fresh = [];
    if (accumulation === "discarding") cell.all = [];
    if (last) {
      this.#cells = this.#cells.filter((other) => other !== cell);
      this.#closed.push({ key, window });
    }
    if (empty && !onTime && !closing) return [];
    if (empty && pane.timing === "ON_TIME") this.#spec.marks.push({ kind: "emptyOnTime", step: this.#spec.step, key });
    cell.pane = pane;
    return [{ key, value, ts, window, pane }];
  }

  #describe(cell: Cell, last: boolean): PaneInfo {
    const before = cell.pane;
    const index = before === undefined ? 0 : before.index + 1;
    const nonSpeculativeIndex = before === undefined ? 0 : before.nonSpeculativeIndex + 1;
    const common = { index, isFirst: before === undefined, isLast: last };
    const pastOnTime = before !== undefined && before.timing !== "EARLY";
    if (pastOnTime || this.outputWatermark > cell.window.last)
      return { ...common, timing: "LATE", nonSpeculativeIndex };
    if (this.#inputWatermark > cell.window.last) return { ...common, timing: "ON_TIME", nonSpeculativeIndex };
    return { ...common, timing: "EARLY", nonSpeculativeIndex: -1 };
  }

  #markEnded(cells: readonly Cell[]): void {
    const windows = new Set(cells.map((cell) => cell.window.name)).size;
    if (windows > 0) this.#spec.marks.push({ kind: "windowsEnded", step: this.#spec.step, windows });
  }

  #forgetExpired(): void {
    const keys = new Set([...this.#cells, ...this.#closed].map((entry) => entry.key));
    this.#closed = this.#closed.filter((closed) => this.#inputWatermark <= this.#expiry(closed.window));
    for (const key of keys) {
      const left = [...this.#cells, ...this.#closed].some((entry) => entry.key === key);
      if (!left && !this.#gone.includes(key)) this.#gone.push(key);
    }
  }
}
