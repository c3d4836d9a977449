/** TTL: a cell reads as empty once its TTL has passed since its last write; the time is the pipeline's clock. */
import {
  bagState,
  combiningState,
  type KV,
  mapState,
  orderedListState,
  output,
  type Program,
  pipeline,
  run,
  setState,
  type StateSpec,
  sumFn,
  type ValueCell,
  valueState,
} from "tidemark";
import { assertThat, at, runTest, simulatedJobClock, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";

const TTL = 100;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Kind {
  readonly name: string;
  readonly spec: StateSpec<unknown>;
  write(cell: never, n: number): void;
  read(cell: never): unknown;
  readonly one: unknown;
  readonly empty: unknown;
}

/** A kind of cell, typed where it is written. */
function kind<C>(
  name: string,
  spec: { readonly kind: StateSpec<C>["kind"]; readonly cell?: C },
  write: (cell: C, n: number) => void,
  read: (cell: C) => unknown,
  one: unknown,
  empty: unknown,
): Kind {
  return { name, spec, write, read, one, empty };
}

const KINDS: readonly Kind[] = [
  kind(
    "value",
    valueState<number>({ ttl: TTL }),
    (c, n) => c.write(n),
    (c) => c.read(),
    1,
    undefined,
  ),
  kind(
    "bag",
    bagState<number>({ ttl: TTL }),
    (c, n) => c.add(n),
    (c) => [...c.read()],
    [1],
    [],
  ),
  kind(
    "combining",
    combiningState(sumFn(), { ttl: TTL }),
    (c, n) => c.add(n),
    (c) => c.read(),
    1,
    0,
  ),
  kind(
    "map",
    mapState<string, number>({ ttl: TTL }),
    (c, n) => c.put("n", n),
    (c) => [...c.entries()],
    [["n", 1]],
    [],
  ),
  kind(
    "set",
    setState<number>({ ttl: TTL }),
    (c, n) => void c.add(n),
    (c) => [...c.read()],
    [1],
    [],
  ),
  kind(
    "orderedList",
    orderedListState<number>({ ttl: TTL }),
    (c, n) => c.add(n, 0),
    (c) => c.read().map(({ value }) => value),
    [1],
    [],
  ),
];

type Command = "write" | "read";
const commands = (...steps: readonly (Command | number)[]) => {
  let script = testStream<KV<string, Command>>();
  for (const step of steps)
    script = typeof step === "number" ? script.advanceProcessingTime(step) : script.addElements(at(0, ["k", step]));
  return script.advanceWatermarkToInfinity();
};

/** What each `read` of the script found; the script's writes write 1. */
async function reads(cell: Kind, isAsync: boolean, ...steps: readonly (Command | number)[]): Promise<unknown[]> {
  const found: unknown[] = [];
  await runTest((p) => {
    const work = ([, command]: KV<string, Command>, state: { readonly cell: unknown }): void => {
      if (command === "write") cell.write(state.cell as never, 1);
      else found.push(cell.read(state.cell as never));
    };
    const specs = { cell: cell.spec };
    p.apply(commands(...steps)).parDo(
      isAsync
        ? {
            state: specs,
            async process(pair, { state }) {
              await turn();
              work(pair, state);
            },
          }
        : { state: specs, process: (pair, { state }) => work(pair, state) },
    );
  });
  return found;
}

describe.each([false, true])("async %s", (isAsync) => {
  test.each(KINDS)("$name: there until its TTL has passed, then empty", async (cell) => {
    expect(await reads(cell, isAsync, "write", TTL - 1, "read", 1, "read")).toEqual([cell.one, cell.empty]);
  });

  test("the last write counts", async () => {
    const [value] = KINDS as readonly [Kind];
    expect(await reads(value, isAsync, "write", 60, "write", 60, "read", 40, "read")).toEqual([1, undefined]);
  });

  test("reading does not renew it", async () => {
    const [value] = KINDS as readonly [Kind];
    expect(await reads(value, isAsync, "write", 60, "read", 60, "read")).toEqual([1, undefined]);
  });

  test("a key of which nothing is left is forgotten", async () => {
    const kept = await keysKept(isAsync, TTL, (state) => state.n.write(1));
    expect(kept).toEqual([0]);
    expect(await keysKept(isAsync, TTL - 1, (state) => state.n.write(1))).toEqual([1]);
  });

  test("a key whose cells are cleared is forgotten at once", async () => {
    const kept = await keysKept(isAsync, 1, (state) => {
      state.other.write(1);
      state.other.clear();
    });
    expect(kept).toEqual([0]);
  });
});

interface Cells {
  readonly n: ValueCell<number>;
  readonly other: ValueCell<number>;
}

/** How many keys the step keeps `afterMs` after `work` was done for one. */
async function keysKept(isAsync: boolean, afterMs: number, work: (state: Cells) => void): Promise<number[]> {
  const found: number[] = [];
  const program = pipeline({
    name: "kept",
    build(p) {
      const state = { n: valueState<number>({ ttl: TTL }), other: valueState<number>() };
      p.apply(commands("write", afterMs, "read"))
        .filter(([, command]) => {
          if (command === "read") found.push(job.metrics().steps.find(({ name }) => name === "Keep")?.keys ?? -1);
          return command === "write";
        })
        .parDo(
          "Keep",
          isAsync
            ? { state, process: async (_pair, context) => work(context.state) }
            : { state, process: (_pair, context) => work(context.state) },
        );
    },
  }) as Program;
  const job = run(program, {}, { clock: simulatedJobClock() });
  await job.wait();
  return found;
}

test("a call that fails does not renew it", async () => {
  await runTest((p) => {
    const script = testStream<KV<string, string>>()
      .addElements(at(0, ["k", "write"]))
      .advanceProcessingTime(60)
      .addElements(at(0, ["k", "fail"]))
      .advanceProcessingTime(60)
      .addElements(at(0, ["k", "read"]))
      .advanceWatermarkToInfinity();
    const found = p.apply(script).parDo({
      state: { n: valueState<number>({ ttl: TTL }) },
      outputs: { main: output<string>() },
      async process([, command], { state, output: put }) {
        await turn();
        if (command === "read") put(`found ${state.n.read()}`);
        else state.n.write(1);
        if (command === "fail") throw new Error("as asked");
      },
    });
    assertThat(found).containsInAnyOrder(["found undefined"]);
    assertThat(found.deadLetter().map(({ element: [, command] }) => command)).containsInAnyOrder(["fail"]);
  });
});
