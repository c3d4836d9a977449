/**
 * A clock for tests, moved by hand: time passes only when the test says so.
 *
 * S1 `now()` changes only inside `advanceTo`, and only forward.
 * S2 Timers run in the order of their times; equal times in the order in which they were set. `now()` is then the timer's own
 *    time, or the present where the timer was set for the past.
 * S3 Callbacks of `immediate` run in `advanceTo` (or `runImmediates`), before time moves on; one that asks for another
 *    immediate callback gets it in the next round.
 */
import { assert } from "../src/base/assert.ts";
import type { Clock } from "../src/base/clock.ts";
import { KeyedHeap } from "../src/base/keyed-heap.ts";

interface Alarm {
  readonly atMs: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export class SimulatedClock implements Clock {
  /** By time, then in the order of setting. */
  readonly #alarms = new KeyedHeap<Alarm>();
  #immediates: (() => void)[] = [];
  #nextOrder = 0;
  #nowMs: number;

  /** @param startMs what `now()` is at first; default 0 */
  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  schedule(atMs: number, callback: () => void): () => void {
    const alarm: Alarm = { atMs, callback, cancelled: false };
    this.#alarms.push(atMs, this.#nextOrder++, alarm);
    return () => {
      alarm.cancelled = true;
    };
  }

  watch(atMs: number, callback: () => void): () => void {
    return this.schedule(atMs, callback);
  }

  immediate(callback: () => void): void {
    this.#immediates.push(callback);
  }

  /** When the next timer is due; undefined when none is set. */
  nextAlarm(): number | undefined {
    while (this.#alarms.peek()?.cancelled === true) this.#alarms.pop();
    return this.#alarms.peek()?.atMs;
  }

  /** Runs what is waiting in `immediate` now, and nothing that this adds. @returns how many ran */
  runImmediates(): number {
    const round = this.#immediates;
    this.#immediates = [];
    for (const callback of round) callback();
    return round.length;
  }

  /** Moves time to `atMs` and runs every timer on the way, those included that are set on the way. */
  advanceTo(atMs: number): void {
    assert(atMs >= this.#nowMs, `S1 a clock moves forward only: ${this.#nowMs} -> ${atMs}`);
    this.runImmediates();
    for (let due = this.nextAlarm(); due !== undefined && due <= atMs; due = this.nextAlarm()) {
      const alarm = this.#alarms.pop() as Alarm;
      if (alarm.atMs > this.#nowMs) this.#nowMs = alarm.atMs;
      alarm.callback();
      this.runImmediates();
    }
    this.#nowMs = atMs;
  }
}
