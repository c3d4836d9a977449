/**
 * Steps with the types of what they give out: for PCollection, and for Tidemark's own transforms.
 * Path: PCollection, transforms -> HERE -> steps.ts.
 */
import type { KV } from "../fn/do-fn.ts";
import type { PCollectionView, SideInputs, ViewKind } from "../fn/view.ts";
import type { CollectionNode } from "./builder.ts";
import { checkView } from "./checks.ts";
import type { StepNaming } from "./naming.ts";
import { checkStepOptions } from "./options.ts";
import type { ElementwiseResult, KeyedResult } from "./results.ts";
import { addCombinePerKey, addElementwise, addGroupByKey, type ElementwiseOptions, type Known } from "./steps.ts";
import type { CombineOptions, GroupOptions } from "./types.ts";

/** Adds a `map`, `flatMap` or `filter`; `known` is what the caller knows of it beforehand. */
export function elementwise<I, O>(
  input: CollectionNode,
  naming: StepNaming,
  kind: "map" | "flatMap" | "filter",
  fn: unknown,
  options?: ElementwiseOptions,
  known?: Known,
): ElementwiseResult<I, O> {
  const step = addElementwise(input, naming, kind, fn, options, known);
  return input.builder.results.elementwise(step) as ElementwiseResult<I, O>;
}

/** Adds a `groupByKey`. */
export function groupByKey<K, V>(
  input: CollectionNode,
  naming: StepNaming,
  options?: GroupOptions<never>,
): KeyedResult<KV<K, V>, KV<K, readonly V[]>> {
  const step = addGroupByKey(input, naming, options);
  return input.builder.results.keyed(step) as KeyedResult<KV<K, V>, KV<K, readonly V[]>>;
}

/** Adds a `combinePerKey`. */
export function combinePerKey<K, V, O>(
  input: CollectionNode,
  naming: StepNaming,
  fn: unknown,
  options?: CombineOptions<never, SideInputs>,
): KeyedResult<KV<K, V>, KV<K, O>> {
  const step = addCombinePerKey(input, naming, fn, options);
  return input.builder.results.keyed(step) as KeyedResult<KV<K, V>, KV<K, O>>;
}

/** Adds a view. */
export function view<V>(
  input: CollectionNode,
  naming: StepNaming,
  kind: ViewKind,
  options?: { readonly default: unknown },
): PCollectionView<V> {
  const { builder } = input;
  const place = builder.place(naming.given, naming.derived);
  if (kind === "singleton") checkStepOptions(place, "asSingleton", options);
  checkView(place, input, kind === "map" || kind === "multimap");
  return builder.addView<V>(place, kind, input, options && { value: options.default });
}
