/** Coders are synchronous: an async one is refused where it is given, and a promise where it appears. */
import {
  bagState,
  combiningState,
  type Coder,
  type CombineFn,
  decodeFromBytes,
  encodeToBytes,
  iterableCoder,
  type KV,
  kvCoder,
  lengthPrefixCoder,
  mapState,
  nullableCoder,
  output,
  type Pipeline,
  stringCoder,
  sumFn,
  valueState,
  varintCoder,
} from "tidemark";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

const one: readonly KV<string, number>[] = [["k", 1]];
/** As JavaScript would let them through. */
const asyncCoder = { ...varintCoder, name: "later", encode: async () => {} } as never;
const decodesLater = { ...stringCoder, name: "later", decode: async () => "k" } as never;
const promises = { ...varintCoder, name: "later", encode: () => Promise.reject(new Error("no")) } as never;
const gives = { ...varintCoder, name: "later", decode: () => Promise.resolve(1) } as never;
const asyncOutput = { ...sumFn(), extractOutput: async (sum: number) => sum } as never;

const GIVEN: readonly (readonly [string, (p: Pipeline) => unknown])[] = [
  ["create", (p) => p.create("Step", [1], { coder: asyncCoder })],
  ["a part of a pair", (p) => p.create("Step", one, { coder: kvCoder(stringCoder, asyncCoder) })],
  ["a part of a part", (p) => p.create("Step", [[null]], { coder: iterableCoder(nullableCoder(asyncCoder)) as never })],
  ["createTimestamped", (p) => p.createTimestamped("Step", [], { coder: asyncCoder })],
  ["readTestStream", (p) => p.readTestStream("Step", [], { coder: decodesLater })],
  ["map", (p) => p.create(one).map("Step", () => 1, { coder: asyncCoder })],
  ["mapValues", (p) => p.create(one).mapValues("Step", () => 1, { coder: kvCoder(stringCoder, asyncCoder) as never })],
  ["groupByKey", (p) => p.create(one).groupByKey("Step", { keyCoder: decodesLater })],
  ["combinePerKey", (p) => p.create(one).combinePerKey("Step", sumFn(), { keyCoder: decodesLater })],
  ["an accumulator", (p) => p.create(one).combinePerKey("Step", { ...sumFn(), accumulatorCoder: asyncCoder })],
  [
    "the keys of a DoFn",
    (p) =>
      p
        .create(one)
        .parDo("Step", { state: { v: valueState<number>() }, process: () => [1] }, { keyCoder: decodesLater }),
  ],
  [
    "an output",
    (p) => p.create(one).parDo("Step", { outputs: { main: output({ coder: asyncCoder }) }, process: () => {} }),
  ],
  ["a cell", (p) => p.create(one).parDo("Step", { state: { v: bagState({ coder: asyncCoder }) }, process: () => [1] })],
  [
    "the keys of a cell",
    (p) => p.create(one).parDo("Step", { state: { v: mapState({ keyCoder: decodesLater }) }, process: () => [1] }),
  ],
  [
    "the CombineFn of a cell",
    (p) => p.create(one).parDo("Step", { state: { v: combiningState(asyncOutput) }, process: () => [1] }),
  ],
  [
    "the accumulator of a cell",
    (p) =>
      p.create(one).parDo("Step", {
        state: { v: combiningState({ ...sumFn(), accumulatorCoder: asyncCoder }) },
        process: () => [1],
      }),
  ],
];

test.each(GIVEN)("%s: an async function is refused while the pipeline is built", async (_name, build) => {
  const error = await failureOf((p) => void build(p));
  expect(error).toMatchObject({ code: "ASYNC_NOT_ALLOWED", context: { step: "Step" } });
  expect(error.message).toMatch(/(encode|decode) of the coder later of "Step" is async|CombineFn\.extractOutput/);
});

test("a cell's CombineFn has all its functions", async () => {
  const half = { createAccumulator: () => 0 } as unknown as CombineFn<number, number, number>;
  const error = await failureOf((p) => {
    p.create(one).parDo("Step", { state: { sum: combiningState(half) }, process: () => [1] });
  });
  expect(error).toMatchObject({ code: "COMBINE_FN_INVALID", context: { step: "Step" } });
  expect(error.message).toContain('the CombineFn of the cell "sum" of "Step" has no function addInput');
});

describe("a promise is refused at run time", () => {
  const composed: readonly (readonly [string, (part: Coder<number>) => Coder<never>, unknown])[] = [
    ["alone", (part) => part as never, 1],
    ["as a key", (part) => kvCoder(part, stringCoder) as never, [1, "a"]],
    ["as a value", (part) => kvCoder(stringCoder, part) as never, ["a", 1]],
    ["in an iterable", (part) => iterableCoder(part) as never, [1]],
    ["nullable", (part) => nullableCoder(part) as never, 1],
    ["with its length", (part) => lengthPrefixCoder(part) as never, 1],
  ];

  test.each(composed)("%s", (_name, compose, value) => {
    for (const context of ["nested", "outer"] as const) {
      expect(() => encodeToBytes(compose(promises), value as never, context)).toThrow(
        expect.objectContaining({ code: "ASYNC_NOT_ALLOWED" }),
      );
      const bytes = encodeToBytes(compose(varintCoder), value as never, context);
      expect(() => decodeFromBytes(compose(gives), bytes, context)).toThrow(
        expect.objectContaining({ code: "ASYNC_NOT_ALLOWED" }),
      );
    }
  });

  test("of keys, of cells, and between stages", async () => {
    const grouped = await failureOf((p) => p.create([[1, 1]]).groupByKey("Group", { keyCoder: promises }));
    expect(grouped).toMatchObject({ code: "ASYNC_NOT_ALLOWED", context: { step: "Group", key: "1" } });
    const kept = await failureOf((p) => {
      p.create(one).parDo("Keep", {
        state: { v: valueState<number>({ coder: gives }) },
        process: ([, n], { state: { v } }) => v.write(n),
      });
    });
    expect(kept).toMatchObject({ code: "ASYNC_NOT_ALLOWED", context: { step: "Keep", key: '"k"' } });
    const sent = await failureOf((p) => p.create("Make", [1], { coder: gives }).map(async (n) => n), { encoded: true });
    expect(sent).toMatchObject({ code: "ASYNC_NOT_ALLOWED", context: { step: "Make" } });
  });
});
