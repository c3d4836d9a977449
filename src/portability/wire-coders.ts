/**
 * How the elements of a collection cross between worker and runner.
 *
 * E1 Each value has its length before it, so that the runner can pass on what it cannot read. Where the runner groups, key and
 *    value have theirs each: `pair` before the grouping, `grouped` after it.
 * E2 Worker and runner each have a coder for a collection; both write the same bytes. The runner's values are bytes, pairs of
 *    bytes, and pairs of bytes and lists of bytes.
 */
import { type Coder, type DeterministicCoder, encodeToBytes } from "../coders/coder.ts";
import { iterableCoder, kvCoder, lengthPrefixCoder, valueCoderOf } from "../coders/composites.ts";
import { canonicalCoder } from "../coders/key.ts";
import { bytesCoder } from "../coders/primitives.ts";
import { valueCoder } from "../coders/value.ts";
import { windowCoder } from "../coders/windows.ts";
import { windowedValueCoder, type WindowedValueCoder } from "../coders/windowed-value.ts";
import type { Collection, CollectionId, PipelineGraph, Step } from "../graph/graph.ts";

export type WireShape = "plain" | "pair" | "grouped";

/** See E1. What is grouped once more is a pair again. */
export function shapeOf(graph: PipelineGraph, collection: CollectionId): WireShape {
  if (groupingOf(graph, collection) !== undefined) return "pair";
  return groupedBy(graph, collection) === undefined ? "plain" : "grouped";
}

function groupingOf(graph: PipelineGraph, collection: CollectionId): Step | undefined {
  return graph.steps.find(({ spec, inputs }) => spec.kind === "groupByKey" && inputs.includes(collection));
}

function groupedBy(graph: PipelineGraph, id: CollectionId): Step | undefined {
  const { producer, tag } = graph.collections[id] as Collection;
  const step = graph.steps[producer] as Step;
  return step.spec.kind === "groupByKey" && tag === "main" ? step : undefined;
}

/** The coder of a step's keys. */
export function keyCoderOfStep({ spec }: Step): DeterministicCoder<unknown> {
  const coder = "keyCoder" in spec ? spec.keyCoder : undefined;
  return (coder as DeterministicCoder<unknown> | undefined) ?? canonicalCoder;
}

/** Keys as state requests and groupings have them. */
export function wireKey(coder: Coder<unknown>, key: unknown): Uint8Array {
  return encodeToBytes(coder, key, "outer");
}

/** The coder of the values of pairs: of grouped ones a list, each with its length before it. */
function valuesOf(graph: PipelineGraph, id: CollectionId): Coder<unknown> {
  const by = groupedBy(graph, id);
  if (by === undefined) return valueCoderOf(graph.collections[id]?.coder) ?? valueCoder;
  return iterableCoder(lengthPrefixCoder(valuesOf(graph, by.inputs[0] as CollectionId))) as Coder<unknown>;
}

/** The worker's coder of a collection's values alone. */
export function workerValueCoder(graph: PipelineGraph, id: CollectionId): Coder<unknown> {
  const shape = shapeOf(graph, id);
  if (shape === "plain") return lengthPrefixCoder(graph.collections[id]?.coder ?? valueCoder);
  const key = lengthPrefixCoder(keyCoderOfStep((groupingOf(graph, id) ?? groupedBy(graph, id)) as Step));
  const values = valuesOf(graph, id);
  return kvCoder(key as Coder<unknown>, shape === "pair" ? lengthPrefixCoder(values) : values) as Coder<unknown>;
}

/** That of its elements. */
export function workerCoder(graph: PipelineGraph, id: CollectionId): WindowedValueCoder<unknown> {
  const { windowing } = graph.collections[id] as Collection;
  return windowedValueCoder(workerValueCoder(graph, id), windowCoder(windowing.windowFn));
}

export const BYTE_LISTS: Coder<Iterable<Uint8Array>> = iterableCoder(bytesCoder);

/** The runner's coder of a collection's values alone. */
export function runnerValueCoder(graph: PipelineGraph, id: CollectionId): Coder<unknown> {
  const shape = shapeOf(graph, id);
  if (shape === "plain") return bytesCoder;
  return kvCoder(bytesCoder, (shape === "pair" ? bytesCoder : BYTE_LISTS) as Coder<unknown>) as Coder<unknown>;
}

/** That of its elements. */
export function runnerCoder(graph: PipelineGraph, id: CollectionId): WindowedValueCoder<unknown> {
  const { windowing } = graph.collections[id] as Collection;
  return windowedValueCoder(runnerValueCoder(graph, id), windowCoder(windowing.windowFn));
}

/** What the runner has for a value of the program that it made itself: what a source read, what came too late. */
export function runnerValue(graph: PipelineGraph, id: CollectionId, value: unknown): unknown {
  if (shapeOf(graph, id) === "plain") return encodeToBytes(graph.collections[id]?.coder ?? valueCoder, value, "outer");
  const [key, inner] = value as readonly [unknown, unknown];
  const coder = keyCoderOfStep(groupingOf(graph, id) as Step);
  return [wireKey(coder, key), encodeToBytes(valuesOf(graph, id), inner, "outer")];
}

/** The program's value for a pair of the runner's. */
export function programPair(
  graph: PipelineGraph,
  id: CollectionId,
  decode: (coder: Coder<unknown>, bytes: Uint8Array) => unknown,
  [key, value]: readonly [Uint8Array, Uint8Array],
): readonly [unknown, unknown] {
  return [decode(keyCoderOfStep(groupingOf(graph, id) as Step), key), decode(valuesOf(graph, id), value)];
}
