/** A job goes on from the checkpoints of an earlier version of its program: what fits is kept, what would be lost is refused. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bagState,
  combinePerKey,
  combiningState,
  eventTime,
  fixedWindows,
  isTidemarkError,
  type KV,
  mapState,
  migration,
  orderedListState,
  type PCollection,
  type Pipeline,
  pipeline,
  type ProgramDefinition,
  type Program,
  run,
  setState,
  type StateSpec,
  sumFn,
  text,
  type ValueCell,
  valueState,
  varintCoder,
  withKeys,
} from "tidemark";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { begun, pacedNumbers } from "./paced-numbers.ts";
import { savepoint } from "./savepoint-command.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-upgrade-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const inFolder = (name: string): string => join(folder, name);

const TOTAL = 400;
const HALF = 200;
const KEYS = 7;
const progress = begun();

type Keyed = PCollection<KV<number, number>>;

/** The numbers up to TOTAL by key, through `body`, into a file. */
function version(body: (keyed: Keyed) => PCollection<string>, more: Partial<ProgramDefinition<never>> = {}): Program {
  return pipeline({
    name: "versions",
    ...more,
    build(p: Pipeline) {
      const keyed = p
        .read("Numbers", pacedNumbers(TOTAL, progress, 10), { timestamps: eventTime((n: number) => n) })
        .windowInto(fixedWindows(TOTAL))
        .apply(
          "ByKey",
          withKeys((n: number) => n % KEYS),
        );
      body(keyed).apply(text.write(inFolder("out.txt")));
    },
  } as ProgramDefinition<never>) as Program;
}

/** Runs a version until half of the numbers have been read, and stops it. */
async function half(program: Program, stateMemory: number): Promise<void> {
  progress.read = 0;
  const job = run(program, {}, { checkpoint: { dir: inFolder("state"), everyMs: 1, stateMemory } });
  while (progress.read < HALF) await new Promise((resolve) => setImmediate(resolve));
  await job.stop();
}

/** Goes on to the end with another version. @returns the lines that were written, sorted */
async function rest(
  program: Program,
  options: { readonly stateMemory?: number; readonly allowDroppedState?: readonly string[] } = {},
): Promise<readonly string[]> {
  await run(
    program,
    {},
    { checkpoint: { dir: inFolder("state"), everyMs: 1, ...options }, onWarning: () => {} },
  ).wait();
  return readFileSync(inFolder("out.txt"), "utf8").trimEnd().split("\n").toSorted();
}

const numbersOf = (key: number, from = 0): readonly number[] =>
  Array.from({ length: TOTAL }, (_, n) => n).filter((n) => n >= from && n % KEYS === key);
const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
/** How many numbers the first version had read when it was stopped. */
let readBefore = 0;
const perKey = (line: (key: number) => string): readonly string[] =>
  Array.from({ length: KEYS }, (_, key) => line(key)).toSorted();

/** Sums by key in a cell `sum`. */
const sums =
  (name: string) =>
  (keyed: Keyed): PCollection<string> =>
    keyed.parDo(name, {
      state: { sum: valueState<number>() },
      process([, n], { state: { sum } }) {
        sum.write((sum.read() ?? 0) + n);
      },
      onWindowExpiration: ({ key, state: { sum } }) => [`${key} ${sum.read()}`],
    });

const memories = describe.each([
  ["in memory", 512 * 1024 * 1024],
  ["as rows", 0],
]);

memories("what a step has kept (%s)", (_, stateMemory) => {
  async function firstHalf(program: Program): Promise<void> {
    await half(program, stateMemory);
    readBefore = progress.safe;
  }

  test("is kept under a new name that transformNameMapping gives", async () => {
    await firstHalf(version(sums("Sum")));
    const renamed = version((keyed) => keyed.apply("Totals", (all: Keyed) => sums("Each")(all)), {
      transformNameMapping: { Sum: "Totals/Each", "Former/Each": "Totals/Each" },
    });
    expect(await savepoint(["check", "p.ts", inFolder("state")], renamed)).not.toContain("Sum");
    expect(await rest(renamed, { stateMemory })).toEqual(perKey((key) => `${key} ${total(numbersOf(key))}`));
  });

  test("is kept where another cell is added, and where a value's type has a migration", async () => {
    await firstHalf(version(sums("Sum")));
    const now = version((keyed) =>
      keyed.parDo("Sum", {
        state: {
          more: bagState<number>(),
          sum: valueState<{ sum: number }>({ version: 2, migrate: migration(1, (sum: number) => ({ sum })) }),
        },
        process([, n], { state: { sum, more } }) {
          sum.write({ sum: (sum.read()?.sum ?? 0) + n });
          more.add(n);
        },
        onWindowExpiration: ({ key, state: { sum, more } }) => [`${key} ${sum.read()?.sum} ${more.read().length}`],
      }),
    );
    const told = await savepoint(["check", "p.ts", inFolder("state")], now);
    expect(told).toContain('step "Sum": cell "more" is new: bag<value>');
    expect(told).toContain('step "Sum": cell "sum" becomes value<value> version 2: it was value<value>');
    const before = readBefore;
    expect(await rest(now, { stateMemory })).toEqual(
      perKey((key) => `${key} ${total(numbersOf(key))} ${numbersOf(key, before).length}`),
    );
  });

  test("is refused to be lost with a cell, with the list, and lost where it may be", async () => {
    await firstHalf(version(threeCells));
    const without = version((keyed) =>
      keyed.parDo("Sum", {
        state: { kept: valueState<number>() },
        process([, n], { state: { kept } }) {
          kept.write((kept.read() ?? 0) + n);
        },
        onWindowExpiration: ({ key, state: { kept } }) => [`${key} ${kept.read()}`],
      }),
    );
    await expect(savepoint(["check", "p.ts", inFolder("state")], without)).rejects.toThrow(/CHECKPOINT_INCOMPATIBLE/);
    const error: unknown = await rest(without, { stateMemory }).catch((reason: unknown) => reason);
    if (!isTidemarkError(error, "CHECKPOINT_INCOMPATIBLE")) throw error;
    expect(error.what).toContain('step "Sum": cell "all" is not there any more: it was bag<value>');
    expect(error.what).toContain('step "Sum": cell "coded" is not there any more: it was value<varint>');
    expect(error.fix).toContain('--allow-dropped-state "Sum"');
    expect(await rest(without, { stateMemory, allowDroppedState: ["Sum"] })).toEqual(
      perKey((key) => `${key} ${total(numbersOf(key))}`),
    );
  });

  test("of a step that is gone, or keeps something else, is refused to be lost; then the step begins anew", async () => {
    await firstHalf(version(sums("Sum")));
    const other = version((keyed) => keyed.apply("Sum", combinePerKey(sumFn())).map(([key, sum]) => `${key} ${sum}`));
    const error: unknown = await rest(other, { stateMemory }).catch((reason: unknown) => reason);
    if (!isTidemarkError(error, "CHECKPOINT_INCOMPATIBLE")) throw error;
    expect(error.what).toContain('step "Sum" kept state(canonical, fixed) {sum: value<value>}, and keeps window(');
    const before = readBefore;
    expect(await rest(other, { stateMemory, allowDroppedState: ["Sum"] })).toEqual(
      perKey((key) => `${key} ${total(numbersOf(key, before))}`),
    );
  });
});

/** Of which one has a coder of its own. */
function threeCells(keyed: Keyed): PCollection<string> {
  return keyed.parDo("Sum", {
    state: { all: bagState<number>(), coded: valueState<number>({ coder: varintCoder }), kept: valueState<number>() },
    process([, n], { state }) {
      state.kept.write((state.kept.read() ?? 0) + n);
      state.all.add(n);
      state.coded.write(n);
    },
    onWindowExpiration: ({ key, state }) => [`${key} ${state.kept.read()} ${state.coded.read()}`],
  });
}

test("every kind of cell goes through its migration", async () => {
  const named = (n: number): string => `n${n}`;
  const options = { version: 2, migrate: migration(1, named) };
  await half(
    version((keyed) =>
      keyed.parDo("Cells", {
        state: {
          value: valueState<number>({ coder: varintCoder }),
          bag: bagState<number>(),
          map: mapState<string, number>(),
          set: setState<number>(),
          list: orderedListState<number>(),
          sum: combiningState(sumFn()),
        },
        process([, n], { state }) {
          if (n >= KEYS) return;
          state.value.write(n);
          state.bag.add(n);
          state.map.put(`k${n}`, n);
          state.set.add(n);
          state.list.add(n, 5);
          state.sum.add(n);
        },
        onWindowExpiration: ({ state }) => [String(state.value.read())],
      }),
    ),
    0,
  );
  const now = version((keyed) =>
    keyed.parDo("Cells", {
      state: {
        value: valueState<string>({ version: 2, migrate: migration(1, named, { coder: varintCoder }) }),
        bag: bagState<string>(options),
        map: mapState<string, string>(options),
        set: setState<string>(options),
        list: orderedListState<string>(options),
        sum: combiningState(sumFn(), {
          version: 3,
          migrate: [migration(2, Number), migration(1, (n: number) => n * 10)],
        }),
      },
      process() {},
      onWindowExpiration: ({ key, state: { value, bag, map, set, list, sum } }) => [
        JSON.stringify([key, value.read(), bag.read(), [...map.entries()], [...set.read()], list.read(), sum.read()]),
      ],
    }),
  );
  expect(await rest(now)).toEqual(
    perKey((n) => {
      const name = named(n);
      return JSON.stringify([n, name, [name], [[`k${n}`, name]], [name], [{ timestamp: 5, value: name }], n * 10]);
    }),
  );
});

test("a cell that was given up for a while is empty when it is there again, also of keys that have not changed meanwhile", async () => {
  const cells = (withTwice: boolean): Program =>
    version((keyed) =>
      keyed.parDo("Cells", {
        state: { once: valueState<number>(), ...(withTwice && { twice: valueState<number>() }) } as {
          once: StateSpec<ValueCell<number>>;
          twice: StateSpec<ValueCell<number>>;
        },
        process([, n], { state }) {
          if (n >= KEYS) return;
          state.once.write(n);
          if (withTwice) state.twice.write(n);
        },
        onWindowExpiration: ({ key, state: { once, twice } }) => [`${key} ${once.read()} ${twice?.read()}`],
      }),
    );
  await half(cells(true), 0);
  const job = run(
    cells(false),
    {},
    { checkpoint: { dir: inFolder("state"), everyMs: 1, allowDroppedState: ["Cells"] } },
  );
  while (progress.read < HALF + 50) await new Promise((resolve) => setImmediate(resolve));
  await job.stop();
  expect(await savepoint(["check", "p.ts", inFolder("state")], cells(true))).toContain('cell "twice" is new');
  expect(await rest(cells(true))).toEqual(perKey((key) => `${key} ${key} undefined`));
});

test("a migration that throws is told with the value, the step and what to do", async () => {
  await half(version(sums("Sum")), 0);
  const fails = version((keyed) =>
    keyed.parDo("Sum", {
      state: {
        sum: valueState<string>({
          version: 2,
          migrate: migration(1, () => {
            throw new Error("no idea");
          }),
        }),
      },
      process(_, { state: { sum } }) {
        sum.read();
      },
      onWindowExpiration: () => ["never"],
    }),
  );
  const error: unknown = await rest(fails).catch((reason: unknown) => reason);
  if (!isTidemarkError(error, "CHECKPOINT_INCOMPATIBLE")) throw error;
  expect(error.what).toContain("the migration from version 1 of a cell threw Error: no idea");
  expect(error.context.element).toMatch(/^\d+$/);
});

describe("refused, with what to do", () => {
  test.each<[string, Program, readonly string[], string, RegExp]>([
    [
      "a new name that no step has",
      version(sums("Total"), { transformNameMapping: { Sum: "Totals" } }),
      [],
      "STEP_UNKNOWN",
      /did you mean "Total"/,
    ],
    [
      "a step whose state may be lost, and that there is not",
      version(sums("Sum")),
      ["Summ"],
      "STEP_UNKNOWN",
      /did you mean "Sum"/,
    ],
  ])("%s", async (_name, program, allowDroppedState, code, fix) => {
    await half(version(sums("Sum")), 0);
    const error: unknown = await rest(program, { allowDroppedState }).catch((reason: unknown) => reason);
    if (!isTidemarkError(error)) throw error;
    expect(error.code).toBe(code);
    expect(error.fix).toMatch(fix);
  });

  test("a step's new name where the checkpoint has one of that name too", async () => {
    const both = version((keyed) => {
      sums("First")(keyed).apply("Away", text.write(inFolder("away.txt")));
      return sums("Second")(keyed);
    });
    await half(both, 0);
    const error: unknown = await rest(version(sums("Second"), { transformNameMapping: { First: "Second" } })).catch(
      (reason: unknown) => reason,
    );
    if (!isTidemarkError(error, "CHECKPOINT_INCOMPATIBLE")) throw error;
    expect(error.what).toContain('"First" is called "Second" now, and the checkpoint has both');
  });

  test.each<[string, () => unknown]>([
    ["a version below 1", () => valueState({ version: 0 })],
    ["a version that is no whole number", () => valueState({ version: 1.5 })],
    ["a migration from the version that it has", () => valueState({ version: 2, migrate: migration(2, Number) })],
    [
      "two migrations from one version",
      () => valueState({ version: 3, migrate: [migration(1, Number), migration(1, Number)] }),
    ],
  ])("STATE_INVALID: %s", (_name, declare) => {
    expect(declare).toThrow(/STATE_INVALID/);
  });
});

test("show prints what a step has kept, diff how two folders differ", async () => {
  await half(version(threeCells), 0);
  cpSync(inFolder("state"), inFolder("before"), { recursive: true });
  const all = await savepoint(["show", inFolder("before")]);
  expect(all).toMatch(/Numbers: watermark \S+ in, \S+ out\n {4}read up to \{.*"position":\d+/);
  expect(all).toContain("keeps state(canonical, fixed) {all: bag<value>, coded: value<varint>, kept: value<value>}");
  const shown = await savepoint(["show", inFolder("before"), "--step", "Sum", "--key", "3"]);
  const sum = Number(/kept (\d+)/.exec(shown)?.[1]);
  expect(shown).toContain("key 3 in [0,400]: all [3,10,17,24,");
  expect(shown).toContain('coded {"bytes":');
  expect((await savepoint(["show", inFolder("before"), "--step", "Sum", "--limit", "2"])).split("\n").at(-2)).toBe(
    "  and 5 more: --limit 7 shows all",
  );
  await expect(savepoint(["show", inFolder("before"), "--step", "Sun"])).rejects.toThrow(/STEP_UNKNOWN/);

  const job = run(version(threeCells), {}, { checkpoint: { dir: inFolder("state"), everyMs: 1 } });
  while (progress.read < HALF + 50) await new Promise((resolve) => setImmediate(resolve));
  await job.stop();
  const changed = await savepoint(["diff", inFolder("before"), inFolder("state")]);
  expect(changed).toMatch(/^Sum: 0 new, 0 gone, 7 changed, 0 the same\n/);
  expect(changed).toContain(`kept ${sum}`);
  expect(await savepoint(["diff", inFolder("before"), inFolder("before")])).toBe("no difference\n");
  const [facts] = JSON.parse(await savepoint(["diff", "--json", inFolder("before"), inFolder("state")])) as [
    { step: string; changed: number; first: unknown[] },
  ];
  expect(facts).toMatchObject({ step: "Sum", changed: 7 });
  expect(facts.first.length).toBe(7);
});
