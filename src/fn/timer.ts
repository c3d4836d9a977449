/**
 * Timers: a call back at an instant, for one key and window.
 *
 * M1 Setting a timer again replaces its earlier setting; only the last one fires.
 * M2 An event-time timer at `t` fires when the watermark is after `t`; until then it holds the output watermark at its
 *    output timestamp. A processing-time timer at `t` fires when the clock has reached `t`.
 */
import type { Timestamp } from "../model/time.ts";

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
  clear(): void;
}

/** Any number of timers under names made at run time. */
export interface TimerFamily {
  set(tag: string, timestamp: Timestamp, options?: TimerOptions): void;
  setAfter(tag: string, milliseconds: number, options?: TimerOptions): void;
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

/** Declares a timer in event time. */
export function eventTimer(): TimerSpec<Timer> {
  return Object.freeze({ domain: "event", family: false });
}

/** Declares a timer in processing time. */
export function processingTimer(): TimerSpec<Timer> {
  return Object.freeze({ domain: "processing", family: false });
}

/** Declares a family of timers with tags, in event time. */
export function eventTimerFamily(): TimerSpec<TimerFamily> {
  return Object.freeze({ domain: "event", family: true });
}

/** Declares a family of timers with tags, in processing time. */
export function processingTimerFamily(): TimerSpec<TimerFamily> {
  return Object.freeze({ domain: "processing", family: true });
}
