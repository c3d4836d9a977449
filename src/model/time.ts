/**
 * Event time: a number of milliseconds since the epoch.
 *
 * T1 Beam's ends of time lie beyond 2^53, where doubles are even numbers only: they are named here, compared by
 *    value, and written with their exact bytes by the timestamp coder. Nobody does arithmetic on them unclamped.
 * T2 A timestamp is a whole number: that is what the coder writes. Fractions are refused where they come in, not rounded, since
 *    they are seconds or a mistake more often than they are meant.
 */
import type { ErrorText } from "../base/errors.ts";
import { preview } from "../base/preview.ts";

/** Milliseconds since the epoch, in event time. May be negative. */
export type Timestamp = number;

/**
 * Before every element: Beam's −9223372036854775 ms, as the double nearest to it.
 *
 * @example
 * ```ts
 * p.create(["no time given"]).map((_, { timestamp }) => timestamp); // -> MIN_TIMESTAMP
 * ```
 */
export const MIN_TIMESTAMP: Timestamp = -9223372036854775;
/**
 * After every element, timer and window: Beam's 9223372036854775 ms, as the double nearest to it. A watermark here says
 * "no more input, ever".
 *
 * @example
 * ```ts
 * const { watermark } = await runTest((p) => p.create(["a"]));
 * watermark; // -> MAX_TIMESTAMP
 * ```
 */
export const MAX_TIMESTAMP: Timestamp = 9223372036854775;
/**
 * The last instant of the global window: one day before `MAX_TIMESTAMP`, so that its timers can still fire.
 *
 * @example
 * ```ts
 * p.create(["a"])
 *   .apply(countGlobally())
 *   .map((_, { timestamp }) => timestamp); // -> END_OF_GLOBAL_WINDOW
 * ```
 */
export const END_OF_GLOBAL_WINDOW: Timestamp = 9223371950454775;

/** See T2. */
export function isTimestamp(value: unknown): value is Timestamp {
  return Number.isInteger(value) && (value as number) >= MIN_TIMESTAMP && (value as number) <= MAX_TIMESTAMP;
}

/** What to say (TIMESTAMP_INVALID) of a timestamp that is none; `giver` names who gave it, as in `step "Parse"`. */
export function timestampProblem(giver: string, timestamp: unknown): Required<ErrorText> {
  return {
    what: `${giver} gave the timestamp ${preview(timestamp)}`,
    why: "a timestamp is a whole number of milliseconds since the epoch",
    fix: "give a number such as Date.parse(text) or date.getTime(), with Math.floor where it may have a fraction",
  };
}

/** `timestamp` brought into `[MIN_TIMESTAMP, MAX_TIMESTAMP]`. */
export function clampTimestamp(timestamp: number): Timestamp {
  return timestamp < MIN_TIMESTAMP ? MIN_TIMESTAMP : timestamp > MAX_TIMESTAMP ? MAX_TIMESTAMP : timestamp;
}

/**
 * For people: ISO time where a Date can hold it, else a named end, else the bare milliseconds.
 *
 * @example
 * ```ts
 * formatTimestamp(1000); // -> "1970-01-01T00:00:01.000Z"
 * formatTimestamp(MAX_TIMESTAMP); // -> "+∞"
 * ```
 */
export function formatTimestamp(timestamp: Timestamp): string {
  if (timestamp <= MIN_TIMESTAMP) return "-∞";
  if (timestamp >= MAX_TIMESTAMP) return "+∞";
  if (timestamp === END_OF_GLOBAL_WINDOW) return "end of the global window";
  if (Math.abs(timestamp) > 8.64e15) return `${timestamp} ms`;
  return new Date(timestamp).toISOString();
}

/**
 * `n` milliseconds; for symmetry with `seconds`.
 *
 * @example
 * ```ts
 * milliseconds(5); // -> 5
 * ```
 */
export function milliseconds(n: number): number {
  return n;
}

/**
 * `n` seconds in milliseconds.
 *
 * @example
 * ```ts
 * seconds(5); // -> 5000
 * ```
 */
export function seconds(n: number): number {
  return n * 1000;
}

/**
 * `n` minutes in milliseconds.
 *
 * @example
 * ```ts
 * minutes(5); // -> 300_000
 * ```
 */
export function minutes(n: number): number {
  return n * 60_000;
}

/**
 * `n` hours in milliseconds.
 *
 * @example
 * ```ts
 * hours(5); // -> 18_000_000
 * ```
 */
export function hours(n: number): number {
  return n * 3_600_000;
}

/**
 * `n` days of 24 hours in milliseconds.
 *
 * @example
 * ```ts
 * days(5); // -> 432_000_000
 * ```
 */
export function days(n: number): number {
  return n * 86_400_000;
}
