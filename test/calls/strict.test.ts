/** Strict mode: what a step keeps must be encodable, at its first write, and nobody changes it in place. */
import {
  bagState,
  type CombineFn,
  combiningState,
  type KV,
  mapState,
  orderedListState,
  setState,
  type StateSpec,
  valueState,
} from "tidemark";
import { assertThat, runTest } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

interface Kept {
  list: number[];
}
const one: readonly KV<string, number>[] = [["k", 1]];
const unencodable = (): never => (() => 1) as never;

/** A step that writes what has no bytes into a cell. */
const WRITES: readonly (readonly [string, StateSpec<unknown>, (cell: never) => void])[] = [
  ["value", valueState<number>(), (cell: { write(v: unknown): void }) => cell.write(unencodable())],
  ["bag", bagState<number>(), (cell: { add(v: unknown): void }) => cell.add(unencodable())],
  ["map", mapState<string, number>(), (cell: { put(k: string, v: unknown): void }) => cell.put("k", unencodable())],
  ["set", setState<number>(), (cell: { add(v: unknown): void }) => cell.add({ f: unencodable() })],
  [
    "orderedList",
    orderedListState<number>(),
    (cell: { add(v: unknown, t: number): void }) => cell.add(unencodable(), 0),
  ],
];

describe.each([false, true])("async %s", (isAsync) => {
  test.each(WRITES)("%s: a value that cannot be encoded is refused where it is written", async (_name, spec, write) => {
    const error = await failureOf((p) => {
      const work = (state: { readonly cell: unknown }): void => write(state.cell as never);
      p.create(one).parDo("Keep", {
        state: { cell: spec },
        process: isAsync ? async (_pair, { state }) => work(state) : (_pair, { state }) => work(state),
      });
    });
    expect(["VALUE_NOT_ENCODABLE", "KEY_NOT_DETERMINISTIC"]).toContain(error.code);
    expect(error.context).toMatchObject({ step: "Keep", key: '"k"', element: '["k",1]', window: "global" });
  });

  test("a value that was written cannot be changed in place, neither by who wrote it nor by who reads it", async () => {
    for (const change of ["written", "read"]) {
      const error = await failureOf((p) => {
        const work = (state: { readonly v: { read(): Kept | undefined; write(v: Kept): void } }): void => {
          const value: Kept = { list: [1] };
          state.v.write(value);
          if (change === "written") value.list.push(2);
          else state.v.read()?.list.push(2);
        };
        p.create(one).parDo("Keep", {
          state: { v: valueState<Kept>() },
          process: isAsync ? async (_pair, { state }) => work(state) : (_pair, { state }) => work(state),
        });
      });
      expect(error.code).toBe("STEP_FAILED");
      expect(error.message).toMatch(/TypeError: Cannot add property/);
      expect(error.context.at).toMatch(/strict\.test\.ts/);
    }
  });
});

describe.each([false, true])("read or written (async %s)", (isAsync) => {
  const changes: readonly (readonly [string, () => unknown, (kept: never) => void])[] = [
    ["a Map", () => new Map([["a", 1]]), (map: Map<string, number>) => map.set("b", 2)],
    ["a Map inside", () => ({ map: new Map() }), ({ map }: { map: Map<string, number> }) => map.clear()],
    ["a Set", () => new Set([1]), (set: Set<number>) => set.add(2)],
    ["a Date", () => new Date(0), (date: Date) => date.setFullYear(2000)],
    ["a list behind a frozen object", () => Object.freeze({ list: [1] }), ({ list }: Kept) => list.push(2)],
  ];

  test.each(changes)("%s cannot be changed in place", async (_name, kept, change) => {
    for (const side of ["written", "read"]) {
      const error = await failureOf((p) => {
        p.create(one).parDo(
          "Keep",
          {
            state: { v: valueState<unknown>() },
            process(_pair, { state: { v } }) {
              const value = kept();
              v.write(value);
              change((side === "read" ? v.read() : value) as never);
            },
          },
          { async: isAsync },
        );
      });
      expect(error).toMatchObject({ code: "STEP_FAILED", context: { step: "Keep" } });
      expect(error.message).toMatch(/TypeError: Cannot (change|add property)/);
      expect(error.context.at).toMatch(/strict\.test\.ts/);
    }
  });

  test("a Map in a cell is read as any other, and written anew", async () => {
    await runTest((p) => {
      const seen = p.create([...one, ...one]).parDo(
        {
          state: { v: valueState<ReadonlyMap<string, number>>() },
          process([key, n], { state: { v } }) {
            v.write(new Map([...(v.read() ?? []), [`${key}${v.read()?.size ?? 0}`, n]]));
            return [v.read()];
          },
        },
        { async: isAsync },
      );
      assertThat(seen).containsInAnyOrder([
        new Map([["k0", 1]]),
        new Map([
          ["k0", 1],
          ["k1", 1],
        ]),
      ]);
    });
  });

  test("what a bag's read gives is no way into the bag", async () => {
    const error = await failureOf((p) => {
      p.create(one).parDo(
        "Keep",
        {
          state: { bag: bagState<number>() },
          process([, n], { state: { bag } }) {
            bag.add(n);
            (bag.read() as number[]).push(2);
          },
        },
        { async: isAsync },
      );
    });
    expect(error.message).toMatch(/TypeError: Cannot add property/);
  });

  test("an accumulator that comes to hold what cannot be encoded is refused when its cell is read", async () => {
    const gather: CombineFn<unknown, unknown[], number> = {
      createAccumulator: () => [],
      addInput: (all, input) => [...all, input],
      mergeAccumulators: (several) => several.flat(),
      extractOutput: (all) => all.length,
    };
    const error = await failureOf((p) => {
      p.create(one).parDo(
        "Keep",
        {
          state: { all: combiningState(gather) },
          process([, n], { state: { all } }) {
            all.add(n);
            all.add(unencodable());
            return [all.read()];
          },
        },
        { async: isAsync },
      );
    });
    expect(error).toMatchObject({ code: "VALUE_NOT_ENCODABLE", context: { step: "Keep" } });
  });

  test("an ordered list refuses what is no instant", async () => {
    for (const timestamp of [Number.NaN, Infinity, "5" as unknown as number]) {
      const error = await failureOf(
        (p) => {
          p.create(one).parDo(
            "Keep",
            {
              state: { list: orderedListState<number>() },
              process: ([, n], { state: { list } }) => list.add(n, timestamp),
            },
            { async: isAsync },
          );
        },
        { strict: false },
      );
      expect(error).toMatchObject({ code: "TIMESTAMP_INVALID", context: { step: "Keep", key: '"k"' } });
    }
  });
});

test("without strict mode nothing is checked", async () => {
  await runTest(
    (p) => {
      p.create(one).parDo({
        state: { f: valueState<unknown>() },
        process: (_pair, { state }) => state.f.write(unencodable()),
      });
    },
    { strict: false },
  );
});
