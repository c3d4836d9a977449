/**
 * The contexts of DoFn calls: one object for a synchronous step, reused; one for each call that may be undone.
 */
import { TidemarkError } from "../base/errors.ts";
import { checkOptionNames, type OptionNames } from "../base/option-names.ts";
import type { DoFn } from "../fn/do-fn.ts";
import type { Metrics } from "../fn/metrics.ts";
import type { TimerOptions, TimerSpec, TimerSpecs } from "../fn/timer.ts";
import type { Emitter } from "../host/emitter.ts";
import type { StageHost, TimerHost } from "../host/host.ts";
import type { KeyedRecord } from "../host/records.ts";
import { NO_FIRING, type Pane } from "../model/pane.ts";
import { formatTimestamp, MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import { formatWindow, GLOBAL_WINDOW, GLOBAL_WINDOWS, type Window } from "../model/window.ts";
import { expiryTime } from "../windowing/strategy.ts";
import { stepFailure } from "./errors.ts";
import { checkSkew, checkTimestamp, type StepInfo } from "./operators.ts";
import type { StateRecord } from "./state-record.ts";

/** Emitters by tag; `main` among them. */
export type Outlets = Readonly<Record<string, Emitter>>;

export interface ContextParts {
  readonly step: StepInfo;
  readonly doFn: DoFn<unknown, unknown>;
  readonly host: StageHost;
  readonly outlets: Outlets;
  readonly sideInputs: SideInputReader;
  readonly allowedLateness: number;
}

/** Reads side inputs for the window at hand. */
export interface SideInputReader {
  readonly values: Readonly<Record<string, unknown>>;
  moveTo(window: Window): void;
}

/** What DoFn methods get. Fields are set before each call. */
export class DoFnContext {
  timestamp: Timestamp = MIN_TIMESTAMP;
  window: Window = GLOBAL_WINDOW;
  windows: readonly Window[] = GLOBAL_WINDOWS;
  pane: Pane = NO_FIRING;
  key: unknown = undefined;
  firedAt: Timestamp = MIN_TIMESTAMP;
  /** Whether the call is a timer's. */
  isFiring = false;
  tag = "";
  state: Readonly<Record<string, unknown>> = {};
  timers: Readonly<Record<string, unknown>> = {};
  /** Aborted when nobody waits for the call any more. */
  signal: AbortSignal = NEVER_ABORTED;
  /** Whether the method it was made for has not returned. */
  active = false;
  readonly sideInputs: Readonly<Record<string, unknown>>;
  readonly step: string;
  readonly options: unknown;
  readonly metrics: Metrics;
  readonly #parts: ContextParts;
  readonly #main: Emitter;
  readonly #skew: number;
  readonly #finalize: (callback: () => void | Promise<void>) => void;

  /** @param finalize where `onBundleFinalized` puts its callbacks. Default: the bundle at hand */
  constructor(parts: ContextParts, finalize?: (callback: () => void | Promise<void>) => void) {
    this.#parts = parts;
    this.#finalize = finalize ?? ((callback) => parts.host.onBundleFinalized(callback));
    this.#main = parts.outlets["main"] as Emitter;
    this.#skew = parts.doFn.allowedTimestampSkew ?? 0;
    this.sideInputs = parts.sideInputs.values;
    this.step = parts.step.name;
    this.options = parts.host.options;
    this.metrics = parts.host.metrics.of(parts.step.id, this.step);
    // So that `const { output } = context` works.
    this.output = this.output.bind(this);
    this.outputTo = this.outputTo.bind(this);
    this.now = this.now.bind(this);
    this.onBundleFinalized = this.onBundleFinalized.bind(this);
  }

  output(value: unknown, timestamp?: Timestamp): void {
    if (!this.active) throw ended(this.step, "output()");
    if (timestamp === undefined) this.#main.emit(value, this.timestamp, this.windows, this.pane);
    else this.#emitAt(this.#main, value, timestamp);
  }

  outputTo(tag: string, value: unknown, timestamp?: Timestamp): void {
    if (!this.active) throw ended(this.step, "outputTo()");
    const outlet = this.#parts.outlets[tag];
    if (outlet === undefined) throw unknownTag(this.step, tag, Object.keys(this.#parts.outlets));
    if (timestamp === undefined) outlet.emit(value, this.timestamp, this.windows, this.pane);
    else this.#emitAt(outlet, value, timestamp);
  }

  #emitAt(outlet: Emitter, value: unknown, timestamp: Timestamp): void {
    checkTimestamp(this.step, timestamp);
    checkSkew(this.step, this.timestamp, timestamp, this.#skew);
    outlet.emit(value, timestamp, this.windows, this.pane);
  }

  now(): number {
    return this.#parts.host.now();
  }

  onBundleFinalized(callback: () => void | Promise<void>): void {
    this.#finalize(named(callback, this.step));
  }
}

/** For calls that nobody gives up. */
export const NEVER_ABORTED: AbortSignal = new AbortController().signal;

/** A callback whose failure is its step's. */
function named(callback: () => void | Promise<void>, step: string): () => void | Promise<void> {
  const failed = (error: unknown): never => {
    throw stepFailure(error, { step });
  };
  return () => {
    try {
      const result = callback();
      return result instanceof Promise ? result.catch(failed) : undefined;
    } catch (error) {
      return failed(error);
    }
  };
}

function ended(step: string, what: string): TidemarkError {
  return new TidemarkError("CALL_ENDED", {
    what: `${what} of step "${step}" was used after the method that it was given to had returned`,
    why: "what it stood for, the element, its window and its key, is another one by now",
    fix: "write the method as an `async` function and await what it starts",
    step,
  });
}

/** Stands in for the record of a call that is over: whoever still uses its cells or timers is told. */
export function endedRecord(step: string): StateRecord {
  const refuse = (): never => {
    throw ended(step, "a state cell or timer");
  };
  return Object.defineProperties({} as StateRecord, {
    first: { get: refuse },
    others: { get: refuse },
    timers: { get: refuse },
    window: { get: refuse },
  });
}

function unknownTag(step: string, tag: string, known: readonly string[]): TidemarkError {
  return new TidemarkError("OUTPUT_TAG_UNKNOWN", {
    what: `step "${step}" emitted to the output "${tag}"`,
    why: `its outputs are ${known.map((name) => `"${name}"`).join(", ")}`,
    fix: `declare it: outputs: { ${tag}: output<T>() }`,
    step,
  });
}

/** What `startBundle` and `finishBundle` get: outputs name their window and timestamp. */
export class BundleCallContext {
  readonly step: string;
  readonly options: unknown;
  readonly metrics: Metrics;
  readonly #outlets: Outlets;

  constructor(step: StepInfo, host: StageHost, outlets: Outlets) {
    this.step = step.name;
    this.options = host.options;
    this.metrics = host.metrics.of(step.id, step.name);
    this.#outlets = outlets;
    this.output = this.output.bind(this);
    this.outputTo = this.outputTo.bind(this);
  }

  output(value: unknown, timestamp: Timestamp, window: Window): void {
    this.outputTo("main", value, timestamp, window);
  }

  outputTo(tag: string, value: unknown, timestamp: Timestamp, window: Window): void {
    const outlet = this.#outlets[tag];
    if (outlet === undefined) throw unknownTag(this.step, tag, Object.keys(this.#outlets));
    checkTimestamp(this.step, timestamp);
    outlet.emit(value, timestamp, [window], NO_FIRING);
  }
}

/** Where timer handles find their record and their element. */
export interface TimerBinding {
  record: StateRecord;
  readonly context: DoFnContext;
  readonly timers: Pick<TimerHost, "set" | "clear">;
}

/** The handles of a step's declared timers. */
export function makeTimers(
  specs: TimerSpecs,
  parts: ContextParts,
  binding: TimerBinding,
): Readonly<Record<string, unknown>> {
  const handles: Record<string, unknown> = {};
  for (const [family, spec] of Object.entries(specs)) {
    const set = (tag: string, at: Timestamp, options: TimerOptions | undefined): void => {
      setTimer(parts, binding, family, spec, tag, at, options);
    };
    const origin = (): Timestamp => {
      if (spec.domain === "processing") return parts.host.now();
      const { isFiring, firedAt, timestamp } = binding.context;
      return isFiring ? firedAt : timestamp;
    };
    handles[family] = spec.family
      ? {
          set: (tag: string, at: Timestamp, options?: TimerOptions) => set(tag, at, options),
          setAfter: (tag: string, ms: number, options?: TimerOptions) => set(tag, origin() + ms, options),
          clear: (tag: string) => binding.timers.clear(binding.record, family, tag),
        }
      : {
          set: (at: Timestamp, options?: TimerOptions) => set("", at, options),
          setAfter: (ms: number, options?: TimerOptions) => set("", origin() + ms, options),
          clear: () => binding.timers.clear(binding.record, family, ""),
        };
  }
  return Object.freeze(handles);
}

const TIMER_OPTIONS: OptionNames<TimerOptions> = { outputTimestamp: true };

function setTimer(
  parts: ContextParts,
  binding: TimerBinding,
  family: string,
  spec: TimerSpec<unknown>,
  tag: string,
  at: Timestamp,
  options: TimerOptions | undefined,
): void {
  const step = parts.step.name;
  const { record, context } = binding;
  if (spec.domain === "event") {
    checkTimestamp(step, at);
    checkNotPastExpiry(step, family, at, record, parts.allowedLateness);
  } else if (!Number.isFinite(at)) throw noInstant(step, family, at);
  const holdAt = options?.outputTimestamp ?? (spec.domain === "event" ? at : context.timestamp);
  if (options?.outputTimestamp === undefined) checkOptionNames(`setting the timer "${family}"`, options, TIMER_OPTIONS);
  else {
    checkTimestamp(step, holdAt);
    checkSkew(step, context.timestamp, holdAt, parts.doFn.allowedTimestampSkew ?? 0);
    if (spec.domain === "event" && holdAt > at) throw outputAfterTimer(step, family, at, holdAt);
  }
  // The clock has reached a fraction of a millisecond when it shows the next whole one.
  binding.timers.set(record, family, tag, spec.domain, spec.domain === "event" ? at : Math.ceil(at), holdAt);
}

function checkNotPastExpiry(
  step: string,
  family: string,
  at: Timestamp,
  record: KeyedRecord,
  allowedLateness: number,
): void {
  const expiry = expiryTime(record.window, allowedLateness);
  if (at <= expiry) return;
  throw new TidemarkError("TIMER_PAST_EXPIRY", {
    what: `step "${step}" set the event-time timer "${family}" to ${formatTimestamp(at)}`,
    why: `its window ${formatWindow(record.window)} expires at ${formatTimestamp(expiry)}, and its state with it`,
    fix: "set it at or before the window's expiry, use onWindowExpiration, or work in the global window",
    step,
  });
}

function noInstant(step: string, family: string, at: unknown): TidemarkError {
  return new TidemarkError("TIMESTAMP_INVALID", {
    what: `step "${step}" set the processing-time timer "${family}" to ${String(at)}`,
    why: "it would never fire, and hold the watermark for ever",
    fix: "give milliseconds of the clock, as in timer.set(now() + seconds(5)), or timer.setAfter(seconds(5))",
    step,
  });
}

function outputAfterTimer(step: string, family: string, at: Timestamp, holdAt: Timestamp): TidemarkError {
  return new TidemarkError("TIMER_OUTPUT_AFTER_FIRING", {
    what: `step "${step}" set the timer "${family}" to ${formatTimestamp(at)} with the output timestamp ${formatTimestamp(holdAt)}`,
    why: "an output timestamp after the firing would hold nothing back until then",
    fix: "give an output timestamp that is not after the timer's own",
    step,
  });
}
