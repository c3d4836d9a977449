/**
 * A source stage's reading: splits polled in turn, event times by policy, and the watermark that follows from both.
 *
 * R1 The watermark is the least of its splits'; an ended split, or one that is idle by its policy, does not count.
 * R2 It only moves forward, and reaches MAX_TIMESTAMP when every split of a bounded source has ended.
 */
import { isTidemarkError, TidemarkError } from "../base/errors.ts";
import type { Batch, PollResult, Source, SourceReader, TimestampPolicy } from "../fn/source.ts";
import type { Emitter } from "../host/emitter.ts";
import { NO_FIRING } from "../model/pane.ts";
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import { GLOBAL_WINDOWS } from "../model/window.ts";

interface Split {
  readonly reader: SourceReader<unknown, unknown>;
  readonly batch: SplitBatch;
  ended: boolean;
  /** Processing time since which it has had nothing; undefined while it has. */
  quietSince: number | undefined;
  waiting: boolean;
}

/** Receives one split's elements and pushes them on at once; nothing is kept. */
class SplitBatch implements Batch<unknown> {
  readonly #out: Emitter;
  readonly #timestamp: ((element: unknown) => Timestamp) | undefined;
  readonly #now: (() => number) | undefined;
  readonly #step: string;
  size = 0;
  latest: Timestamp = MIN_TIMESTAMP;

  constructor(step: string, policy: TimestampPolicy<unknown>, out: Emitter, now: () => number) {
    this.#step = step;
    this.#out = out;
    this.#timestamp = policy.kind === "event" ? policy.timestamp : undefined;
    this.#now = policy.kind === "processing" ? now : undefined;
  }

  add(value: unknown, timestamp?: Timestamp): void {
    let at: Timestamp;
    if (this.#timestamp !== undefined) at = this.#timestamp(value);
    else if (this.#now !== undefined) at = this.#now();
    else at = timestamp ?? MIN_TIMESTAMP;
    if (!(at >= MIN_TIMESTAMP && at <= MAX_TIMESTAMP)) throw badTimestamp(this.#step, at);
    if (at > this.latest) this.latest = at;
    this.size++;
    this.#out.emit(value, at, GLOBAL_WINDOWS, NO_FIRING);
  }
}

function badTimestamp(step: string, timestamp: unknown): TidemarkError {
  return new TidemarkError("TIMESTAMP_INVALID", {
    what: `the timestamp policy of step "${step}" gave ${String(timestamp)}`,
    why: "a timestamp is a number of milliseconds since the epoch",
    fix: "return a number such as Date.parse(text) or date.getTime()",
    step,
  });
}

/** What reading needs of its engine. */
export interface SourceEngine {
  now(): number;
  /** Something may be there to poll. */
  wake(): void;
  fail(error: unknown): void;
}

/** What a stage sees of its source. */
export interface Reading {
  watermark(): Timestamp;
  /** The processing time at which the watermark may move by itself; Infinity when it cannot. */
  nextChange(): number;
  /** Reads no more; the watermark goes to the end of time. */
  stop(): void;
}

export class SourceReading implements Reading {
  readonly #step: string;
  readonly #source: Source<unknown>;
  readonly #policy: TimestampPolicy<unknown>;
  readonly #engine: SourceEngine;
  #splits: Split[] = [];
  #next = 0;
  #stopped = false;
  #watermark: Timestamp = MIN_TIMESTAMP;

  constructor(step: string, source: Source<unknown>, policy: TimestampPolicy<unknown>, engine: SourceEngine) {
    this.#step = step;
    this.#source = source;
    this.#policy = policy;
    this.#engine = engine;
  }

  async open(out: Emitter): Promise<void> {
    try {
      await this.#openSplits(out);
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** An error of the source, with the step's name. */
  #named(error: unknown): unknown {
    return isTidemarkError(error) ? error.withContext({ step: this.#step }) : error;
  }

  async #openSplits(out: Emitter): Promise<void> {
    const splits = await this.#source.splits(1);
    for (const split of splits) {
      const reader = await this.#source.open(split, undefined);
      const batch = new SplitBatch(this.#step, this.#policy, out, () => this.#engine.now());
      this.#splits.push({ reader, batch, ended: false, quietSince: undefined, waiting: false });
    }
  }

  get ended(): boolean {
    return this.#stopped || this.#splits.every((split) => split.ended);
  }

  /** Whether a poll may give something now. */
  get pollable(): boolean {
    return !this.#stopped && this.#splits.some((split) => !split.ended && !split.waiting);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Polls the next split that may have something. @returns the number of elements read */
  poll(max: number): number {
    const count = this.#splits.length;
    for (let i = 0; i < count; i++) {
      const split = this.#splits[(this.#next + i) % count] as Split;
      if (split.ended || split.waiting) continue;
      this.#next = (this.#next + i + 1) % count;
      return this.#pollSplit(split, max);
    }
    return 0;
  }

  #pollSplit(split: Split, max: number): number {
    split.batch.size = 0;
    const result = this.#read(split, max);
    if (split.batch.size > 0) split.quietSince = undefined;
    else if (result !== "more") split.quietSince ??= this.#engine.now();
    if (result === "end") split.ended = true;
    else if (result === "idle") this.#wait(split);
    return split.batch.size;
  }

  #read(split: Split, max: number): PollResult {
    try {
      return split.reader.poll(max, split.batch);
    } catch (error) {
      // What a step further on threw has that step's name already.
      throw this.#named(error);
    }
  }

  #wait(split: Split): void {
    split.waiting = true;
    split.reader.ready().then(
      () => {
        split.waiting = false;
        this.#engine.wake();
      },
      (error: unknown) => this.#engine.fail(this.#named(error)),
    );
  }

  #splitWatermark(split: Split): Timestamp {
    if (split.ended) return MAX_TIMESTAMP;
    if (split.reader.watermark !== undefined && this.#policy.kind === "source") return split.reader.watermark();
    switch (this.#policy.kind) {
      case "event":
        return split.batch.latest === MIN_TIMESTAMP
          ? MIN_TIMESTAMP
          : Math.max(MIN_TIMESTAMP, split.batch.latest - this.#policy.outOfOrderness);
      case "processing":
        return this.#engine.now();
      case "source":
        return MIN_TIMESTAMP;
    }
  }

  #isIdle(split: Split, now: number): boolean {
    const idleAfter = this.#source.quiet?.idleAfter;
    return idleAfter !== undefined && split.quietSince !== undefined && now - split.quietSince >= idleAfter;
  }

  watermark(): Timestamp {
    if (this.ended) return MAX_TIMESTAMP;
    const now = this.#engine.now();
    let least = Infinity;
    for (const split of this.#splits) {
      if (split.ended || this.#isIdle(split, now)) continue;
      least = Math.min(least, this.#splitWatermark(split));
    }
    if (least === Infinity) {
      // Every live split is idle: the policy says whether time stands still or follows the clock.
      const slack = this.#policy.kind === "event" ? this.#policy.outOfOrderness : 0;
      least = this.#source.quiet?.whenAllIdle === "followClock" ? now - slack : this.#watermark;
    }
    if (least > this.#watermark) this.#watermark = least;
    return this.#watermark;
  }

  nextChange(): number {
    if (this.#stopped) return Infinity;
    const now = this.#engine.now();
    if (this.#policy.kind === "processing" && !this.ended) return now + CLOCK_STEP_MS;
    const idleAfter = this.#source.quiet?.idleAfter;
    if (idleAfter === undefined) return Infinity;
    let next = Infinity;
    for (const split of this.#splits) {
      if (split.ended || split.quietSince === undefined) continue;
      const at = split.quietSince + idleAfter;
      if (at > now) next = Math.min(next, at);
      else if (this.#source.quiet?.whenAllIdle === "followClock") next = Math.min(next, now + CLOCK_STEP_MS);
    }
    return next;
  }

  async close(): Promise<void> {
    const splits = this.#splits;
    this.#splits = [];
    for (const { reader } of splits) await reader.close();
  }
}

/** How often a watermark that follows the clock is looked at while nothing else happens. */
const CLOCK_STEP_MS = 100;
