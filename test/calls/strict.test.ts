/** Strict mode: what a step keeps must be encodable, at its first write, and nobody changes it in place. */
import { bagState, type KV, mapState, orderedListState, setState, type StateSpec, valueState } from "tidemark";
import { runTest } from "tidemark/testing";
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
