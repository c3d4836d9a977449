/**
 * Timers: a call back at an instant, for one key and window.
 *
 * M1 Setting a timer again replaces its earlier setting; only the last one fires.
 * M2 An event-time timer at `t` fires when the watermark is after `t`; until then it holds the output watermark at its
 *    output timestamp. A processing-time timer at `t` fires when the clock has reached `t`.
 */
import type { Timestamp } from "../model/time.ts";

/** What a timer is set in: event time, which the watermark tells, or processing time, which the clock tells. */
export type TimeDomain = "event" | "processing";

/** Where the outputs of a timer's callback lie in event time, and what is held back until it has fired. */
export interface TimerOptions {
  /** Default: the timer's own instant in event time; the setting element's timestamp in processing time. */
  readonly outputTimestamp?: Timestamp;
}

/** One timer. */
export interface Timer {
  /** Fires at `timestamp`: event time, or milliseconds of the clock for a processing-time timer. */
  set(timestamp: Timestamp, options?: TimerOptions): void;
  /** Fires `milliseconds` after now (processing time), or after the element's timestamp (event time). */
  setAfter(milliseconds: number, options?: TimerOptions): void;
  /** Takes the setting back, if there is one. */
  clear(): void;
}

/** Any number of timers under names made at run time. */
export interface TimerFamily {
  /** Sets the timer named `tag`; as `Timer.set`. */
  set(tag: string, timestamp: Timestamp, options?: TimerOptions): void;
  /** Sets the timer named `tag`; as `Timer.setAfter`. */
  setAfter(tag: string, milliseconds: number, options?: TimerOptions): void;
  /** Takes the setting of `tag` back, if there is one. */
  clear(tag: string): void;
}

/** A declared timer or family: plain data. */
export interface TimerSpec<T> {
  readonly domain: TimeDomain;
  readonly family: boolean;
  /** Never present: carries `T`. */
  readonly timer?: T;
}

export type TimerSpecs = Readonly<Record<string, TimerSpec<unknown>>>;
/** The timers that user code sees, from their declarations. */
export type Timers<T extends TimerSpecs> = { readonly [N in keyof T]: T[N] extends TimerSpec<infer X> ? X : never };

/**
 * Declares a timer in event time: fires when the watermark is after its instant (ms). Setting it past the end of its window's
 * life is the error TIMER_PAST_EXPIRY.
 *
 * @example
 * ```ts
 * p.createTimestamped<KV<string, number>>([at(1000, ["card 1", 5])]).parDo({
 *   timers: { quiet: eventTimer() },
 *   outputs: { main: output<string>() },
 *   process(_, { timers }) {
 *     timers.quiet.setAfter(seconds(60));
 *   },
 *   onTimer: { quiet: ({ key, timestamp, output }) => output(`${key} quiet at ${timestamp}`) },
 * }); // -> "card 1 quiet at 61000"
 * ```
 */
export function eventTimer(): TimerSpec<Timer> {
  return Object.freeze({ domain: "event", family: false });
}

/**
 * Declares a timer in processing time: fires when the clock has reached its instant (ms). One that is not due when its window
 * expires is dropped and counted.
 *
 * @example
 * ```ts
 * const cards = testStream<KV<string, number>>().addElements(at(1000, ["card 1", 5])).advanceProcessingTime(seconds(60));
 * p.apply(cards.advanceWatermarkToInfinity()).parDo({
 *   timers: { quiet: processingTimer() },
 *   outputs: { main: output<string>() },
 *   process(_, { timers }) {
 *     timers.quiet.setAfter(seconds(60));
 *   },
 *   onTimer: { quiet: ({ key, firedAt, output }) => output(`${key} quiet at ${firedAt}`) },
 * }); // -> "card 1 quiet at 60000"
 * ```
 */
export function processingTimer(): TimerSpec<Timer> {
  return Object.freeze({ domain: "processing", family: false });
}

/**
 * Declares a family of timers with tags, in event time: one timer for each tag, key and window.
 *
 * @example
 * ```ts
 * p.createTimestamped<KV<string, string>>([at(1000, ["ann", "tea"]), at(2000, ["ann", "jam"])]).parDo({
 *   timers: { due: eventTimerFamily() },
 *   outputs: { main: output<string>() },
 *   process([, item], { timers }) {
 *     timers.due.setAfter(item, seconds(60));
 *   },
 *   onTimer: { due: ({ tag, timestamp, output }) => output(`${tag} at ${timestamp}`) },
 * }); // -> "tea at 61000", "jam at 62000"
 * ```
 */
export function eventTimerFamily(): TimerSpec<TimerFamily> {
  return Object.freeze({ domain: "event", family: true });
}

/**
 * Declares a family of timers with tags, in processing time: one timer for each tag, key and window.
 *
 * @example
 * ```ts
 * const orders = testStream<KV<string, string>>().addElements(at(0, ["ann", "tea"]), at(0, ["ann", "jam"]));
 * p.apply(orders.advanceProcessingTime(seconds(60)).advanceWatermarkToInfinity()).parDo({
 *   timers: { due: processingTimerFamily() },
 *   outputs: { main: output<string>() },
 *   process([, item], { timers }) {
 *     timers.due.setAfter(item, seconds(60));
 *   },
 *   onTimer: { due: ({ tag, firedAt, output }) => output(`${tag} at ${firedAt}`) },
 * }); // -> "tea at 60000", "jam at 60000"
 * ```
 */
export function processingTimerFamily(): TimerSpec<TimerFamily> {
  return Object.freeze({ domain: "processing", family: true });
}
