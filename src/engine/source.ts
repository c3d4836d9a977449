/**
 * A source stage's reading: splits polled in turn, event times by policy, and the watermark that follows from both.
 *
 * R1 The watermark is the least of its splits'; an ended split, or one that is idle by its policy, does not count.
 * R2 It only moves forward, and reaches MAX_TIMESTAMP when every split of a bounded source has ended.
 * R3 An element that its split's earlier elements make late meets the watermark that they give, however many are read at once:
 *    it and what was read after it wait until the watermark has moved. So what is late does not depend on the size of polls.
 */
import { isTidemarkError, TidemarkError } from "../base/errors.ts";
import { userFrame } from "../base/frames.ts";
import { encodeToLatin1 } from "../coders/coder.ts";
import { valueCoder } from "../coders/value.ts";
import type { PollResult, Source, SourceReader, TimestampPolicy } from "../fn/source.ts";
import type { Emitter } from "../host/emitter.ts";
import { isTimestamp, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import { checkReader, unknownResult, watermarkInvalid } from "./source-checks.ts";
import { type KeptElement, SplitBatch } from "./split-batch.ts";

interface Split {
  readonly split: unknown;
  readonly reader: SourceReader<unknown, unknown>;
  readonly batch: SplitBatch;
  /** What the last poll said, where elements of it still wait. */
  said: PollResult | undefined;
  ended: boolean;
  /** Processing time since which it has had nothing; undefined while it has. */
  quietSince: number | undefined;
  waiting: boolean;
  /** Whether it has given an element. */
  given: boolean;
  /** What it gave when the watermark was last asked. */
  watermark: Timestamp;
}

/** How a split stands, for explanations. */
export interface SplitFacts {
  readonly ended: boolean;
  /** Idle by the source's policy: it does not count. */
  readonly isIdle: boolean;
  /** Whether it is polled when there is room. */
  readonly pollable: boolean;
  readonly watermark: Timestamp;
  readonly latest: Timestamp;
  readonly given: boolean;
  readonly quietSince: number | undefined;
  /** Whether nothing says how far its event time has come. */
  readonly tellsNoTime: boolean;
}

/** What reading needs of its engine. */
export interface SourceEngine {
  now(): number;
  /** Calls `ready` in a later turn: something may be there to poll. */
  ready(ready: () => void): void;
  fail(error: unknown): void;
}

/** What a stage sees of its source. */
export interface Reading {
  watermark(): Timestamp;
  /** The processing time at which the watermark may move by itself; Infinity when it cannot. */
  nextChange(): number;
  /** Reads no more; the watermark goes to the end of time. */
  stop(): void;
  /** Where it stands, as plain data but for elements that wait (`kept`); asked between two polls. */
  save(): unknown;
  /** Goes on where `save` was called. Before `open`. */
  restore(saved: never): void;
  /** Tells where it stood in a checkpoint that is complete. */
  committed?(saved: unknown): Promise<void>;
}

/** A split as a checkpoint keeps it. */
interface SavedSplit {
  readonly split: unknown;
  /** Absent where it has ended. */
  readonly position?: unknown;
  readonly ended: boolean;
  readonly latest: Timestamp;
  readonly heard: Timestamp;
  readonly given: boolean;
  readonly watermark: Timestamp;
  readonly said: PollResult | undefined;
  readonly kept: readonly KeptElement[];
}

interface SavedReading {
  readonly watermark: Timestamp;
  readonly splits: readonly SavedSplit[];
}

/** In place of the reader of a split that has ended before the job was started again. */
const ENDED: SourceReader<unknown, unknown> = {
  poll: () => "end",
  ready: () => Promise.resolve(),
  position: () => undefined,
  close: () => {},
};

export class SourceReading implements Reading {
  readonly #step: string;
  readonly #source: Source<unknown>;
  readonly #policy: TimestampPolicy<unknown>;
  readonly #engine: SourceEngine;
  #splits: Split[] = [];
  #next = 0;
  #stopped = false;
  #closed = false;
  #watermark: Timestamp = MIN_TIMESTAMP;
  #saved: SavedReading | undefined;

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

  /** An error of the source, as a coded one with the step's name. */
  #named(error: unknown): TidemarkError {
    if (isTidemarkError(error)) return error.withContext({ step: this.#step });
    const at = userFrame(error);
    return new TidemarkError("JOB_FAILED", {
      what: `the source of step "${this.#step}" failed: ${error instanceof Error ? error.message : String(error)}`,
      step: this.#step,
      domain: "external",
      ...(at !== undefined && { at }),
      cause: error,
    });
  }

  async #openSplits(out: Emitter): Promise<void> {
    const saved = this.#saved?.splits ?? [];
    for (const split of saved) if (!this.#closed) await this.#openSplit(split.split, out, split);
    // What a bounded source consists of is settled when it is first opened; another one may have got more.
    if (this.#saved !== undefined && this.#source.bounded) return;
    const known = new Set(saved.map(({ split }) => encodeToLatin1(valueCoder, split)));
    for (const split of await this.#source.splits(1)) {
      if (this.#closed) return;
      if (known.size === 0 || !known.has(encodeToLatin1(valueCoder, split)))
        await this.#openSplit(split, out, undefined);
    }
  }

  async #openSplit(split: unknown, out: Emitter, saved: SavedSplit | undefined): Promise<void> {
    const reader = saved?.ended === true ? ENDED : await this.#source.open(split, saved?.position);
    checkReader(this.#step, reader);
    if (this.#closed) return reader.close();
    const batch = new SplitBatch(this.#step, this.#policy, out, () => this.#engine.now());
    if (saved !== undefined) {
      batch.kept = [...saved.kept];
      batch.latest = saved.latest;
      batch.heard = saved.heard;
    }
    this.#splits.push({
      split,
      reader,
      batch,
      said: saved?.said,
      ended: saved?.ended ?? false,
      quietSince: undefined,
      waiting: false,
      given: saved?.given ?? false,
      watermark: saved?.watermark ?? MIN_TIMESTAMP,
    });
  }

  save(): SavedReading {
    const splits = this.#splits.map(({ split, reader, batch, ended, given, watermark, said }): SavedSplit => {
      const { latest, heard, kept } = batch;
      const at = ended ? {} : { position: reader.position() };
      return { split, ...at, ended, latest, heard, given, watermark, said, kept: [...kept] };
    });
    return { watermark: this.#watermark, splits };
  }

  restore(saved: SavedReading): void {
    this.#saved = saved;
    this.#watermark = saved.watermark;
  }

  /** Tells the readers which positions are in a checkpoint that is complete. */
  async committed(saved: unknown): Promise<void> {
    const { splits } = saved as SavedReading;
    try {
      for (const [i, { position, ended }] of splits.entries())
        if (!ended) await this.#splits[i]?.reader.committed?.(position);
    } catch (error) {
      throw this.#named(error);
    }
  }

  get ended(): boolean {
    return this.#splits.every((split) => split.ended || (this.#stopped && !split.batch.keeps));
  }

  /** Whether a poll may give something now. */
  get pollable(): boolean {
    return this.#splits.some((split) => this.#isPollable(split));
  }

  #isPollable(split: Split): boolean {
    return split.batch.keeps || (!this.#stopped && !split.ended && !split.waiting);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Polls the next split that may have something. @returns the number of elements read */
  poll(max: number): number {
    const count = this.#splits.length;
    for (let i = 0; i < count; i++) {
      const split = this.#splits[(this.#next + i) % count] as Split;
      if (!this.#isPollable(split)) continue;
      this.#next = (this.#next + i + 1) % count;
      return this.#pollSplit(split, max);
    }
    return 0;
  }

  #pollSplit(split: Split, max: number): number {
    split.batch.size = 0;
    const result = split.batch.keeps ? this.#resume(split) : this.#read(split, max);
    // It may give its last elements and say `idle` in one poll: quiet from then on.
    if (split.batch.size > 0) {
      split.quietSince = undefined;
      split.given = true;
    }
    if (result === "end") split.ended = true;
    else if (result === "idle") {
      split.quietSince ??= this.#engine.now();
      this.#wait(split);
    }
    return split.batch.size;
  }

  #read(split: Split, max: number): PollResult {
    let said: PollResult;
    split.batch.polled = true;
    try {
      said = split.reader.poll(max, split.batch);
    } catch (error) {
      // What a step further on threw has that step's name already.
      throw this.#named(error);
    }
    split.batch.polled = false;
    if (said !== "more" && said !== "idle" && said !== "end") throw unknownResult(this.#step, said);
    if (!split.batch.keeps) return said;
    split.said = said;
    return "more";
  }

  /** Goes on with what a poll has left waiting; what it said counts when nothing is. */
  #resume(split: Split): PollResult {
    split.batch.resume();
    return split.batch.keeps ? "more" : (split.said as PollResult);
  }

  #wait(split: Split): void {
    split.waiting = true;
    this.#ready(split.reader).then(
      () => {
        this.#engine.ready(() => {
          split.waiting = false;
        });
      },
      (error: unknown) => this.#engine.fail(this.#named(error)),
    );
  }

  /** Never throws: what `ready` throws comes as a rejection too. */
  async #ready(reader: SourceReader<unknown, unknown>): Promise<void> {
    await reader.ready();
  }

  #splitWatermark(split: Split): Timestamp {
    if (split.ended) return MAX_TIMESTAMP;
    if (split.reader.watermark !== undefined && this.#policy.kind === "source") return this.#asked(split.reader);
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

  #asked(reader: SourceReader<unknown, unknown>): Timestamp {
    let watermark: unknown;
    try {
      watermark = reader.watermark?.();
    } catch (error) {
      throw this.#named(error);
    }
    if (!isTimestamp(watermark)) throw watermarkInvalid(this.#step, watermark);
    return watermark;
  }

  /** A split that has something again is not idle, even where it has not been read yet because what comes after it is full. */
  #isIdle(split: Split, now: number): boolean {
    const idleAfter = this.#source.quiet?.idleAfter;
    if (idleAfter === undefined || split.quietSince === undefined || !split.waiting) return false;
    return now - split.quietSince >= idleAfter;
  }

  watermark(): Timestamp {
    if (this.ended) return MAX_TIMESTAMP;
    const now = this.#engine.now();
    let least = Infinity;
    for (const split of this.#splits) {
      split.batch.heard = split.batch.latest;
      if (split.ended || this.#isIdle(split, now)) continue;
      split.watermark = this.#splitWatermark(split);
      least = Math.min(least, split.watermark);
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
      if (split.ended || split.quietSince === undefined || !split.waiting) continue;
      const at = split.quietSince + idleAfter;
      if (at > now) next = Math.min(next, at);
      else if (this.#source.quiet?.whenAllIdle === "followClock") next = Math.min(next, now + CLOCK_STEP_MS);
    }
    return next;
  }

  /** How it stands, for explanations. Asks no reader, changes nothing. */
  facts(): {
    readonly source: Source<unknown>;
    readonly policy: TimestampPolicy<unknown>;
    splits: readonly SplitFacts[];
  } {
    const now = this.#engine.now();
    const splits = this.#splits.map((split) => ({
      ended: split.ended || this.#stopped,
      isIdle: this.#isIdle(split, now),
      pollable: this.#isPollable(split),
      watermark: split.watermark,
      latest: split.batch.latest,
      given: split.given,
      quietSince: split.waiting ? split.quietSince : undefined,
      tellsNoTime: this.#tellsNoTime(split),
    }));
    return { source: this.#source, policy: this.#policy, splits };
  }

  #tellsNoTime({ reader, given, watermark }: Split): boolean {
    if (this.#source.bounded || this.#policy.kind !== "source") return false;
    return reader.watermark === undefined || (given && watermark === MIN_TIMESTAMP);
  }

  /** The watermark as it was last found. */
  get lastWatermark(): Timestamp {
    return this.ended ? MAX_TIMESTAMP : this.#watermark;
  }

  /** Closes every reader; throws the first failure after trying all. */
  async close(): Promise<void> {
    this.#closed = true;
    const splits = this.#splits;
    this.#splits = [];
    let first: { error: unknown } | undefined;
    for (const { reader } of splits) {
      try {
        await reader.close();
      } catch (error) {
        first ??= { error: this.#named(error) };
      }
    }
    if (first) throw first.error;
  }
}

/** How often a watermark that follows the clock is looked at while nothing else happens. */
const CLOCK_STEP_MS = 100;
