/**
 * DoFn: user code called for each element, with everything of the model in reach.
 *
 * D1 Lifecycle: `setup` once, then any number of (`startBundle`, `process`…, `finishBundle`), `teardown` once, also after a failure.
 * D2 `process`, `onTimer`, `onWindowExpiration` and the lifecycle methods may be async; an async call is a transaction:
 *    its outputs, state and timers appear together when it settles, or not at all.
 */
import type { Metrics } from "./metrics.ts";
import type { Coder } from "../coders/coder.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { StateCells, StateSpecs } from "./state.ts";
import type { Timers, TimerSpecs } from "./timer.ts";
import type { SideInputs, SideInputValues } from "./view.ts";

/** A key and a value. */
export type KV<K, V> = readonly [key: K, value: V];

/** A declared output: plain data; `T` is its element type. */
export interface OutputTag<T> {
  readonly coder?: Coder<T>;
  /** Never present: carries `T`. */
  readonly element?: T;
}
/** The declared outputs of a DoFn, by name. */
export type OutputTags = Readonly<Record<string, OutputTag<unknown>>>;

/**
 * Declares an output of elements `T`. The name `main` is that of the main output.
 *
 * @example
 * ```ts
 * const checked = p.create(["5", "x"]).parDo({
 *   outputs: { main: output<number>(), bad: output<string>() },
 *   process(text, { output, outputTo }) {
 *     if (Number.isNaN(Number(text))) outputTo("bad", text);
 *     else output(Number(text));
 *   },
 * }); // -> 5
 * checked.outputs.bad; // -> "x"
 * ```
 */
export function output<T>(options?: { readonly coder?: Coder<T> }): OutputTag<T> {
  return Object.freeze({ ...options });
}

/** The element type of the output named `main`. */
export type MainOutput<O extends OutputTags> = O extends { readonly main: OutputTag<infer T> } ? T : never;

/** The element at hand: what every per-element function may look at. */
export interface ElementContext {
  readonly timestamp: Timestamp;
  /** A function that takes the context is called once for each window of its element. */
  readonly window: Window;
  readonly pane: Pane;
  /** Counters, gauges and distributions of the step. */
  readonly metrics: Metrics;
}

/** What `process` and the callbacks share: outputs and side inputs. */
export interface OutputContext<O extends OutputTags, V extends SideInputs> {
  readonly sideInputs: SideInputValues<V>;
  /** Emits to the output `main`, at `timestamp` (default: that of the element or timer). */
  output(this: void, value: MainOutput<O>, timestamp?: Timestamp): void;
  /** Emits to the output named `tag`. */
  outputTo<N extends keyof O>(
    this: void,
    tag: N,
    value: O[N] extends OutputTag<infer T> ? T : never,
    timestamp?: Timestamp,
  ): void;
  /** The step's path name. */
  readonly step: string;
  /** The program's options. */
  readonly options: unknown;
  /** Counters, gauges and distributions of the step. */
  readonly metrics: Metrics;
  /** Calls `callback` once everything emitted so far in this bundle is durably handed over. */
  onBundleFinalized(callback: () => void | Promise<void>): void;
  /** Aborted when nobody waits for the call any more: its time is out, or the job was cancelled. Pass it on, as to `fetch`. */
  readonly signal: AbortSignal;
  /** Milliseconds of the engine's clock: use it in place of `Date.now()`, so that tests can set it. */
  now(): number;
}

/** What `process` sees beside its element. `key` is the key of a KV element where the DoFn has state or timers. */
export interface ProcessContext<
  S extends StateSpecs,
  T extends TimerSpecs,
  V extends SideInputs,
  O extends OutputTags,
  K = unknown,
>
  extends ElementContext, OutputContext<O, V> {
  readonly key: K;
  readonly state: StateCells<S>;
  readonly timers: Timers<T>;
}

/** What a timer's callback sees. `timestamp` is the timer's output timestamp. */
export interface TimerContext<
  S extends StateSpecs,
  T extends TimerSpecs,
  V extends SideInputs,
  O extends OutputTags,
  K = unknown,
> extends OutputContext<O, V> {
  readonly key: K;
  readonly state: StateCells<S>;
  readonly timers: Timers<T>;
  readonly window: Window;
  readonly timestamp: Timestamp;
  /** When it was set to fire: event time, or milliseconds of the clock. */
  readonly firedAt: Timestamp;
  /** The tag within its family; `""` for a plain timer. */
  readonly tag: string;
  readonly pane: Pane;
}

/** What `startBundle` and `finishBundle` see. */
export interface BundleContext<O extends OutputTags> {
  /** Emits to `main` in `window` at `timestamp`. */
  output(this: void, value: MainOutput<O>, timestamp: Timestamp, window: Window): void;
  /** Emits to the output named `tag`, in `window` at `timestamp`. */
  outputTo<N extends keyof O>(
    this: void,
    tag: N,
    value: O[N] extends OutputTag<infer T> ? T : never,
    timestamp: Timestamp,
    window: Window,
  ): void;
  readonly step: string;
  readonly options: unknown;
  readonly metrics: Metrics;
}

/** What `setup` sees. */
export interface SetupContext {
  readonly step: string;
  readonly options: unknown;
  /** Counters, gauges and distributions of the step: the place to ask for those of each element. */
  readonly metrics: Metrics;
}

/** What a string is not: it is iterable by its characters, which nobody means. */
interface NoText {
  readonly charAt?: never;
}
/** Elements to emit to `main`, or nothing. */
export type Outputs<O> = (Iterable<O> & NoText) | void | undefined | null;
export type MaybePromise<T> = T | PromiseLike<T>;

/** The key type of an element that is a KV. */
export type KeyOf<I> = I extends readonly [infer K, unknown] ? K : unknown;

/** A method, so that a class may write down less of its context than there is. */
type AtExpiration<C, R> = { method(context: C): MaybePromise<Outputs<R>> }["method"];

/**
 * User code for each element `I`. An object, or an instance of a class with these members.
 *
 * `R` is what `process` and the callbacks return elements of; with `outputs` declared, `context.output` emits too. `E` is the
 * type of `onWindowExpiration` where there is one: such a DoFn works key by key.
 */
export interface DoFn<
  I,
  R = never,
  S extends StateSpecs = StateSpecs,
  T extends TimerSpecs = TimerSpecs,
  V extends SideInputs = SideInputs,
  O extends OutputTags = OutputTags,
  E = unknown,
> {
  readonly state?: S;
  readonly timers?: T;
  readonly sideInputs?: V;
  readonly outputs?: O;
  /** How far, in milliseconds, an output's timestamp may lie before its element's. Default 0; `Infinity` allows any. */
  readonly allowedTimestampSkew?: number;
  /** Called once, before everything else. */
  setup?(context: SetupContext): MaybePromise<void>;
  /** Called before the first element of each bundle. */
  startBundle?(context: BundleContext<O>): MaybePromise<void>;
  /** Called for each element. Returns elements for `main`, or nothing; emits others by the context. */
  process(element: I, context: ProcessContext<S, T, V, O, KeyOf<I>>): MaybePromise<Outputs<R>>;
  /** Called after the last element of each bundle: the place to write what was gathered. */
  finishBundle?(context: BundleContext<O>): MaybePromise<void>;
  /** Called once at the end, also after a failure. */
  teardown?(): MaybePromise<void>;
  readonly onTimer?: {
    readonly [N in keyof T as N]: (context: TimerContext<S, T, V, O, KeyOf<I>>) => MaybePromise<Outputs<R>>;
  };
  /** Called once for each key and window when it expires, with its state still readable. */
  readonly onWindowExpiration?: E & AtExpiration<TimerContext<S, T, V, O, KeyOf<I>>, R>;
}
