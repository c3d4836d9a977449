/**
 * State cells: what a stateful DoFn keeps for each key and window.
 *
 * S1 Reads and writes are synchronous on every host. `read` sees the writes of the same invocation.
 * S2 A cell belongs to one step, key and window, and is gone when the window expires.
 * S3 Values read are not changed in place; a change is a `write`, `add`, `put`, `remove` or `clear`.
 */
import type { Coder } from "../coders/coder.ts";
import type { Timestamp } from "../model/time.ts";
import type { CombineFn } from "./combine-fn.ts";

/** Options common to all cells. */
export interface StateOptions<T> {
  readonly coder?: Coder<T>;
  /** Milliseconds of processing time after the last write at which the cell reads as empty. Default: kept until the window expires. */
  readonly ttl?: number;
}

/** One value. */
export interface ValueCell<T> {
  /** The value, or `undefined` where none was written. */
  read(): T | undefined;
  write(value: T): void;
  clear(): void;
}

/** An unordered collection to which adding is cheap. */
export interface BagCell<T> {
  /** What was added, in no promised order. A view: valid until the next change. */
  read(): readonly T[];
  add(value: T): void;
  isEmpty(): boolean;
  clear(): void;
}

/** Inputs combined as they come. */
export interface CombiningCell<I, O> {
  read(): O;
  add(input: I): void;
  isEmpty(): boolean;
  clear(): void;
}

/** Values by key. */
export interface MapCell<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  put(key: K, value: V): void;
  remove(key: K): void;
  keys(): IterableIterator<K>;
  values(): IterableIterator<V>;
  entries(): IterableIterator<[K, V]>;
  isEmpty(): boolean;
  clear(): void;
}

/** Distinct values. */
export interface SetCell<T> {
  has(value: T): boolean;
  /** Adds `value`; `true` where it was not there before. */
  add(value: T): boolean;
  remove(value: T): void;
  read(): IterableIterator<T>;
  isEmpty(): boolean;
  clear(): void;
}

/** A value at an instant. */
export interface TimestampedValue<T> {
  readonly timestamp: Timestamp;
  readonly value: T;
}

/** Values sorted by instant; equal instants in order of arrival. */
export interface OrderedListCell<T> {
  /** How many there are. Cheaper than reading them. */
  readonly size: number;
  add(value: T, timestamp: Timestamp): void;
  read(): readonly TimestampedValue<T>[];
  /** Those with `from <= timestamp < to`. */
  readRange(from: Timestamp, to: Timestamp): readonly TimestampedValue<T>[];
  /** Removes those with `from <= timestamp < to`. */
  clearRange(from: Timestamp, to: Timestamp): void;
  isEmpty(): boolean;
  clear(): void;
}

/** A declared cell: plain data; `C` is the type by which user code sees it. */
export interface StateSpec<C> {
  readonly kind: "value" | "bag" | "combining" | "map" | "set" | "orderedList";
  readonly coder?: Coder<unknown>;
  readonly keyCoder?: Coder<unknown>;
  readonly combineFn?: CombineFn<unknown, unknown, unknown>;
  readonly ttl?: number;
  /** Never present: carries `C`. */
  readonly cell?: C;
}

export type StateSpecs = Readonly<Record<string, StateSpec<unknown>>>;
/** The cells that user code sees, from their declarations. */
export type StateCells<S extends StateSpecs> = { readonly [N in keyof S]: S[N] extends StateSpec<infer C> ? C : never };

function spec<C>(
  kind: StateSpec<C>["kind"],
  options: { coder?: Coder<never>; ttl?: number } | undefined,
  more?: object,
): StateSpec<C> {
  return Object.freeze({
    kind,
    ...(options?.coder && { coder: options.coder }),
    ...(options?.ttl !== undefined && { ttl: options.ttl }),
    ...more,
  }) as StateSpec<C>;
}

/** Declares a cell for one value: `state: { count: valueState<number>() }`. */
export function valueState<T>(options?: StateOptions<T>): StateSpec<ValueCell<T>> {
  return spec("value", options as never);
}

/** Declares a bag: `state: { seen: bagState<string>() }`. */
export function bagState<T>(options?: StateOptions<T>): StateSpec<BagCell<T>> {
  return spec("bag", options as never);
}

/** Declares a cell whose inputs are combined by `combineFn` as they are added. */
export function combiningState<I, A, O>(
  combineFn: CombineFn<I, A, O>,
  options?: { readonly ttl?: number },
): StateSpec<CombiningCell<I, O>> {
  return spec("combining", options as never, { combineFn });
}

/** Declares a map. Keys are compared as grouping keys are: equal by content. */
export function mapState<K, V>(options?: StateOptions<V> & { readonly keyCoder?: Coder<K> }): StateSpec<MapCell<K, V>> {
  return spec("map", options as never, options?.keyCoder && { keyCoder: options.keyCoder });
}

/** Declares a set. Values are compared as grouping keys are: equal by content. */
export function setState<T>(options?: StateOptions<T>): StateSpec<SetCell<T>> {
  return spec("set", options as never);
}

/** Declares a list sorted by timestamp. */
export function orderedListState<T>(options?: StateOptions<T>): StateSpec<OrderedListCell<T>> {
  return spec("orderedList", options as never);
}
