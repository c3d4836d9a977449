/**
 * Sources: how elements come in. Pulled, never pushed.
 *
 * R1 `poll` is synchronous and bounded by `max`; it never waits. `ready` resolves when polling again is worth while.
 * R2 `position()` after a poll names exactly what has been handed out; a reader opened there goes on with the next element.
 * R3 A reader's watermark only moves forward.
 */
import { checkOptionNames } from "../base/option-names.ts";
import type { Timestamp } from "../model/time.ts";

/** Receives the elements of one poll. */
export interface Batch<T> {
  /** Adds an element; `timestamp` defaults to what the step's timestamp policy says of it. */
  add(value: T, timestamp?: Timestamp): void;
  readonly size: number;
}

/** `more`: poll again at once. `idle`: nothing now. `end`: nothing ever again. */
export type PollResult = "more" | "idle" | "end";

/** One reading of one split. */
export interface SourceReader<T, P> {
  /** Adds up to `max` elements to `into`, without waiting. */
  poll(max: number, into: Batch<T>): PollResult;
  /** Resolves when `poll` may have something; called only after `idle`. */
  ready(): Promise<void>;
  /** Where the reader stands; encodable data. */
  position(): P;
  /** The reader's own knowledge of event time, if it has any; where absent the step's timestamp policy decides. */
  watermark?(): Timestamp;
  /** Told after a checkpoint that holds position `p` is durable. */
  committed?(position: P): void | Promise<void>;
  /** Called once, when nothing more is read. */
  close(): void | Promise<void>;
}

/**
 * What a quiet source means for the watermark. Without one, a split that has nothing holds back every window below it; the job
 * warns of that once, half a minute after it has gone quiet.
 *
 * After a restart nobody is idle: that a split was is not kept, and `idleAfter` begins anew with the first poll, however long
 * the job was down. So what has come meanwhile is read before the watermark goes on without it, and is not late.
 */
export interface QuietPolicy {
  /** After this many ms without an element a split no longer holds the watermark back. Default: never. */
  readonly idleAfter?: number;
  /**
   * When all splits are idle: whether the watermark stands still, or follows the clock (minus the out-of-orderness). The second
   * is for event times that are those of the clock: what comes later with an older one is late. After a restart the watermark
   * follows only once all have been idle again. Default `hold`.
   */
  readonly whenAllIdle?: "hold" | "followClock";
}

/** A kind of input. `Split` and `Position` are encodable data. */
export interface Source<T, Split = unknown, Position = unknown> {
  /** For graphs and messages, as in `text(data/*.txt)`. */
  readonly name: string;
  /** Whether it ends by itself. */
  readonly bounded: boolean;
  /** @param desired how many readers could work side by side: 1 in the embedded engine; a hint */
  splits(desired: number): readonly Split[] | Promise<readonly Split[]>;
  /** A reader of `split` that begins at `position`, or at the beginning. */
  open(split: Split, position: Position | undefined): SourceReader<T, Position> | Promise<SourceReader<T, Position>>;
  readonly quiet?: QuietPolicy;
}

/** How elements get event times and the source its watermark. */
export type TimestampPolicy<T> =
  /** From the element; `outOfOrderness` ms may pass between an element and an older one after it. */
  | { readonly kind: "event"; readonly timestamp: (element: T) => Timestamp; readonly outOfOrderness: number }
  /** The clock when the element is read; the watermark follows the clock. */
  | { readonly kind: "processing" }
  /** What the reader says, and MIN_TIMESTAMP where it says nothing. The default. */
  | { readonly kind: "source" };

/**
 * Event time by a function of the element, at most `outOfOrderness` ms (default 0) out of order: the watermark stays so far
 * behind the latest element, and what comes later still is late.
 *
 * @example
 * ```ts
 * await writeFile("log.txt", "1000 a\n3000 b\n");
 * p.apply(text.read("log.txt", { timestamps: eventTime((line) => Number.parseInt(line), { outOfOrderness: seconds(5) }) }))
 *   .map((line, { timestamp }) => [line, timestamp]); // -> ["1000 a", 1000], ["3000 b", 3000]
 * ```
 */
export function eventTime<T>(
  timestamp: (element: T) => Timestamp,
  options?: { readonly outOfOrderness?: number },
): TimestampPolicy<T> {
  checkOptionNames("eventTime", options, { outOfOrderness: true });
  return Object.freeze({ kind: "event", timestamp, outOfOrderness: options?.outOfOrderness ?? 0 });
}

/**
 * Event time is the time of reading: `Date.now()` of the engine's clock.
 *
 * @example
 * ```ts
 * await writeFile("log.txt", "a\n");
 * p.apply(text.read("log.txt", { timestamps: processingTime() })).map((_, { timestamp }) => timestamp); // -> 0
 * ```
 */
export function processingTime(): TimestampPolicy<unknown> {
  return Object.freeze({ kind: "processing" });
}

/**
 * Event time is what the source says of each element (a broker's own time-stamp), and `MIN_TIMESTAMP` where it says nothing.
 *
 * @example
 * ```ts
 * await writeFile("log.txt", "a\n");
 * p.apply(text.read("log.txt", { timestamps: sourceTime() })).map((_, { timestamp }) => timestamp); // -> MIN_TIMESTAMP
 * ```
 */
export function sourceTime(): TimestampPolicy<unknown> {
  return Object.freeze({ kind: "source" });
}
