/** The types that carry element, key, side input and output tag from one step to the next. */
import type { Coder, DeterministicCoder } from "../coders/coder.ts";
import type { CallOptions } from "../fn/call-options.ts";
import type { CombineFn } from "../fn/combine-fn.ts";
import type { DoFn, ElementContext, KV, MainOutput, OutputTag, OutputTags } from "../fn/do-fn.ts";
import type { KeyedBy, SyncOnly } from "../fn/refusals.ts";
import type { StateSpecs } from "../fn/state.ts";
import type { TimerSpecs } from "../fn/timer.ts";
import type { NoSideInputs, SideInputArgs, SideInputs, SideInputValues } from "../fn/view.ts";
import type { WindowingOptions } from "../windowing/strategy.ts";

/** Any element. The pair in front makes TypeScript infer `[w, 1]` as a pair and not as an array. */
export type Element = [unknown, unknown] | {} | null | undefined | void;

/** No side inputs, cells, timers or outputs. */
export type None = NoSideInputs;

/** What functions given to `map`, `flatMap` and `filter` may look at beside their element. */
export interface CallContext<V extends SideInputs = None> extends ElementContext {
  /** Of an async call: aborted when nobody waits for it any more. Pass it on, as to `fetch(url, { signal })`. */
  readonly signal: AbortSignal;
  readonly sideInputs: SideInputValues<V>;
}

/** Options of `map` and `flatMap`. */
export interface StepOptions<V extends SideInputs, O> extends CallOptions {
  /** Views by the name under which the function sees them. */
  readonly sideInputs?: V;
  /** How the outputs are written as bytes. Default: Tidemark's coder of plain values. */
  readonly coder?: Coder<O>;
}

/** Options of `filter`. */
export interface FilterOptions<V extends SideInputs> extends CallOptions {
  /** Views by the name under which the function sees them. */
  readonly sideInputs?: V;
}

/** Options of `parDo`: its side inputs and outputs are the DoFn's own. */
export interface ParDoOptions<K = unknown> extends CallOptions {
  /** Compares and stores the keys of a DoFn with state or timers. Default: the canonical bytes of the key. */
  readonly keyCoder?: DeterministicCoder<K>;
}

/** Options of groupings. */
export interface GroupOptions<K> {
  /** Compares and stores keys. Default: the canonical bytes of the key. */
  readonly keyCoder?: DeterministicCoder<K>;
}

/** Options of combines. */
export interface CombineOptions<K, S extends SideInputs = None> extends GroupOptions<K> {
  /** Views by the name under which the CombineFn sees them. */
  readonly sideInputs?: S;
}

/** Options of `windowInto`, with their defaults. */
export type WindowIntoOptions = WindowingOptions;

/** How values `V` of a key become one `O`: a CombineFn, or a plain associative and commutative function over values. */
export type Combiner<V, A, O, S extends SideInputs = None> =
  (CombineFn<V, A, O, S> & SyncOnly<A> & SyncOnly<O>) | ((values: Iterable<V>, ...sideInputs: SideInputArgs<S>) => V);

/** The element type of an output tag. */
export type TagElement<T> = T extends OutputTag<infer E> ? E : never;

/** The names of the outputs beside `main`. */
export type SideTags<O extends OutputTags> = Exclude<keyof O, "main" | number | symbol>;

/** What a DoFn emits to its main output: what it returns, and what it gives to `context.output`. */
export type ParDoElement<R, O extends OutputTags> = R | MainOutput<O>;

/** Whether a DoFn declares cells or timers, or is called at expiration. Declarations of unknown names (a DoFn behind its bare interface) count as none. */
type Declares<S> = string extends keyof S ? false : [keyof S] extends [never] ? false : true;
export type IsKeyed<S extends StateSpecs, T extends TimerSpecs, E> = E extends (...args: never) => unknown
  ? true
  : Declares<S> extends true
    ? true
    : Declares<T>;

/** Why a DoFn with state does not compile on a collection that is not of KVs. */
export interface StateNeedsKey {
  readonly error: "state and timers are kept, and windows expire, for each key: make the elements KVs first";
}

/** The collection `C` of elements `I` where the DoFn may be applied to it, else an explanation. */
export type KeyedWhereNeeded<C, I, S extends StateSpecs, T extends TimerSpecs, E> =
  IsKeyed<S, T, E> extends true ? (I extends KV<unknown, unknown> ? KeyedBy<I[0], C> : StateNeedsKey) : C;

/** `N` times `T` as a tuple; an array where `N` is not a literal. */
export type Repeat<T, N extends number> = number extends N ? readonly T[] : RepeatTo<T, N, []>;
type RepeatTo<T, N extends number, Made extends readonly T[]> = Made["length"] extends N
  ? Made
  : RepeatTo<T, N, readonly [...Made, T]>;

/** A DoFn of any types. */
export type AnyDoFn = DoFn<never, unknown>;
