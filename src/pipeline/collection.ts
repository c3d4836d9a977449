/**
 * PCollection: a collection that will exist when the pipeline runs, and the steps that can be applied to it.
 *
 * Every method adds one step to the pipeline's graph and returns its output; nothing runs. All take an optional first
 * argument, the step's name; without it the name is derived (`Map`, `Map2` …). Names identify state, metrics and errors,
 * so give them to whatever is to outlive a change of the program.
 *
 * Of overloads that take as many arguments the compiler explains the last one's refusal. So the named ones come first where
 * options are the likelier mistake, and last where it is the DoFn.
 */
import { keyCoderOf, valueCoderOf } from "../coders/composites.ts";
import type { DoFn, KV, MaybePromise, OutputTags, Outputs } from "../fn/do-fn.ts";
import type { KeyedBy } from "../fn/refusals.ts";
import type { Sink } from "../fn/sink.ts";
import type { StateSpecs } from "../fn/state.ts";
import type { TimerSpecs } from "../fn/timer.ts";
import type { PCollectionView, SideInputs } from "../fn/view.ts";
import type { Timestamp } from "../model/time.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { Window } from "../model/window.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { applyTransform } from "./apply.ts";
import type { CollectionNode, StepDraft } from "./builder.ts";
import { pairCoder } from "./derived-coders.ts";
import { overValues } from "./map-values.ts";
import { splitName } from "./naming.ts";
import type { ElementwiseResult, KeyedResult, ParDoOutcome } from "./results.ts";
import {
  addParDo,
  addPartition,
  addReshuffle,
  addTimestamps,
  addWindowInto,
  addWrite,
  type ElementwiseOptions,
} from "./steps.ts";
import type { Transform } from "./transform.ts";
import { combinePerKey, elementwise, groupByKey, view } from "./typed-steps.ts";
import type {
  AnyDoFn,
  CallContext,
  Combiner,
  CombineOptions,
  Element,
  FilterOptions,
  GroupOptions,
  KeyedWhereNeeded,
  None,
  ParDoOptions,
  Repeat,
  StepOptions,
  WindowIntoOptions,
} from "./types.ts";

/** Set by the class, which alone sees the private field. */
let readNode: (collection: PCollection<unknown>) => CollectionNode;

/** The collection's place in the graph: for Tidemark's own transforms. */
export function nodeOf(collection: PCollection<unknown>): CollectionNode {
  return readNode(collection);
}

/**
 * A bounded or unbounded collection of elements `T`, each with a timestamp and windows.
 *
 * @example
 * ```ts
 * const words: PCollection<string> = p.create(["to", "be"]);
 * words.isBounded; // -> true
 * words.windowing.windowFn.name; // -> "global"
 * ```
 */
export class PCollection<T> {
  static {
    readNode = (collection) => collection.#node;
  }
  readonly #node: CollectionNode;
  /** Never present: carries `T`. */
  declare protected readonly element?: T;

  constructor(node: CollectionNode) {
    this.#node = node;
  }

  /** How the collection is windowed. */
  get windowing(): WindowingStrategy {
    return this.#node.windowing;
  }

  /** Whether the collection ends by itself. */
  get isBounded(): boolean {
    return this.#node.bounded;
  }

  /**
   * Applies a transform: a function from this collection to whatever it returns. Steps applied inside are named inside it.
   * @throws TRANSFORM_INVALID, ASYNC_NOT_ALLOWED, DUPLICATE_STEP_NAME, STEP_NAME_INVALID
   *
   * @example
   * ```ts
   * const lines = p.create(["to be", "or not to be"]);
   * lines.apply("Count words", (lines) => lines.flatMap((line) => line.split(" ")).apply(countPerElement()));
   * // -> ["to", 2], ["be", 2], ["or", 1], ["not", 1]
   * ```
   */
  apply<O>(transform: Transform<PCollection<T>, O>): O;
  apply<O>(name: string, transform: Transform<PCollection<T>, O>): O;
  apply(...args: readonly unknown[]): unknown {
    return applyTransform(this.#node.builder, this, args);
  }

  /**
   * One output for each element. An async function's promise is awaited.
   *
   * Cost: a plain function is one call for each element, in the same stage as the step before. An async one, or one with
   * `retry` or `timeout`, begins a stage, with 16 calls in flight unless `concurrency` says otherwise.
   * @throws (when the job runs) STEP_FAILED, ASYNC_NOT_DECLARED, CALL_TIMEOUT
   *
   * @example
   * ```ts
   * p.create(["to", "be"]).map("Pair", (word) => [word, 1]); // -> ["to", 1], ["be", 1]
   * p.create([5]).map(async (id) => `user ${id}`, { retry: { attempts: 3 }, timeout: seconds(10) }); // -> "user 5"
   * ```
   */
  map<O extends Element, V extends SideInputs = None>(
    name: string,
    fn: (element: T, context: CallContext<V>) => O | PromiseLike<O>,
    options?: StepOptions<V, O>,
  ): ElementwiseResult<T, O>;
  map<O extends Element, V extends SideInputs = None>(
    fn: (element: T, context: CallContext<V>) => O | PromiseLike<O>,
    options?: StepOptions<V, O>,
  ): ElementwiseResult<T, O>;
  map(...args: readonly unknown[]): ElementwiseResult<T, never> {
    const { given, rest } = splitName(args);
    return elementwise(this.#node, { given, derived: "Map" }, "map", rest[0], rest[1] as ElementwiseOptions);
  }

  /**
   * Any number of outputs for each element: the elements of what the function returns, or none for `undefined`. Cost as `map`.
   * @throws (when the job runs) as `map`, and NOT_ITERABLE, also for a string
   *
   * @example
   * ```ts
   * p.create(["to be", ""]).flatMap((line) => line.match(/\w+/g) ?? []); // -> "to", "be"
   * ```
   */
  flatMap<O extends Element, V extends SideInputs = None>(
    name: string,
    fn: (element: T, context: CallContext<V>) => MaybePromise<Outputs<O>>,
    options?: StepOptions<V, O>,
  ): ElementwiseResult<T, O>;
  flatMap<O extends Element, V extends SideInputs = None>(
    fn: (element: T, context: CallContext<V>) => MaybePromise<Outputs<O>>,
    options?: StepOptions<V, O>,
  ): ElementwiseResult<T, O>;
  flatMap(...args: readonly unknown[]): ElementwiseResult<T, never> {
    const { given, rest } = splitName(args);
    return elementwise(this.#node, { given, derived: "FlatMap" }, "flatMap", rest[0], rest[1] as ElementwiseOptions);
  }

  /**
   * The elements for which the function returns `true`; a type guard narrows the element type. Cost and errors as `map`.
   *
   * @example
   * ```ts
   * p.create([1, "two", 3]).filter((n) => typeof n === "number"); // -> 1, 3
   * ```
   */
  filter<S extends T, V extends SideInputs = None>(
    name: string,
    fn: (element: T, context: CallContext<V>) => element is S,
    options?: FilterOptions<V>,
  ): ElementwiseResult<T, S>;
  filter<V extends SideInputs = None>(
    name: string,
    fn: (element: T, context: CallContext<V>) => MaybePromise<boolean>,
    options?: FilterOptions<V>,
  ): ElementwiseResult<T, T>;
  filter<S extends T, V extends SideInputs = None>(
    fn: (element: T, context: CallContext<V>) => element is S,
    options?: FilterOptions<V>,
  ): ElementwiseResult<T, S>;
  filter<V extends SideInputs = None>(
    fn: (element: T, context: CallContext<V>) => MaybePromise<boolean>,
    options?: FilterOptions<V>,
  ): ElementwiseResult<T, T>;
  filter(...args: readonly unknown[]): ElementwiseResult<T, never> {
    const { given, rest } = splitName(args);
    return elementwise(this.#node, { given, derived: "Filter" }, "filter", rest[0], rest[1] as ElementwiseOptions);
  }

  /**
   * Runs a DoFn for each element: with state, timers, several outputs and a life cycle.
   * The main output has what `process` returns and what it gives to `context.output`; the others are in `.outputs`.
   *
   * Cost: without state, timers, side inputs or async methods it is part of the stage before, as `map`. State is kept in
   * memory, for each key and window, until the window expires.
   * @throws STATE_NEEDS_KEY, STATE_IN_MERGING_WINDOWS, TIMER_INVALID, KEY_CODER_NOT_DETERMINISTIC, OUTPUT_TAG_RESERVED,
   * TRANSFORM_INVALID;
   * when the job runs, STEP_FAILED, ASYNC_NOT_DECLARED, NOT_ITERABLE, OUTPUT_TAG_UNKNOWN, TIMESTAMP_SKEW, TIMER_PAST_EXPIRY
   *
   * @example
   * ```ts
   * const visits = p.create([["ann", "/"], ["ann", "/about"], ["bob", "/"]]);
   * visits.parDo("Number", {
   *   state: { count: valueState<number>() },
   *   process([user], { state: { count } }) {
   *     const n = (count.read() ?? 0) + 1;
   *     count.write(n);
   *     return [`${user} ${n}`];
   *   },
   * }); // -> "ann 1", "ann 2", "bob 1"
   * ```
   */
  parDo<
    R extends Element = never,
    S extends StateSpecs = None,
    X extends TimerSpecs = None,
    V extends SideInputs = None,
    O extends OutputTags = None,
    E = unknown,
  >(
    this: KeyedWhereNeeded<PCollection<T>, T, S, X, E>,
    doFn: DoFn<T, R, S, X, V, O, E>,
    options?: ParDoOptions,
  ): ParDoOutcome<T, R, S, X, O, E>;
  parDo<
    R extends Element = never,
    S extends StateSpecs = None,
    X extends TimerSpecs = None,
    V extends SideInputs = None,
    O extends OutputTags = None,
    E = unknown,
  >(
    this: KeyedWhereNeeded<PCollection<T>, T, S, X, E>,
    name: string,
    doFn: DoFn<T, R, S, X, V, O, E>,
    options?: ParDoOptions,
  ): ParDoOutcome<T, R, S, X, O, E>;
  parDo(...args: readonly unknown[]): unknown {
    const { given, rest } = splitName(args);
    const node = nodeOf(this);
    const step = addParDo(node, { given, derived: "ParDo" }, rest[0] as AnyDoFn, rest[1] as ParDoOptions<never>);
    return node.builder.results.parDo(step);
  }

  /**
   * Splits the collection into `parts` collections by a function that gives each element's part, from 0.
   * @throws PARTITION_INVALID, ASYNC_NOT_ALLOWED, TRANSFORM_INVALID; when the job runs, PARTITION_OUT_OF_RANGE
   *
   * @example
   * ```ts
   * const [small, large] = p.create([1, 200]).partition(2, (n) => (n < 100 ? 0 : 1));
   * small; // -> 1
   * large; // -> 200
   * ```
   */
  partition<const N extends number>(parts: N, fn: (element: T, parts: number) => number): Repeat<PCollection<T>, N>;
  partition<const N extends number>(
    name: string,
    parts: N,
    fn: (element: T, parts: number) => number,
  ): Repeat<PCollection<T>, N>;
  partition(...args: readonly unknown[]): readonly unknown[] {
    const { given, rest } = splitName(args);
    const parts = rest[0] as number;
    const step = addPartition(this.#node, { given, derived: "Partition" }, parts, rest[1]);
    return Array.from({ length: parts }, (_, part) => new PCollection<T>(step.outputs[part] as CollectionNode));
  }

  /**
   * Gives each element the event time that `fn` says, in milliseconds.
   * @param options.allowedTimestampSkew how far, in ms, it may lie before the element's present one. Default 0
   * @throws TIMESTAMP_SKEW_INVALID, ASYNC_NOT_ALLOWED, TRANSFORM_INVALID; when the job runs, TIMESTAMP_SKEW, TIMESTAMP_INVALID
   *
   * @example
   * ```ts
   * p.create([{ at: 1000 }])
   *   .withTimestamps((event) => event.at)
   *   .map((_, { timestamp }) => timestamp); // -> 1000
   * ```
   */
  withTimestamps(fn: (element: T) => Timestamp, options?: { readonly allowedTimestampSkew?: number }): PCollection<T>;
  withTimestamps(
    name: string,
    fn: (element: T) => Timestamp,
    options?: { readonly allowedTimestampSkew?: number },
  ): PCollection<T>;
  withTimestamps(...args: readonly unknown[]): PCollection<T> {
    const { given, rest } = splitName(args);
    const options = rest[1] as { readonly allowedTimestampSkew?: number } | undefined;
    return main(addTimestamps(this.#node, { given, derived: "WithTimestamps" }, rest[0], options));
  }

  /**
   * Assigns windows, and says when groupings downstream fire. Without a WindowFn the elements stay in the windows they are
   * in, and only what is given changes, as by Beam's `Window.configure()`: to fire less often after a grouping, for example.
   * @param options with a WindowFn, those left out are `defaultTrigger()`, accumulation "discarding", allowedLateness 0 ms,
   * timestampCombiner "endOfWindow", closingBehavior "fireIfNonEmpty", onTimeBehavior "fireAlways"
   * @throws WINDOW_INVALID, TRIGGER_INVALID, ASYNC_NOT_ALLOWED, TRANSFORM_INVALID
   *
   * @example
   * ```ts
   * const clicks = p
   *   .createTimestamped([at(1000, "a"), at(2000, "a"), at(61_000, "a")])
   *   .windowInto(fixedWindows(minutes(1)), { allowedLateness: seconds(30) });
   * clicks.apply(countPerElement()); // -> ["a", 2], ["a", 1]
   * clicks.windowInto({ accumulation: "accumulating" }).windowing.allowedLateness; // -> 30_000
   * ```
   */
  windowInto(changes: WindowIntoOptions): PCollection<T>;
  windowInto(name: string, changes: WindowIntoOptions): PCollection<T>;
  windowInto<W extends Window>(windowFn: WindowFn<W>, options?: WindowIntoOptions): PCollection<T>;
  windowInto<W extends Window>(name: string, windowFn: WindowFn<W>, options?: WindowIntoOptions): PCollection<T>;
  windowInto(...args: readonly unknown[]): PCollection<T> {
    const { given, rest } = splitName(args);
    return main(
      addWindowInto(this.#node, { given, derived: "WindowInto" }, rest[0] as WindowFn, rest[1] as WindowIntoOptions),
    );
  }

  /**
   * The same collection. Says that elements should be spread over workers here, and steps before and after not be fused; the
   * embedded engine has one worker and hands elements on.
   *
   * @example
   * ```ts
   * p.create([1, 2]).reshuffle(); // -> 1, 2
   * ```
   */
  reshuffle(name?: string): PCollection<T> {
    return main(addReshuffle(this.#node, { given: name, derived: "Reshuffle" }));
  }

  /**
   * Hands every element to a sink. Ends the branch. A sink that cannot take more stops the sources above until it can.
   * @throws TRANSFORM_INVALID; when the job runs, what the sink throws, as JOB_FAILED where it has no code
   *
   * @example
   * ```ts
   * const lines: Collected<string>[] = [];
   * await runTest((p) => p.create(["a"]).write(collectSink("lines", lines)));
   * lines.map(({ value }) => value); // -> ["a"]
   * ```
   */
  write(sink: Sink<T>): void;
  write(name: string, sink: Sink<T>): void;
  write(...args: readonly unknown[]): void {
    const { given, rest } = splitName(args);
    addWrite(this.#node, { given, derived: "Write" }, rest[0]);
  }

  /**
   * A side input of exactly one element for each window.
   * @param options.default seen where a window has no element; without it that is the error SINGLETON_EMPTY
   * @throws SIDE_INPUT_MERGING_WINDOWS, VIEW_NEVER_READY; when the job runs, SINGLETON_EMPTY, SINGLETON_NOT_ONE
   *
   * @example
   * ```ts
   * const rate = p.create([1.2]).asSingleton();
   * const factor = p.create<number>([]).asSingleton({ default: 100 });
   * p.create([5]).map((price, { sideInputs }) => price * sideInputs.rate * sideInputs.factor, { sideInputs: { rate, factor } });
   * // -> 600
   * ```
   */
  asSingleton(): PCollectionView<T>;
  asSingleton<D>(options: { readonly default: D }): PCollectionView<T | D>;
  asSingleton(name: string): PCollectionView<T>;
  asSingleton<D>(name: string, options: { readonly default: D }): PCollectionView<T | D>;
  asSingleton(...args: readonly unknown[]): PCollectionView<T> {
    const { given, rest } = splitName(args);
    const options = rest[0] as { readonly default: unknown } | undefined;
    return view(this.#node, { given, derived: "AsSingleton" }, "singleton", options);
  }

  /**
   * A side input of all elements of a window, in no promised order. They are kept in memory as long as the window lives.
   * @throws SIDE_INPUT_MERGING_WINDOWS, VIEW_NEVER_READY
   *
   * @example
   * ```ts
   * const stop = p.create(["the", "a"]).asIterable();
   * p.create(["the", "sea"]).filter((word, { sideInputs }) => !new Set(sideInputs.stop).has(word), { sideInputs: { stop } });
   * // -> "sea"
   * ```
   */
  asIterable(name?: string): PCollectionView<Iterable<T>> {
    return view(this.#node, { given: name, derived: "AsIterable" }, "iterable");
  }

  /**
   * A side input of all elements of a window as an array, in no promised order; nobody can change it. They are kept in memory
   * as long as the window lives.
   * @throws SIDE_INPUT_MERGING_WINDOWS, VIEW_NEVER_READY
   *
   * @example
   * ```ts
   * const all = p.create([1, 2, 3]).asList();
   * p.create(["numbers"]).map((name, { sideInputs }) => `${sideInputs.all.length} ${name}`, { sideInputs: { all } });
   * // -> "3 numbers"
   * ```
   */
  asList(name?: string): PCollectionView<readonly T[]> {
    return view(this.#node, { given: name, derived: "AsList" }, "list");
  }

  /**
   * A side input to look values up by key; a key with two values in a window is an error. Keys are equal by content, or by the
   * bytes that the coder of the pairs gives them.
   * @throws KEYED_STEP_NEEDS_KV, KEY_CODER_NOT_DETERMINISTIC, SIDE_INPUT_MERGING_WINDOWS, VIEW_NEVER_READY; when the job runs, MAP_VIEW_DUPLICATE_KEY
   *
   * @example
   * ```ts
   * const names = p.create([[1, "ann"], [2, "bob"]]).asMap();
   * p.create([2]).map((id, { sideInputs }) => sideInputs.names.get(id), { sideInputs: { names } }); // -> "bob"
   * ```
   */
  asMap<K, V>(this: PCollection<KV<K, V>>, name?: string): PCollectionView<ReadonlyMap<K, V>> {
    return view(nodeOf(this), { given: name, derived: "AsMap" }, "map");
  }

  /**
   * A side input to look all values of a key up. Keys are equal as those of `asMap`.
   * @throws KEYED_STEP_NEEDS_KV, KEY_CODER_NOT_DETERMINISTIC, SIDE_INPUT_MERGING_WINDOWS, VIEW_NEVER_READY
   *
   * @example
   * ```ts
   * const tags = p.create([["x", "red"], ["x", "big"]]).asMultimap();
   * p.create(["x"]).map((id, { sideInputs }) => sideInputs.tags.get(id)?.length, { sideInputs: { tags } }); // -> 2
   * ```
   */
  asMultimap<K, V>(this: PCollection<KV<K, V>>, name?: string): PCollectionView<ReadonlyMap<K, readonly V[]>> {
    return view(nodeOf(this), { given: name, derived: "AsMultimap" }, "multimap");
  }

  /**
   * The values of each key and window together, each time the trigger fires.
   *
   * Cost: keeps every value in memory until the window is over, or, where panes discard, until it fires; `combinePerKey` keeps
   * one accumulator.
   * @throws GBK_NEVER_EMITS, UNSAFE_TRIGGER, KEY_CODER_NOT_DETERMINISTIC, KEYED_STEP_NEEDS_KV; when the job runs,
   * NOT_A_KEY_VALUE, KEY_NOT_DETERMINISTIC
   *
   * @example
   * ```ts
   * p.create([["a", 1], ["a", 2], ["b", 3]]).groupByKey(); // -> ["a", [1, 2]], ["b", [3]]
   * ```
   */
  groupByKey<K, V>(
    this: KeyedBy<K, PCollection<KV<K, V>>>,
    options?: GroupOptions<K>,
  ): KeyedResult<KV<K, V>, KV<K, readonly V[]>>;
  groupByKey<K, V>(
    this: KeyedBy<K, PCollection<KV<K, V>>>,
    name: string,
    options?: GroupOptions<K>,
  ): KeyedResult<KV<K, V>, KV<K, readonly V[]>>;
  groupByKey<K, V>(
    this: PCollection<KV<K, V>>,
    ...args: readonly unknown[]
  ): KeyedResult<KV<K, V>, KV<K, readonly V[]>> {
    const { given, rest } = splitName(args);
    return groupByKey(nodeOf(this), { given, derived: "GroupByKey" }, rest[0] as GroupOptions<never>);
  }

  /**
   * The values of each key and window combined to one, each time the trigger fires.
   *
   * Cost: one accumulator for each key and window. That of a plain function is up to 64 values, which it then makes one.
   *
   * With `sideInputs`, each method of the CombineFn (or the plain function) gets their values last: those of the window that
   * the accumulator is in, of a session as far as it has merged. Elements wait until their views are ready. Other runners of
   * Beam see such a combine as a GroupByKey with a DoFn behind it: they keep all values of a key until its pane fires, and
   * combine them by the views of that moment.
   * @param fn a CombineFn such as `sumFn()`, or a plain associative and commutative function over values
   * @throws as `groupByKey`, and COMBINE_FN_INVALID, ASYNC_NOT_ALLOWED, SIDE_INPUT_INVALID
   *
   * @example
   * ```ts
   * p.create([["a", 1], ["a", 2]]).combinePerKey(sumFn()); // -> ["a", 3]
   * p.create([["a", "x"], ["a", "y"]]).combinePerKey((words) => [...words].sort().join("")); // -> ["a", "xy"]
   * const least = p.create("Least", [10]).asSingleton();
   * p.create("Bids", [["a", 7], ["b", 12]]).combinePerKey((bids, { least }) => Math.max(least, ...bids), { sideInputs: { least } });
   * // -> ["a", 10], ["b", 12]
   * ```
   */
  combinePerKey<K, V, A, O = V, S extends SideInputs = None>(
    this: KeyedBy<K, PCollection<KV<K, V>>>,
    fn: Combiner<V, A, O, NoInfer<S>>,
    options?: CombineOptions<K, S>,
  ): KeyedResult<KV<K, V>, KV<K, O>>;
  combinePerKey<K, V, A, O = V, S extends SideInputs = None>(
    this: KeyedBy<K, PCollection<KV<K, V>>>,
    name: string,
    fn: Combiner<V, A, O, NoInfer<S>>,
    options?: CombineOptions<K, S>,
  ): KeyedResult<KV<K, V>, KV<K, O>>;
  combinePerKey<K, V>(this: PCollection<KV<K, V>>, ...args: readonly unknown[]): KeyedResult<KV<K, V>, KV<K, never>> {
    const { given, rest } = splitName(args);
    return combinePerKey(nodeOf(this), { given, derived: "CombinePerKey" }, rest[0], rest[1] as CombineOptions<never>);
  }

  /**
   * The keys.
   *
   * @example
   * ```ts
   * p.create([["a", 1]]).keys(); // -> "a"
   * ```
   */
  keys<K, V>(this: PCollection<KV<K, V>>, name?: string): PCollection<K> {
    return elementwise(nodeOf(this), { given: name, derived: "Keys" }, "map", ([key]: KV<K, V>) => key, undefined, {
      coder: keyCoderOf(nodeOf(this).coder),
    });
  }

  /**
   * The values.
   *
   * @example
   * ```ts
   * p.create([["a", 1]]).values(); // -> 1
   * ```
   */
  values<K, V>(this: PCollection<KV<K, V>>, name?: string): PCollection<V> {
    return elementwise(
      nodeOf(this),
      { given: name, derived: "Values" },
      "map",
      ([, value]: KV<K, V>) => value,
      undefined,
      {
        coder: valueCoderOf(nodeOf(this).coder),
      },
    );
  }

  /**
   * A new value for each pair, under the same key. Cost and errors as `map`.
   *
   * @example
   * ```ts
   * p.create([["a", 1]]).mapValues((n) => n * 2); // -> ["a", 2]
   * ```
   */
  mapValues<K, V, O extends Element, S extends SideInputs = None>(
    this: PCollection<KV<K, V>>,
    name: string,
    fn: (value: V, context: CallContext<S>) => O | PromiseLike<O>,
    options?: StepOptions<S, KV<K, O>>,
  ): ElementwiseResult<KV<K, V>, KV<K, O>>;
  mapValues<K, V, O extends Element, S extends SideInputs = None>(
    this: PCollection<KV<K, V>>,
    fn: (value: V, context: CallContext<S>) => O | PromiseLike<O>,
    options?: StepOptions<S, KV<K, O>>,
  ): ElementwiseResult<KV<K, V>, KV<K, O>>;
  mapValues<K, V>(this: PCollection<KV<K, V>>, ...args: readonly unknown[]): ElementwiseResult<KV<K, V>, never> {
    const { given, rest } = splitName(args);
    const options = rest[1] as ElementwiseOptions | undefined;
    return elementwise(nodeOf(this), { given, derived: "MapValues" }, "map", overValues(rest[0], options), options, {
      shape: "kv",
      coder: pairCoder(keyCoderOf(nodeOf(this).coder), undefined),
    });
  }
}

function main<T>(step: StepDraft): PCollection<T> {
  return new PCollection(step.outputs["main"] as CollectionNode);
}
