/** What one split of a source gives in a poll. */
import { TidemarkError } from "../base/errors.ts";
import { userFrame } from "../base/frames.ts";
import { preview } from "../base/preview.ts";
import type { Batch, TimestampPolicy } from "../fn/source.ts";
import type { Emitter } from "../host/emitter.ts";
import { NO_FIRING } from "../model/pane.ts";
import { isTimestamp, MIN_TIMESTAMP, type Timestamp, timestampProblem } from "../model/time.ts";
import { GLOBAL_WINDOWS } from "../model/window.ts";

/** An element that was read and waits for the watermark. */
export interface KeptElement {
  readonly value: unknown;
  readonly at: Timestamp;
}

/** Receives one split's elements and pushes them on at once; only what has to wait for the watermark is kept (source.ts R3). */
export class SplitBatch implements Batch<unknown> {
  readonly #out: Emitter;
  readonly #timestamp: ((element: unknown) => Timestamp) | undefined;
  readonly #now: (() => number) | undefined;
  readonly #step: string;
  readonly #outOfOrder: number;
  /** Whether its reader is being polled. */
  polled = false;
  kept: KeptElement[] = [];
  size = 0;
  latest: Timestamp = MIN_TIMESTAMP;
  /** The latest element that the watermark has heard of. */
  heard: Timestamp = MIN_TIMESTAMP;

  constructor(step: string, policy: TimestampPolicy<unknown>, out: Emitter, now: () => number) {
    this.#step = step;
    this.#out = out;
    this.#timestamp = policy.kind === "event" ? policy.timestamp : undefined;
    this.#now = policy.kind === "processing" ? now : undefined;
    this.#outOfOrder = policy.kind === "event" ? policy.outOfOrderness : Infinity;
  }

  /** Whether elements wait for the watermark. */
  get keeps(): boolean {
    return this.kept.length > 0;
  }

  /** Pushes on what waited, as far as it need not wait again. */
  resume(): void {
    const kept = this.kept;
    this.kept = [];
    for (const { value, at } of kept) this.#push(value, at);
  }

  #push(value: unknown, at: Timestamp): void {
    if (this.kept.length > 0 || (at < this.latest - this.#outOfOrder && this.latest > this.heard)) {
      this.kept.push({ value, at });
      return;
    }
    if (at > this.latest) this.latest = at;
    this.size++;
    this.#out.emit(value, at, GLOBAL_WINDOWS, NO_FIRING);
  }

  add(value: unknown, timestamp?: Timestamp): void {
    if (!this.polled) throw addedLate(this.#step);
    let at: Timestamp;
    if (this.#timestamp !== undefined) at = this.#timestampOf(this.#timestamp, value);
    else if (this.#now !== undefined) at = Math.floor(this.#now());
    else at = timestamp ?? MIN_TIMESTAMP;
    if (!isTimestamp(at)) {
      const problem = timestampProblem(`the timestamp policy of step "${this.#step}"`, at);
      throw new TidemarkError("TIMESTAMP_INVALID", { ...problem, step: this.#step });
    }
    this.#push(value, at);
  }

  #timestampOf(timestamp: (element: unknown) => Timestamp, value: unknown): Timestamp {
    try {
      return timestamp(value);
    } catch (error) {
      throw timestampFailed(this.#step, value, error);
    }
  }
}

function timestampFailed(step: string, element: unknown, error: unknown): TidemarkError {
  const at = userFrame(error);
  return new TidemarkError("STEP_FAILED", {
    what: `the timestamp function of step "${step}" threw ${String(error)}`,
    why: "an element without an event time has no place in the stream",
    fix: "let the function return a number for every element, or filter such elements out and give times afterwards",
    step,
    element: preview(element),
    ...(at !== undefined && { at }),
    cause: error,
  });
}

function addedLate(step: string): TidemarkError {
  return new TidemarkError("SOURCE_INVALID", {
    what: `add() of a batch of step "${step}" was called when poll() had returned`,
    why: "an element that comes by itself would slip past the watermark and past the position that a checkpoint keeps",
    fix: "keep what comes in an array, let ready() resolve, and add it in the next poll()",
    step,
  });
}
