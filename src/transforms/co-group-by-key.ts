/** Joins of several keyed collections, by key and window. */
import { keyCoderOf, valueCoderOf } from "../coders/composites.ts";
import type { Late } from "../fn/set-aside.ts";
import type { KV } from "../fn/do-fn.ts";
import type { KeyedBy } from "../fn/refusals.ts";
import { TidemarkError } from "../base/errors.ts";
import type { CollectionNode } from "../pipeline/builder.ts";
import { nodeOf, PCollection } from "../pipeline/collection.ts";
import { commonCoder, joinedCoder, pairCoder, taggedCoder } from "../pipeline/derived-coders.ts";
import { splitName } from "../pipeline/naming.ts";
import { addFlatten } from "../pipeline/pipeline.ts";
import type { KeyedResult } from "../pipeline/results.ts";
import { elementwise } from "../pipeline/typed-steps.ts";

/** Keyed collections by tag. */
export type Tagged<K> = Readonly<Record<string, PCollection<KV<K, unknown>>>>;
type KeyIn<C> = C extends PCollection<KV<infer K, unknown>> ? K : never;
type ValueIn<C> = C extends PCollection<KV<unknown, infer V>> ? V : never;

/** The values of one key by tag; empty arrays where a collection has none. */
export type Joined<C extends Tagged<unknown>> = { readonly [N in keyof C]: readonly ValueIn<C[N]>[] };
/** A value with the tag of the collection that it comes from. */
export type TaggedValue<C extends Tagged<unknown>> = {
  [N in keyof C]: { readonly tag: N; readonly value: ValueIn<C[N]> };
}[keyof C];

/**
 * The output of `coGroupByKey`.
 *
 * @example
 * ```ts
 * const orders = testStream<KV<string, string>>().addElements(at(1000, ["ann", "tea"])).advanceWatermarkTo(60_000);
 * const joined = coGroupByKey({
 *   orders: p
 *     .apply(orders.addElements(at(2000, ["bob", "jam"])).advanceWatermarkToInfinity())
 *     .apply(windowInto(fixedWindows(seconds(60)))),
 * }); // -> ["ann", { orders: ["tea"] }]
 * joined.late.map(({ element }) => element); // -> ["bob", { tag: "orders", value: "jam" }]
 * ```
 */
export class CoGroupResult<C extends Tagged<unknown>, K> extends PCollection<KV<K, Joined<C>>> {
  readonly #grouped: KeyedResult<KV<K, TaggedValue<C>>, unknown>;

  constructor(node: CollectionNode, grouped: KeyedResult<KV<K, TaggedValue<C>>, unknown>) {
    super(node);
    this.#grouped = grouped;
  }

  /** What came too late, with its tag, in the global window. */
  get late(): PCollection<Late<KV<K, TaggedValue<C>>>> {
    return this.#grouped.late;
  }
}

/**
 * The values of each key and window, from several collections, by tag.
 *
 * Cost: a grouping keeps all values of a key and window until it fires, then builds one object of arrays.
 * @throws FLATTEN_WINDOWING_MISMATCH when the collections are windowed differently; TRANSFORM_INVALID without collections; and
 * as `groupByKey`
 *
 * @example
 * ```ts
 * const emails = p.create("Emails", [["ann", "ann@example.org"]]);
 * const phones = p.create("Phones", [["ann", "555-01"], ["bob", "555-02"]]);
 * coGroupByKey({ emails, phones });
 * // -> ["ann", { emails: ["ann@example.org"], phones: ["555-01"] }],
 * //    ["bob", { emails: [], phones: ["555-02"] }]
 * ```
 */
export function coGroupByKey<const C extends Tagged<unknown>>(
  collections: KeyedBy<KeyIn<C[keyof C]>, C>,
): CoGroupResult<C, KeyIn<C[keyof C]>>;
export function coGroupByKey<const C extends Tagged<unknown>>(
  name: string,
  collections: KeyedBy<KeyIn<C[keyof C]>, C>,
): CoGroupResult<C, KeyIn<C[keyof C]>>;
export function coGroupByKey(...args: readonly unknown[]): CoGroupResult<Tagged<unknown>, unknown> {
  const { given, rest } = splitName(args);
  const collections = rest[0] as Tagged<unknown>;
  const [first] = Object.values(collections);
  if (first === undefined)
    throw new TidemarkError("TRANSFORM_INVALID", {
      what: "coGroupByKey is given no collections",
      fix: "give one or more, by tag",
    });
  const { builder } = nodeOf(first);
  const coders = Object.values(collections).map((collection) => nodeOf(collection).coder);
  const key = commonCoder(coders.map(keyCoderOf));
  const values = Object.fromEntries(Object.keys(collections).map((tag, i) => [tag, valueCoderOf(coders[i])]));
  const tagged = pairCoder(key, taggedCoder(values));
  return builder.inScope(builder.place(given, "CoGroupByKey").name, () => {
    const inputs = Object.entries(collections).map(([tag, collection]) => {
      const withTag = ([key, value]: KV<unknown, unknown>): unknown => [key, { tag, value }];
      return elementwise<unknown, KV<unknown, { tag: string; value: unknown }>>(
        nodeOf(collection),
        { given: `Tag ${tag}`, derived: "Tag" },
        "map",
        withTag,
        {},
        { shape: "kv", coder: tagged },
      );
    });
    const grouped = addFlatten(builder, "All", inputs).groupByKey("Group");
    const byTag = sorterBy(Object.keys(collections));
    const join = ([key, values]: KV<unknown, readonly { tag: string; value: unknown }[]>): unknown => [
      key,
      byTag(values),
    ];
    const joined = elementwise<unknown, never>(
      nodeOf(grouped),
      { given: "Join", derived: "Join" },
      "map",
      join,
      {},
      { shape: "kv", coder: pairCoder(key, joinedCoder(values)) },
    );
    return new CoGroupResult(nodeOf(joined), grouped);
  });
}

/** Sorts values into an array for each tag. */
function sorterBy(
  tags: readonly string[],
): (values: readonly { tag: string; value: unknown }[]) => Readonly<Record<string, unknown[]>> {
  // Copying one object is much faster than making each from its names.
  const empty: Record<string, unknown[]> = Object.fromEntries(tags.map((tag) => [tag, []]));
  return (values) => {
    const joined = { ...empty };
    for (let i = 0; i < tags.length; i++) joined[tags[i] as string] = [];
    for (let i = 0; i < values.length; i++) {
      const { tag, value } = values[i] as { tag: string; value: unknown };
      (joined[tag] as unknown[]).push(value);
    }
    return joined;
  };
}
