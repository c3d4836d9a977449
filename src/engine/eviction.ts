/**
 * Takes records out of memory where there are too many: those that have not changed for the longest time go first.
 * Path: runners/embedded/checkpointing.ts, when rows have been made and between turns -> HERE -> cold-records.ts.
 *
 * E1 Only records that rows have as they are leave (cold-records Y1), and none that a call is under way with.
 * E2 Sizes are estimated: what a record takes as bytes in the mean of its step, times how much larger it is in memory.
 */
import type { Clock } from "../base/clock.ts";
import type { KeyedRecord } from "../host/records.ts";
import type { ColdRecords } from "./cold-records.ts";
import type { StageState } from "./stage-state.ts";

/** Bytes in memory of a record that keeps nothing, with its key and a timer; and of each byte that it is written as. */
const EMPTY_RECORD_BYTES = 520;
const BYTES_FOR_EACH = 3;
/** Down to this part of the bound, so that it is not reached again at once. */
const EVICTED_TO = 0.7;
/** Above this part of it rows are made, so that there is something to take out before sources have to wait. */
const PRESSED = 0.8;
/** So much more may be in memory before sources have to wait, of the bound and in bytes. */
const OVERFULL = 1.1;
const OVERFULL_BYTES = 16 * 1024 * 1024;
const RECORDS_AT_ONCE = 64;
const FRUITLESS_MAX = 4;

/** What is asked of a stage. */
type Stage = Pick<StageState, "cold" | "store" | "written" | "calls" | "timers">;

export class Eviction {
  readonly #stages: readonly Stage[];
  readonly #bound: number;
  #folded = 0;
  #sweep: Iterator<void> | undefined;
  #used = 0;
  /** How many sweeps in a row have found nothing to take out, and above which size that is no reason to wait. */
  #fruitless = 0;
  #inevitable = 0;

  /** @param bound in bytes */
  constructor(stages: readonly Stage[], bound: number) {
    this.#stages = stages.filter(({ cold }) => cold !== undefined);
    this.#bound = bound;
  }

  /** Whether there should soon be less in memory. Up to date after `measure`. */
  get isPressed(): boolean {
    return this.#used > this.#bound * PRESSED;
  }

  /** Whether sources have to wait until less is in memory. */
  get isOverfull(): boolean {
    return this.#used > Math.max(this.#bound, this.#inevitable) * OVERFULL + OVERFULL_BYTES;
  }

  /** Whether there is something to take out. */
  get isSweeping(): boolean {
    return this.#sweep !== undefined;
  }

  /** Bytes of records in memory, about. Cost: a look at each window. */
  measure(): number {
    this.#used = 0;
    for (const state of this.#stages) this.#used += inMemory(state) * bytesOfOne(state);
    return this.#used;
  }

  /** Rows have all changes up to `epoch`. */
  folded(epoch: number): void {
    this.#folded = epoch;
    for (const { cold } of this.#stages) cold?.folded(epoch);
    this.measure();
    if (this.isPressed) this.#sweep = this.#evict();
  }

  /** Goes on for about so long; to the end where the clock has no stopwatch. Between turns, where no bundle is under way. */
  sweep(budgetMs: number, clock: Pick<Clock, "stopwatch">): void {
    const end = (clock.stopwatch?.() ?? 0) + budgetMs;
    while (this.#sweep !== undefined) {
      if (this.#sweep.next().done === true) this.#sweep = undefined;
      if ((clock.stopwatch?.() ?? 0) >= end) return;
    }
  }

  /** Where nothing can be taken out, however much has been folded, waiting does not help. */
  #judge(evicted: number): void {
    this.#fruitless = evicted > 0 ? 0 : this.#fruitless + 1;
    if (evicted > 0) this.#inevitable = 0;
    else if (this.#fruitless >= FRUITLESS_MAX) this.#inevitable = this.#used;
  }

  *#evict(): Generator<void> {
    let looked = 0;
    let evicted = 0;
    for (const state of this.#stages) {
      const { cold, store } = state;
      const each = bytesOfOne(state);
      for (const slot of store?.values() ?? []) {
        for (const record of slot.records.values()) {
          if (this.#used <= this.#bound * EVICTED_TO) return this.#judge(evicted);
          // Between two slices its window may have been dropped.
          if (slot.records.get(record.mapKey) === record && this.#mayGo(state, record)) {
            (cold as ColdRecords).evict(slot, record);
            this.#used -= each;
            evicted++;
          }
          if (++looked % RECORDS_AT_ONCE === 0) yield;
        }
      }
    }
    this.#judge(evicted);
  }

  #mayGo({ calls, timers }: Stage, record: KeyedRecord): boolean {
    const { mark } = record;
    if (mark >= 0 || -mark > this.#folded) return false;
    return calls === undefined || (!calls.isUnderWay(record.mapKey) && timers.areMarked(record));
  }
}

function inMemory({ store }: Stage): number {
  let records = 0;
  for (const slot of store?.values() ?? []) records += slot.records.size;
  return records;
}

function bytesOfOne({ written }: Stage): number {
  return EMPTY_RECORD_BYTES + BYTES_FOR_EACH * written.averageBytes;
}
