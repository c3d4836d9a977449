/** A scripted source: plays its events one at a time, each when everything before it has been handled. */
import { TidemarkError } from "../base/errors.ts";
import type { TestStreamEvent } from "../graph/graph.ts";
import type { Emitter } from "../host/emitter.ts";
import { NO_FIRING } from "../model/pane.ts";
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import { GLOBAL_WINDOWS } from "../model/window.ts";
import type { Reading } from "./source.ts";

export class Script implements Reading {
  readonly #events: readonly TestStreamEvent[];
  readonly #entry: Emitter;
  readonly #advanceClock: ((byMs: number) => void) | undefined;
  readonly #endsByItself: boolean;
  #next = 0;
  #watermark: Timestamp = MIN_TIMESTAMP;

  /** @param endsByItself whether the watermark goes to the end of time after the last event; else it stands where the script left it */
  constructor(
    events: readonly TestStreamEvent[],
    entry: Emitter,
    advanceClock: ((byMs: number) => void) | undefined,
    endsByItself: boolean,
  ) {
    this.#events = events;
    this.#entry = entry;
    this.#advanceClock = advanceClock;
    this.#endsByItself = endsByItself;
  }

  /** Plays the next event. @returns 1, or 0 where there is none */
  next(): number {
    const event = this.#events[this.#next];
    if (event === undefined) {
      if (!this.#endsByItself || this.#watermark === MAX_TIMESTAMP) return 0;
      this.#watermark = MAX_TIMESTAMP;
      return 1;
    }
    this.#next++;
    switch (event.kind) {
      case "elements":
        for (const { value, timestamp } of event.elements)
          this.#entry.emit(value, timestamp, GLOBAL_WINDOWS, NO_FIRING);
        break;
      case "watermark":
        this.#watermark = Math.max(this.#watermark, event.to);
        break;
      case "processingTime":
        if (this.#advanceClock === undefined) throw needsTestClock();
        this.#advanceClock(event.advanceBy);
        break;
    }
    return 1;
  }

  /** How many events are left to play. */
  get eventsLeft(): number {
    return this.#events.length - this.#next;
  }

  /** Whether there is an event to play. */
  get hasNext(): boolean {
    return !this.exhausted || (this.#endsByItself && this.#watermark < MAX_TIMESTAMP);
  }

  /** Whether every event has been played. */
  get exhausted(): boolean {
    return this.#next >= this.#events.length;
  }

  save(): { readonly next: number; readonly watermark: Timestamp } {
    return { next: this.#next, watermark: this.#watermark };
  }

  restore({ next, watermark }: ReturnType<Script["save"]>): void {
    this.#next = next;
    this.#watermark = watermark;
  }

  stop(): void {
    this.#next = this.#events.length;
    this.#watermark = MAX_TIMESTAMP;
  }

  watermark(): Timestamp {
    return this.#watermark;
  }

  nextChange(): number {
    return Infinity;
  }
}

function needsTestClock(): TidemarkError {
  return new TidemarkError("TEST_STREAM_NEEDS_TEST_CLOCK", {
    what: "a test stream advances processing time, but the job runs on the real clock",
    fix: "run it with runTest from tidemark/testing",
  });
}
