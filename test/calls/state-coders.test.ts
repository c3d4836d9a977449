/** Coders that are given for cells and accumulators are the ones that are used. */
import {
  bagState,
  combiningState,
  type KV,
  mapState,
  orderedListState,
  setState,
  type StateSpec,
  stringCoder,
  TidemarkError,
  valueCoder,
  valueState,
} from "tidemark";
import { assertThat, runTest } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";
import { bareCounterFn, counterFn, Point, pointCoder } from "./points.ts";

type Pairs = readonly KV<string, number>[];
const pairs: Pairs = [
  ["k", 1],
  ["k", 2],
];

describe.each([false, true])("async %s", (isAsync) => {
  test("cells keep instances of classes for which they have a coder", async () => {
    await runTest((p) => {
      const seen = p.create(pairs).parDo(
        {
          state: {
            value: valueState({ coder: pointCoder }),
            bag: bagState({ coder: pointCoder }),
            map: mapState({ keyCoder: pointCoder, coder: pointCoder }),
            set: setState({ coder: pointCoder }),
            list: orderedListState({ coder: pointCoder }),
          },
          process([, n], { state: { value, bag, map, set, list } }) {
            value.write(new Point((value.read()?.double ?? 0) + n));
            bag.add(new Point(n));
            map.put(new Point(1), new Point((map.get(new Point(1))?.double ?? 0) + n));
            const added = [set.add(new Point(1)), set.has(new Point(1)), set.has(new Point(2))];
            list.add(new Point(n), -n);
            const doubles = (points: Iterable<Point>): number[] => Array.from(points, (point) => point.double);
            return [
              {
                value: value.read()?.double,
                bag: doubles(bag.read()),
                map: [doubles(map.keys()), doubles(map.values())],
                set: [...doubles(set.read()), ...added],
                list: doubles(list.read().map((item) => item.value)),
              },
            ];
          },
        },
        { async: isAsync },
      );
      assertThat(seen).containsInAnyOrder([
        { value: 2, bag: [2], map: [[2], [2]], set: [2, true, true, false], list: [2] },
        { value: 8, bag: [2, 4], map: [[2], [8]], set: [2, false, true, false], list: [4, 2] },
      ]);
    });
  });

  test("an accumulator that is an instance of a class is copied by its coder", async () => {
    await runTest((p) => {
      const sums = p.create(pairs).parDo(
        {
          state: { sum: combiningState(counterFn) },
          process([, n], { state: { sum } }) {
            sum.add(n);
            return [sum.read()];
          },
        },
        { async: isAsync },
      );
      assertThat(sums).containsInAnyOrder([1, 3]);
    });
  });

  test("one without a coder is refused at its first input", async () => {
    const error = await failureOf((p) => {
      p.create(pairs).parDo(
        "Sum",
        {
          state: { sum: combiningState(bareCounterFn) },
          process([, n], { state: { sum } }) {
            sum.add(n);
          },
        },
        { async: isAsync },
      );
    });
    expect(error).toMatchObject({ code: "VALUE_NOT_ENCODABLE", context: { step: "Sum", element: '["k",1]' } });
    expect(error.message).toContain("the class Counter");
  });

  test("a value that the given coder cannot write is refused where it is written", async () => {
    const error = await failureOf((p) => {
      p.create(pairs).parDo(
        "Keep",
        {
          state: { text: valueState<unknown>({ coder: stringCoder }) },
          process: ([, n], { state: { text } }) => text.write(n),
        },
        { async: isAsync },
      );
    });
    expect(error.context.step).toBe("Keep");
    expect(error.code).toBe("VALUE_NOT_ENCODABLE");
  });

  test("what a coder made cannot be changed in place unseen: it is a copy", async () => {
    await runTest((p) => {
      const seen = p.create(pairs).parDo(
        {
          state: { value: valueState({ coder: pointCoder }) },
          process(_pair, { state: { value } }) {
            const point = new Point(1);
            value.write(point);
            point.x = 50;
            const read = value.read() as Point;
            read.x = 60;
            return [value.read()?.x];
          },
        },
        { async: isAsync },
      );
      assertThat(seen).containsInAnyOrder([1, 1]);
    });
  });
});

test("maps and sets need a deterministic coder for what they look up", () => {
  const loose = valueCoder as never;
  for (const declare of [() => mapState({ keyCoder: loose }), () => setState({ coder: loose })]) {
    expect(declare).toThrow(expect.objectContaining({ code: "KEY_CODER_NOT_DETERMINISTIC" }));
  }
});

const DECLARED: readonly (readonly [string, (options: { ttl: number }) => StateSpec<unknown>])[] = [
  ["value", valueState],
  ["bag", bagState],
  ["map", mapState],
  ["set", setState],
  ["orderedList", orderedListState],
  ["combining", (options) => combiningState(counterFn, options)],
];

test.each(DECLARED)("%s: a time to live is above 0", (kind, declare) => {
  for (const ttl of [0, -1, Number.NaN, Infinity, "5" as unknown as number]) {
    expect(() => declare({ ttl })).toThrow(TidemarkError);
    expect(() => declare({ ttl })).toThrow(expect.objectContaining({ code: "STATE_INVALID" }));
    expect(() => declare({ ttl })).toThrow(`kind ${kind}`);
  }
  expect(declare({ ttl: 1 })).toMatchObject({ kind, ttl: 1 });
});
