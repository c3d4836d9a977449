/**
 * A stateful step of the reference model: seven small programs with a list as state and a list of timers, per key and window.
 * Place: windows.ts -> HERE -> run.ts.
 *
 * F1 All elements of a bundle come before the timers that they make due.
 * F2 An event timer at T fires when the watermark is after T; a processing timer when the clock has reached it. Of several
 *    due timers the earliest goes first, and one set while firing takes part.
 * F3 Setting a timer that is already set moves it.
 * F4 When the watermark passes the window's expiry, due timers fire first; then state and timers are forgotten, and
 *    elements of that window are dropped as expired.
 * F5 What an event timer emits carries the timer's time; what a processing timer emits carries the timestamp of the
 *    element that set it.
 */
import type { Input, Output, PaneInfo, Step } from "./grouping.ts";
import { ScenarioError, type GoldenPipeline, type LateRecord, type Mark } from "./scenario.ts";
import { expiry, showInstant, showWindow, type Win } from "./windows.ts";

interface Timer {
  readonly tag: string;
  readonly domain: "event" | "processing";
  readonly at: number;
  /** The timestamp of what it emits. */
  readonly ts: number;
}

interface Cell {
  readonly key: string;
  readonly window: Win;
  n: number;
  bag: number[];
  timers: Timer[];
}

const NO_FIRING: PaneInfo = { timing: "UNKNOWN", index: 0, nonSpeculativeIndex: 0, isFirst: true, isLast: true };

export class Stateful implements Step {
  readonly #step: number;
  readonly #pipeline: GoldenPipeline;
  readonly #late: LateRecord[];
  readonly #marks: Mark[];
  #cells: Cell[] = [];
  #gone: string[] = [];
  #inputWatermark = -Infinity;
  #now = 0;
  outputWatermark: number = -Infinity;

  constructor(step: number, pipeline: GoldenPipeline, late: LateRecord[], marks: Mark[]) {
    if (pipeline.window.type === "sessions")
      throw new ScenarioError("state does not merge: sessions have no stateful step");
    this.#step = step;
    this.#pipeline = pipeline;
    this.#late = late;
    this.#marks = marks;
  }

  bundle(elements: readonly Input[]): Output[] {
    const outputs: Output[] = [];
    for (const element of elements) {
      for (const window of element.windows) {
        if (this.#inputWatermark > this.#expiry(window)) {
          const { key, value, ts } = element;
          this.#late.push({
            key,
            value,
            ts: showInstant(ts),
            window: showWindow(window),
            reason: "expired",
            step: this.#step,
          });
        } else {
          const values = this.#process(this.#cell(element.key, window), element);
          outputs.push(...values.map((value) => this.#output(element.key, window, value, element.ts)));
        }
      }
    }
    return [...outputs, ...this.#fireDue()];
  }

  advanceWatermark(to: number): Output[] {
    if (to <= this.#inputWatermark) return [];
    this.#inputWatermark = to;
    const outputs = this.#fireDue();
    const keys = new Set(this.#cells.map((cell) => cell.key));
    this.#cells = this.#cells.filter((cell) => to <= this.#expiry(cell.window));
    for (const key of keys) if (!this.#cells.some((cell) => cell.key === key)) this.#gone.push(key);
    return outputs;
  }

  checkProcessingTime(now: number): Output[] {
    this.#now = now;
    return this.#fireDue();
  }

  rest(): void {
    this.outputWatermark = Math.max(this.outputWatermark, this.#inputWatermark);
  }

  #expiry(window: Win): number {
    return expiry(window, this.#pipeline.allowedLateness);
  }

  #output(key: string, window: Win, value: number | readonly number[], ts: number): Output {
    return { key, value, ts, window, pane: NO_FIRING };
  }

  #cell(key: string, window: Win): Cell {
    const found = this.#cells.find((cell) => cell.key === key && cell.window.name === window.name);
    if (found !== undefined) return found;
    const cell: Cell = { key, window, n: 0, bag: [], timers: [] };
    this.#cells.push(cell);
    if (this.#gone.includes(key)) {
      this.#gone = this.#gone.filter((other) => other !== key);
      this.#marks.push({ kind: "keyReturned", step: this.#step, key });
    }
    return cell;
  }

  #set(cell: Cell, timer: Timer): void {
    if (timer.domain === "event" && timer.at > this.#expiry(cell.window)) {
      throw new ScenarioError(`an event timer at ${timer.at} is after the expiry of its window ${cell.window.name}`);
    }
    this.#clear(cell, timer.tag);
    cell.timers.push(timer);
  }

  #clear(cell: Cell, tag: string): void {
    cell.timers = cell.timers.filter((timer) => timer.tag !== tag);
  }

  #setEvent(cell: Cell, at: number, tag = ""): void {
    this.#set(cell, { tag, domain: "event", at, ts: at });
  }

  #number(name: "gap" | "period" | "count" | "delay"): number {
    const value = this.#pipeline[name];
    if (value === undefined) throw new ScenarioError(`program ${this.#pipeline.program} needs "${name}"`);
    return value;
  }

  /** @returns what the element emits at once */
  #process(cell: Cell, { value, ts }: Input): number[] {
    const { program } = this.#pipeline;
    switch (program) {
      case "runningCount":
        cell.n += 1;
        return [cell.n];
      case "bufferUntilWindowEnd":
        cell.bag.push(value);
        this.#setEvent(cell, cell.window.last);
        return [];
      case "idleFlush":
        cell.bag.push(value);
        this.#setEvent(cell, ts + this.#number("gap"));
        return [];
      case "cancelOnNegative":
        cell.bag.push(value);
        if (value >= 0) this.#setEvent(cell, ts + this.#number("gap"));
        else this.#clear(cell, "");
        return [];
      case "tagTimers":
        this.#setEvent(cell, ts + value * 1000, String(value));
        return [];
      case "ticker":
        this.#setEvent(cell, ts + this.#number("period"));
        return [];
      case "processingFlush":
        if (cell.bag.length === 0)
          this.#set(cell, { tag: "", domain: "processing", at: this.#now + this.#number("delay"), ts });
        cell.bag.push(value);
        return [];
      default:
        throw new ScenarioError("a stateful pipeline needs a program");
    }
  }

  #fire(cell: Cell, timer: Timer): Output {
    const bag = cell.bag.toSorted((a, b) => a - b);
    const emit = (value: number | readonly number[]): Output => this.#output(cell.key, cell.window, value, timer.ts);
    switch (this.#pipeline.program) {
      case "tagTimers":
        return emit(Number(timer.tag));
      case "ticker":
        cell.n += 1;
        if (cell.n < this.#number("count")) this.#setEvent(cell, timer.at + this.#number("period"));
        return emit(cell.n);
      case "cancelOnNegative":
        return emit(bag);
      default:
        cell.bag = [];
        return emit(bag);
    }
  }

  #fireDue(): Output[] {
    const outputs: Output[] = [];
    for (;;) {
      const due = this.#cells.flatMap((cell) =>
        cell.timers.filter((timer) => this.#isDue(timer)).map((timer) => ({ cell, timer })),
      );
      const next = due.toSorted((a, b) => a.timer.at - b.timer.at)[0];
      if (next === undefined) return outputs;
      next.cell.timers = next.cell.timers.filter((timer) => timer !== next.timer);
      outputs.push(this.#fire(next.cell, next.timer));
    }
  }

  #isDue(timer: Timer): boolean {
    return timer.domain === "event" ? this.#inputWatermark > timer.at : this.#now >= timer.at;
  }
}
