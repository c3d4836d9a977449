/** Groupings as transforms: by key, and of a whole window. */
import { checkOptionNames, type OptionNames } from "../base/option-names.ts";
import type { Coder } from "../coders/coder.ts";
import type { CombineFn } from "../fn/combine-fn.ts";
import type { Late } from "../fn/set-aside.ts";
import type { KV } from "../fn/do-fn.ts";
import type { KeyedBy } from "../fn/refusals.ts";
import type { PCollectionView, SideInputArgs, SideInputs } from "../fn/view.ts";
import { type CollectionNode, stepError } from "../pipeline/builder.ts";
import { nodeOf, PCollection } from "../pipeline/collection.ts";
import { pairCoder } from "../pipeline/derived-coders.ts";
import { toCombineFn } from "../pipeline/combine.ts";
import { addFlatten, Pipeline } from "../pipeline/pipeline.ts";
import type { KeyedResult } from "../pipeline/results.ts";
import { addWindowing } from "../pipeline/steps.ts";
import { stepTransform, transform } from "../pipeline/transform.ts";
import { combinePerKey as addCombinePerKey, elementwise, view } from "../pipeline/typed-steps.ts";
import { lateElements } from "./late.ts";
import type { Combiner, CombineOptions, None } from "../pipeline/types.ts";

/**
 * The values of each key and window together. As `collection.groupByKey()`, with its errors and cost.
 *
 * @example
 * ```ts
 * p.create([["a", 1], ["a", 2], ["b", 3]]).apply(groupByKey()); // -> ["a", [1, 2]], ["b", [3]]
 * ```
 */
export function groupByKey(): <K, V>(
  input: KeyedBy<K, PCollection<KV<K, V>>>,
  name?: string,
) => KeyedResult<KV<K, V>, KV<K, readonly V[]>> {
  return stepTransform(<K, V>(input: KeyedBy<K, PCollection<KV<K, V>>>, name?: string) => {
    const pairs = input as PCollection<KV<K, V>>;
    return name === undefined ? pairs.groupByKey() : pairs.groupByKey(name);
  });
}

/**
 * The values of each key and window combined to one. As `collection.combinePerKey(fn)`, with its errors and cost.
 * @param fn a CombineFn, or a plain associative and commutative function over values
 *
 * @example
 * ```ts
 * p.create([["a", 1], ["a", 2]]).apply(combinePerKey((values: Iterable<number>) => Math.max(...values))); // -> ["a", 2]
 * ```
 */
export function combinePerKey<V, A, O = V, S extends SideInputs = None>(
  fn: Combiner<V, A, O, NoInfer<S>>,
  options?: CombineOptions<never, S>,
): <K>(input: KeyedBy<K, PCollection<KV<K, V>>>, name?: string) => KeyedResult<KV<K, V>, KV<K, O>> {
  return stepTransform(<K>(input: KeyedBy<K, PCollection<KV<K, V>>>, name?: string) =>
    addCombinePerKey<K, V, O>(
      nodeOf(input as PCollection<KV<K, V>>),
      { given: name, derived: "CombinePerKey" },
      fn,
      options,
    ),
  );
}

/** A `combinePerKey` whose step has a name of its own. */
export function namedCombinePerKey<V, O>(
  derived: string,
  fn: CombineFn<V, never, O> | CombineFn<V, unknown, O>,
): <K, I extends V>(input: KeyedBy<K, PCollection<KV<K, I>>>, name?: string) => KeyedResult<KV<K, I>, KV<K, O>> {
  return stepTransform(<K, I extends V>(input: KeyedBy<K, PCollection<KV<K, I>>>, name?: string) =>
    addCombinePerKey<K, I, O>(nodeOf(input as PCollection<KV<K, I>>), { given: name, derived }, fn),
  );
}

/** Options of `combineGlobally`. */
export interface GlobalOptions<S extends SideInputs = None> {
  /**
   * Whether a window without elements still gives a value: that of an empty accumulator. Default true, which needs the
   * global window: other windows exist only where elements are.
   */
  readonly withDefault?: boolean;
  /** Views by the name under which the CombineFn sees them; as of `combinePerKey`. */
  readonly sideInputs?: S;
}

/**
 * The output of a combine over whole windows.
 *
 * @example
 * ```ts
 * const clicks = testStream<number>().addElements(at(1000, 1)).advanceWatermarkTo(60_000).addElements(at(2000, 2));
 * const sums = p
 *   .apply(clicks.advanceWatermarkToInfinity())
 *   .apply(windowInto(fixedWindows(seconds(60))))
 *   .apply(sumGlobally({ withDefault: false })); // -> 1
 * sums.late.map(({ element, reason }) => [element, reason]); // -> [2, "expired"]
 * ```
 */
export class GlobalResult<I, O> extends PCollection<O> {
  readonly #late: () => PCollection<Late<I>>;

  constructor(node: CollectionNode, late: () => PCollection<Late<I>>) {
    super(node);
    this.#late = late;
  }

  /** What came too late, with window and reason, in the global window. Without it late elements are only counted. */
  get late(): PCollection<Late<I>> {
    return this.#late();
  }
}

/**
 * All elements of a window combined to one, each time the trigger fires. They meet under one key.
 * @throws COMBINE_DEFAULT_NEEDS_GLOBAL_WINDOW in other windows, unless `withDefault` is false
 *
 * @example
 * ```ts
 * p.create([1, 2, 3]).apply(combineGlobally(sumFn())); // -> 6
 * p.create<number>([]).apply(combineGlobally(sumFn())); // -> 0
 * p.create<number>([]).apply(combineGlobally(sumFn(), { withDefault: false })); // -> nothing
 * ```
 */
export function combineGlobally<V, A, O = V, S extends SideInputs = None>(
  fn: Combiner<V, A, O, NoInfer<S>>,
  options?: GlobalOptions<S>,
): (input: PCollection<V>) => GlobalResult<V, O> {
  return namedCombineGlobally<V, O>("CombineGlobally", fn, options);
}

const GLOBAL_OPTIONS: OptionNames<GlobalOptions> = { withDefault: true, sideInputs: true };

/** A `combineGlobally` whose composite has a name of its own. `fn` is any Combiner. */
export function namedCombineGlobally<V, O>(
  name: string,
  fn: unknown,
  options: GlobalOptions<SideInputs> = {},
): (input: PCollection<V>) => GlobalResult<V, O> {
  const { withDefault = true, sideInputs } = options;
  checkOptionNames(name, options, GLOBAL_OPTIONS);
  return transform(name, (input: PCollection<V>) => {
    const grouped = combineUnderOneKey<V, O>(input, fn, sideInputs);
    const combined = grouped.values("Values");
    const late = lateElements(input, grouped, 1);
    if (!withDefault) return new GlobalResult<V, O>(nodeOf(combined), late);
    return new GlobalResult<V, O>(nodeOf(withEmptyValue(combined, toCombineFn(fn), sideInputs)), late);
  });
}

/**
 * All elements of a window combined to one, as a side input; in a window without elements, the value of an empty accumulator.
 * It takes no side inputs itself: that value is there before any view is. For one with side inputs, `combineGlobally` and
 * `asSingleton`.
 *
 * @example
 * ```ts
 * const amounts = p.create([1, 3]);
 * const total = amounts.apply(combineGloballyAsSingleton(sumFn()));
 * amounts.map((amount, { sideInputs }) => amount / sideInputs.total, { sideInputs: { total } }); // -> 0.25, 0.75
 * ```
 */
export function combineGloballyAsSingleton<V, A, O = V>(
  fn: Combiner<V, A, O>,
): (input: PCollection<V>) => PCollectionView<O> {
  return transform("CombineGloballyAsSingleton", (input: PCollection<V>): PCollectionView<O> => {
    const combined = combineUnderOneKey<V, O>(input, fn).values("Values");
    return view(nodeOf(combined), { given: "View", derived: "View" }, "singleton", {
      default: emptyValue(toCombineFn(fn)),
    });
  });
}

function combineUnderOneKey<V, O>(
  input: PCollection<V>,
  fn: unknown,
  sideInputs?: SideInputs,
): KeyedResult<KV<null, V>, KV<null, O>> {
  const node = nodeOf(input);
  const keyed = elementwise<V, KV<null, V>>(
    node,
    { given: "Key", derived: "Key" },
    "map",
    (value: V) => [null, value],
    {},
    { shape: "kv", coder: pairCoder(undefined, node.coder) },
  );
  return addCombinePerKey<null, V, O>(nodeOf(keyed), { given: "Combine", derived: "Combine" }, fn, {
    ...(sideInputs && { sideInputs }),
  });
}

/** The combined values among the side inputs of their default: a name that no program gives to its own. */
const SEEN = "combined values";

/** One element starts the default, and waits for the combined values to see whether it is needed: as Beam does it. */
function withEmptyValue<O>(
  combined: PCollection<O>,
  combineFn: CombineFn<unknown, unknown, unknown, SideInputs>,
  sideInputs: SideInputs | undefined,
): PCollection<O> {
  const { builder, windowing, coder } = nodeOf(combined);
  if (windowing.windowFn.kind !== "global") {
    const place = builder.place(undefined, "Default");
    throw stepError("COMBINE_DEFAULT_NEEDS_GLOBAL_WINDOW", place, {
      what: `"${place.name}" cannot give a value for windows without elements: the input is in ${windowing.windowFn.name} windows`,
      why: "windows other than the global one exist only where elements are",
      fix: "pass { withDefault: false }, or use combineGloballyAsSingleton, which has a value for every window",
    });
  }
  const seen = combined.asIterable("Seen");
  const empty = new Pipeline(builder)
    .impulse("Start")
    .flatMap(
      "Default",
      (_, { sideInputs: values }) =>
        isEmpty(values[SEEN]) ? [emptyValue(combineFn, ...(sideInputs ? [values] : [])) as {}] : [],
      {
        sideInputs: { ...sideInputs, [SEEN]: seen },
        ...(coder && { coder: coder as Coder<{}> }),
      },
    );
  const rewindowed = addWindowing(nodeOf(empty), { given: "Window", derived: "Window" }, windowing);
  return addFlatten<O>(builder, "Output", [combined, new PCollection<O>(rewindowed.outputs["main"] as CollectionNode)]);
}

function emptyValue(
  combineFn: CombineFn<unknown, unknown, unknown, SideInputs>,
  ...sideInputs: readonly Readonly<Record<string, unknown>>[]
): unknown {
  const last = sideInputs as SideInputArgs<SideInputs>;
  return combineFn.extractOutput(combineFn.createAccumulator(...last), ...last);
}

function isEmpty(values: unknown): boolean {
  return (values as Iterable<unknown>)[Symbol.iterator]().next().done === true;
}
