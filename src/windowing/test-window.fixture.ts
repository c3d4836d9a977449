/** One window's trigger, driven as a lane drives it: what the tests of trigger machines share. */
import { deepEqual, equal } from "node:assert/strict";
import { MIN_TIMESTAMP } from "../model/time.ts";
import type { Trigger } from "../model/trigger.ts";
import { compileTrigger, type TriggerMachine, type TriggerState } from "./trigger-machine.ts";
import { unmet } from "./unmet.ts";

/** Watermark and clock: what all windows of a test share. */
export interface Moment {
  watermark: number;
  processingTime: number;
}

/**
 * One window's trigger, asked after each thing that happens, as a lane does. Each method tells whether it fired.
 * Between two things the state is written down and read back (M2).
 */
export class TestWindow {
  readonly machine: TriggerMachine;
  readonly #trigger: Trigger;
  readonly moment: Moment;
  readonly maxTimestamp: number;
  state: TriggerState;
  fired = 0;

  constructor(trigger: Trigger, options: { merging?: boolean; maxTimestamp?: number; moment?: Moment } = {}) {
    this.#trigger = trigger;
    this.machine = compileTrigger(trigger, options.merging ?? false);
    this.maxTimestamp = options.maxTimestamp ?? 9;
    this.moment = options.moment ?? { watermark: MIN_TIMESTAMP, processingTime: 0 };
    this.state = this.machine.create();
  }

  get finished(): boolean {
    return this.machine.isFinished(this.state);
  }

  /** A bundle of `count` elements. */
  elements(count = 1): boolean {
    for (let i = 0; i < count; i++) this.machine.onElement(this.state, this.#context(false));
    return this.#ask(false);
  }

  watermark(to: number): boolean {
    this.moment.watermark = to;
    return this.#ask(false);
  }

  /** The clock comes to `to`, and a timer asks. */
  clock(to: number): boolean {
    this.moment.processingTime = to;
    return this.#ask(true);
  }

  /** The clock comes to `to`, and nobody asks. */
  clockSilently(to: number): void {
    this.moment.processingTime = to;
  }

  /** When a timer has to ask, as far as is known now. */
  get due(): number | undefined {
    return this.machine.nextProcessingTime(this.state, -Infinity);
  }

  /** The window that `windows` become, not asked yet. @param end the last instant of an element's window that joins them */
  static merged(windows: readonly [TestWindow, ...TestWindow[]], trigger: Trigger, end = MIN_TIMESTAMP): TestWindow {
    const maxTimestamp = Math.max(end, ...windows.map((window) => window.maxTimestamp));
    const into = new TestWindow(trigger, { merging: true, maxTimestamp, moment: windows[0].moment });
    const states = windows.map(({ state }) => state);
    const before = JSON.stringify(states);
    into.machine.onMerge(into.state, states, into.#context(false));
    equal(JSON.stringify(states), before, "the states that merge are not changed");
    return into;
  }

  #context(atRest: boolean): { watermark: number; processingTime: number; maxTimestamp: number; atRest: boolean } {
    return { ...this.moment, maxTimestamp: this.maxTimestamp, atRest };
  }

  #ask(atRest: boolean): boolean {
    const before = JSON.stringify(this.state);
    const fires = !this.finished && this.machine.shouldFire(this.state, this.#context(atRest));
    const { kind } = unmet(this.#trigger, this.state, this.#context(atRest));
    if (!this.finished) equal(kind === "met", fires, "unmet U1 what is not met is why it does not fire");
    equal(JSON.stringify(this.state), before, "trigger-machine M1 asking changes nothing");
    if (fires) {
      this.machine.onFire(this.state, this.#context(atRest));
      this.fired++;
    }
    const copy = JSON.parse(JSON.stringify(this.state)) as TriggerState;
    deepEqual(copy, this.state, "trigger-machine M2 the state is plain data");
    this.state = copy;
    return fires;
  }
}
