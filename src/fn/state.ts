/**
 * State cells: what a stateful DoFn keeps for each key and window.
 *
 * S1 Reads and writes are synchronous on every host. `read` sees the writes of the same invocation.
 * S2 A cell belongs to one step, key and window, and is gone when the window expires.
 * S3 Values read are not changed in place; a change is a `write`, `add`, `put`, `remove` or `clear`. In strict mode (the
 *    default in tests) changing them throws, and a value that its coder cannot write is refused where it is written; instances
 *    of classes, for which a coder has to be given, are kept and read as copies that the coder makes. An accumulator is
 *    checked when it gets its first input and whenever its cell is read.
 */
import { TidemarkError } from "../base/errors.ts";
import { checkOptionNames, type OptionNames } from "../base/option-names.ts";
import type { Coder, DeterministicCoder } from "../coders/coder.ts";
import type { Timestamp } from "../model/time.ts";
import type { CombineFn } from "./combine-fn.ts";
import type { SyncOnly } from "./refusals.ts";

/** Options common to all cells. */
export interface StateOptions<T> {
  /** How values are written as bytes. Default: as plain data (`valueCoder`). */
  readonly coder?: Coder<T>;
  /** Milliseconds of processing time after the last write at which the cell reads as empty. Default: kept until the window expires. */
  readonly ttl?: number;
  /**
   * To be raised when the type of the values changes: what a checkpoint of an earlier version of the program holds then goes
   * through `migrate`. Default 1.
   */
  readonly version?: number;
  /** How values of earlier versions become values of this one; one for each version that may lie there. */
  readonly migrate?: StateMigration<T> | readonly StateMigration<T>[];
}

/** How a cell's values of an earlier version become values of the present one. Made by `migration`. */
export interface StateMigration<T> {
  readonly from: number;
  /** Of the earlier values; absent where they are plain data. */
  readonly coder?: Coder<unknown>;
  readonly convert: (value: unknown) => T;
}

/** One value. */
export interface ValueCell<T> {
  /** The value, or `undefined` where none was written. */
  read(): T | undefined;
  /** Replaces the value. */
  write(value: T): void;
  /** Removes the value. */
  clear(): void;
}

/** An unordered collection to which adding is cheap. */
export interface BagCell<T> {
  /** What was added, in no promised order. A view: valid until the next change; in strict mode a frozen copy. */
  read(): readonly T[];
  /** Adds `value`; O(1). */
  add(value: T): void;
  /** Whether nothing has been added. */
  isEmpty(): boolean;
  /** Removes everything. */
  clear(): void;
}

/** Inputs combined as they come. */
export interface CombiningCell<I, O> {
  /** The output for all inputs; for none, that of an empty accumulator. */
  read(): O;
  /** Combines `input` in. */
  add(input: I): void;
  /** Whether no input has been added. */
  isEmpty(): boolean;
  /** Removes all inputs. */
  clear(): void;
}

/** Values by key. */
export interface MapCell<K, V> {
  /** The value of `key`, or `undefined`. */
  get(key: K): V | undefined;
  /** Whether `key` has a value. */
  has(key: K): boolean;
  /** Sets the value of `key`. */
  put(key: K, value: V): void;
  /** Removes `key`, if it is there. */
  remove(key: K): void;
  /** In the order in which they were first put, as are values and entries. */
  keys(): IterableIterator<K>;
  /** The values. */
  values(): IterableIterator<V>;
  /** The keys with their values. */
  entries(): IterableIterator<[K, V]>;
  /** Whether no key has a value. */
  isEmpty(): boolean;
  /** Removes all keys. */
  clear(): void;
}

/** Distinct values. */
export interface SetCell<T> {
  /** Whether `value` is there. */
  has(value: T): boolean;
  /** Adds `value`; `true` where it was not there before. */
  add(value: T): boolean;
  /** Removes `value`, if it is there. */
  remove(value: T): void;
  /** The values, in the order in which they were added. */
  read(): IterableIterator<T>;
  /** Whether there is no value. */
  isEmpty(): boolean;
  /** Removes all values. */
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
  /** Adds `value` at `timestamp`: O(1) at the end, O(n) before others. @throws TIMESTAMP_INVALID */
  add(value: T, timestamp: Timestamp): void;
  /** All values, in an array of the caller's own: O(n). */
  read(): readonly TimestampedValue<T>[];
  /** Those with `from <= timestamp < to`. */
  readRange(from: Timestamp, to: Timestamp): readonly TimestampedValue<T>[];
  /** Removes those with `from <= timestamp < to`. */
  clearRange(from: Timestamp, to: Timestamp): void;
  /** Whether there is no value. */
  isEmpty(): boolean;
  /** Removes all values. */
  clear(): void;
}

/** A declared cell: plain data; `C` is the type by which user code sees it. */
export interface StateSpec<C> {
  readonly kind: "value" | "bag" | "combining" | "map" | "set" | "orderedList";
  readonly coder?: Coder<unknown>;
  readonly keyCoder?: DeterministicCoder<unknown>;
  readonly combineFn?: CombineFn<unknown, unknown, unknown>;
  readonly ttl?: number;
  /** Absent where it is 1. */
  readonly version?: number;
  readonly migrations?: readonly StateMigration<unknown>[];
  /** Never present: carries `C`. */
  readonly cell?: C;
}

export type StateSpecs = Readonly<Record<string, StateSpec<unknown>>>;
/** The cells that user code sees, from their declarations. */
export type StateCells<S extends StateSpecs> = { readonly [N in keyof S]: S[N] extends StateSpec<infer C> ? C : never };

const TTL = { ttl: true, version: true, migrate: true } as const;
const CODED: OptionNames<StateOptions<unknown>> = { ...TTL, coder: true };
const STATE_OPTIONS: Readonly<Record<StateSpec<unknown>["kind"], Readonly<Record<string, true>>>> = {
  value: CODED,
  bag: CODED,
  combining: TTL,
  map: { ...CODED, keyCoder: true },
  set: CODED,
  orderedList: CODED,
};

function spec<C>(
  kind: StateSpec<C>["kind"],
  options: (Omit<StateOptions<never>, "coder"> & { coder?: Coder<never> }) | undefined,
  more?: object,
): StateSpec<C> {
  checkOptionNames(`a cell of kind ${kind}`, options, STATE_OPTIONS[kind]);
  checkTtl(kind, options?.ttl);
  const { version = 1, migrate = [] } = options ?? {};
  const migrations = [migrate].flat();
  checkVersions(kind, version, migrations);
  return Object.freeze({
    kind,
    ...(options?.coder && { coder: options.coder }),
    ...(options?.ttl !== undefined && { ttl: options.ttl }),
    ...(version !== 1 && { version, migrations }),
    ...more,
  }) as StateSpec<C>;
}

function checkTtl(kind: string, ttl: number | undefined): void {
  if (ttl === undefined || (Number.isFinite(ttl) && ttl > 0)) return;
  throw new TidemarkError("STATE_INVALID", {
    what: `a cell of kind ${kind} is declared with the ttl ${ttl}`,
    why: "it is the time in milliseconds after the last write at which the cell reads as empty",
    fix: "give a number above 0, as in { ttl: minutes(10) }, or leave it out to keep the cell until its window expires",
  });
}

function checkVersions(kind: string, version: number, migrations: readonly StateMigration<never>[]): void {
  const seen = new Set<number>();
  const problem =
    !Number.isSafeInteger(version) || version < 1
      ? `the version ${version}: it is a whole number from 1`
      : migrations.find(({ from }) => !(Number.isSafeInteger(from) && from >= 1 && from < version)) !== undefined
        ? `a migration from a version that is not below its own, ${version}`
        : migrations.find(({ from }) => seen.size === seen.add(from).size) !== undefined
          ? "two migrations from one version"
          : undefined;
  if (problem === undefined) return;
  throw new TidemarkError("STATE_INVALID", {
    what: `a cell of kind ${kind} is declared with ${problem}`,
    why: "checkpoints say of each record in which version of the program it was written",
    fix: "raise the version by 1 with each change of type, and give a migration from each earlier one: migration(1, (old) => …)",
  });
}

/**
 * Says how a cell's values of version `from` become values of the present one. They are converted when their key is read for
 * the first time; of a map or an ordered list each value, of a bag or a set each item, of a combining cell its accumulator.
 * @param from the `version` that the cell had, 1 where none was given
 * @param options.coder that the cell had then. Default: none, plain data
 *
 * @example
 * ```ts
 * interface Money { readonly cents: number; readonly currency: string }
 * const before = { total: valueState<number>() };
 * const now = {
 *   total: valueState<Money>({ version: 2, migrate: migration(1, (cents: number) => ({ cents, currency: "EUR" })) }),
 * };
 * [before.total.version ?? 1, now.total.version]; // -> [1, 2]
 * ```
 */
export function migration<From, To>(
  from: number,
  convert: (value: From) => To,
  options: { readonly coder?: Coder<From> } = {},
): StateMigration<To> {
  checkOptionNames("migration", options, { coder: true });
  return Object.freeze({
    from,
    ...(options.coder && { coder: options.coder }),
    convert: convert as (value: unknown) => To,
  });
}

/** Keys of a Map or Set are found by their bytes. */
function checkDeterministic(
  kind: string,
  coder: { readonly name: string; readonly deterministic: boolean } | undefined,
): void {
  if (coder === undefined || coder.deterministic) return;
  throw new TidemarkError("KEY_CODER_NOT_DETERMINISTIC", {
    what: `the coder ${coder.name} of the ${kind} is not deterministic`,
    why: "equal ones must have equal bytes, or they are kept twice",
    fix: "give a deterministic coder, or none: Tidemark then compares plain data by content",
  });
}

/**
 * Declares a cell for one value.
 * @param options.ttl ms of processing time after the last write at which it reads as empty. Default: none, kept until the window
 * expires
 * @param options.version, options.migrate what to do with values that an earlier version of the program has kept: see `migration`
 * @param options.coder for values that are not plain data, such as instances of classes
 * @throws STATE_INVALID when `ttl` is not above 0
 *
 * @example
 * ```ts
 * p.create([["ann", 5], ["ann", 3]]).parDo({
 *   state: { last: valueState<number>() },
 *   process([, n], { state: { last } }) {
 *     const before = last.read();
 *     last.write(n);
 *     return [n - (before ?? 0)];
 *   },
 * }); // -> 5, -2
 * ```
 */
export function valueState<T>(options?: StateOptions<T>): StateSpec<ValueCell<T>> {
  return spec("value", options as never);
}

/**
 * Declares a bag: adding costs O(1), whatever is in it. `options.ttl` as of `valueState`.
 *
 * @example
 * ```ts
 * p.create([["ann", "/a"], ["ann", "/b"]]).parDo({
 *   state: { seen: bagState<string>() },
 *   process([, page], { state: { seen } }) {
 *     seen.add(page);
 *   },
 *   onWindowExpiration: ({ key, state: { seen } }) => [`${key} saw ${seen.read().length} pages`],
 * }); // -> "ann saw 2 pages"
 * ```
 */
export function bagState<T>(options?: StateOptions<T>): StateSpec<BagCell<T>> {
  return spec("bag", options as never);
}

/**
 * Declares a cell whose inputs are combined by `combineFn` as they are added. `options.ttl` as of `valueState`.
 *
 * @example
 * ```ts
 * p.create([["ann", 5], ["ann", 3]]).parDo({
 *   state: { sum: combiningState(sumFn()) },
 *   process([, n], { state: { sum } }) {
 *     sum.add(n);
 *     return [sum.read()];
 *   },
 * }); // -> 5, 8
 * ```
 */
export function combiningState<I, A, O>(
  combineFn: CombineFn<I, A, O> & SyncOnly<A> & SyncOnly<O>,
  options?: Omit<StateOptions<A>, "coder">,
): StateSpec<CombiningCell<I, O>> {
  return spec("combining", options as never, { combineFn });
}

/**
 * Declares a map. Keys are compared as grouping keys are: equal by content, or by the bytes that `options.keyCoder` gives them.
 * `options.ttl` as of `valueState`, for the whole map.
 * @throws KEY_CODER_NOT_DETERMINISTIC, STATE_INVALID
 *
 * @example
 * ```ts
 * p.create([["ann", "x"], ["ann", "y"], ["ann", "x"]]).parDo({
 *   state: { counts: mapState<string, number>() },
 *   process([, item], { state: { counts } }) {
 *     counts.put(item, (counts.get(item) ?? 0) + 1);
 *   },
 *   onWindowExpiration: ({ state: { counts } }) => counts.entries(),
 * }); // -> ["x", 2], ["y", 1]
 * ```
 */
export function mapState<K, V>(
  options?: StateOptions<V> & { readonly keyCoder?: DeterministicCoder<K> },
): StateSpec<MapCell<K, V>> {
  checkDeterministic("keys of a map", options?.keyCoder);
  return spec("map", options as never, options?.keyCoder && { keyCoder: options.keyCoder });
}

/**
 * Declares a set. Values are compared as grouping keys are: equal by content, or by the bytes that `options.coder` gives them.
 * `options.ttl` as of `valueState`, for the whole set.
 * @throws KEY_CODER_NOT_DETERMINISTIC, STATE_INVALID
 *
 * @example
 * ```ts
 * p.create([["ann", "x"], ["ann", "y"], ["ann", "x"]]).parDo({
 *   state: { seen: setState<string>() },
 *   process: ([, item], { state: { seen } }) => (seen.add(item) ? [item] : []),
 * }); // -> "x", "y"
 * ```
 */
export function setState<T>(
  options?: StateOptions<T> & { readonly coder?: DeterministicCoder<T> },
): StateSpec<SetCell<T>> {
  checkDeterministic("values of a set", options?.coder);
  return spec("set", options as never);
}

/**
 * Declares a list sorted by timestamp. `options.ttl` as of `valueState`, for the whole list.
 *
 * Cost: O(1) to add at the end and to count, O(log n) to clear up to a time, O(n) to change something in the middle. A call that
 * may be undone (async, retried) copies the list when it first changes it.
 *
 * @example
 * ```ts
 * p.createTimestamped<KV<string, string>>([at(2000, ["ann", "b"]), at(1000, ["ann", "a"])]).parDo({
 *   state: { visits: orderedListState<string>() },
 *   process([, page], { timestamp, state: { visits } }) {
 *     visits.add(page, timestamp);
 *   },
 *   onWindowExpiration: ({ state: { visits } }) => [visits.read().map(({ value }) => value)],
 * }); // -> ["a", "b"]
 * ```
 */
export function orderedListState<T>(options?: StateOptions<T>): StateSpec<OrderedListCell<T>> {
  return spec("orderedList", options as never);
}
