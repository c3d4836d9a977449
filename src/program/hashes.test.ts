import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringCoder } from "../coders/index.ts";
import { bagState, valueState } from "../fn/state.ts";
import { eventTimer, processingTimer } from "../fn/timer.ts";
import type { PipelineGraph } from "../graph/graph.ts";
import { pipeline } from "../pipeline/program.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { windowInto } from "../transforms/index.ts";
import { afterCount, repeatedly } from "../windowing/triggers.ts";
import { fixedWindows } from "../windowing/window-fns.ts";
import { canonicalJson, firstDifference, graphHash, moduleHash, optionsHash, stepHashes } from "./hashes.ts";

const SEED = 20_261_123;

const graphOf = async (build: (p: Pipeline) => unknown, name = "job"): Promise<PipelineGraph> =>
  (await pipeline({ name, build: (p) => void build(p) }).build()).graph;

describe("the hash of the files", () => {
  const files = new Map([
    ["file:///home/a/job.ts", "11"],
    ["file:///home/lib/x.ts", "22"],
  ]);
  const hash = moduleHash(files, "file:///home/a/job.ts");

  test("H2: is the same in another folder and in any order of loading", () => {
    const elsewhere = new Map([
      ["file:///srv/lib/x.ts", "22"],
      ["file:///srv/a/job.ts", "11"],
    ]);
    expect(moduleHash(elsewhere, "file:///srv/a/job.ts")).toBe(hash);
  });

  test.each<[string, (readonly [string, string])[]]>([
    [
      "the text of a file",
      [
        ["file:///home/a/job.ts", "11"],
        ["file:///home/lib/x.ts", "23"],
      ],
    ],
    [
      "the name of a file",
      [
        ["file:///home/a/job.ts", "11"],
        ["file:///home/lib/y.ts", "22"],
      ],
    ],
    ["another file", [...files, ["file:///home/a/z.ts", "33"]]],
    ["a file less", [["file:///home/a/job.ts", "11"]]],
  ])("is altered by %s", (_, changed) => {
    expect(moduleHash(new Map(changed), "file:///home/a/job.ts")).not.toBe(hash);
  });
});

describe("the hash of the options", () => {
  test("H2: the order of properties, and those that are undefined, do not count", () => {
    const permuted = fc
      .dictionary(fc.string(), fc.jsonValue())
      .chain((object) =>
        fc.tuple(
          fc.constant(object),
          fc.shuffledSubarray(Object.entries(object), { minLength: Object.keys(object).length }),
        ),
      );
    fc.assert(
      fc.property(permuted, ([object, entries]) => {
        expect(optionsHash({ ...Object.fromEntries(entries), ...noValue(object) })).toBe(optionsHash(object));
      }),
      { seed: SEED },
    );
    expect(optionsHash(undefined)).toBe(optionsHash({}));
  });

  /** A property that is there and undefined, under a name that is free. */
  function noValue(object: object): object {
    return { [`${Object.keys(object).join("")}x`]: undefined };
  }

  test("canonical JSON is JSON of the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: SEED },
    );
  });

  test.each([
    [{ every: 5 }, { every: 6 }],
    [{ every: 5 }, { every: "5" }],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: null }, {}],
  ])("%j and %j differ", (a, b) => {
    expect(optionsHash(a)).not.toBe(optionsHash(b));
  });

  test.each([[{ n: 1n }], [{ f: () => {} }], [{ n: Number.NaN }], [[Symbol("s")]]])(
    "OPTIONS_INVALID: %o is not JSON",
    (options) => {
      expect(() => optionsHash(options)).toThrow(expect.objectContaining({ code: "OPTIONS_INVALID" }) as Error);
    },
  );
});

describe("the hash of the graph", () => {
  const build = (p: Pipeline) => p.create("Words", ["a"]).map("Upper", (word) => word.toUpperCase());

  test("is the same for each build", async () => {
    expect(graphHash(await graphOf(build))).toBe(graphHash(await graphOf(build)));
  });

  test("H3: what a function does, and what values a source holds, is not its matter", async () => {
    const other = await graphOf((p) => p.create("Words", ["b", "c"]).map("Upper", (word) => word + "!"));
    expect(graphHash(other)).toBe(graphHash(await graphOf(build)));
  });

  test.each<[string, string, (p: Pipeline) => unknown]>([
    ["a step's name", "Louder", (p) => p.create("Words", ["a"]).map("Louder", (word) => word.toUpperCase())],
    ["a step's kind", "Upper", (p) => p.create("Words", ["a"]).flatMap("Upper", (word) => [word])],
    [
      "a function's name",
      "Upper",
      (p) =>
        p.create("Words", ["a"]).map("Upper", function upper(word) {
          return word;
        }),
    ],
    ["a call option", "Upper", (p) => p.create("Words", ["a"]).map("Upper", async (word) => word, { timeout: 5 })],
    ["a coder", "Words", (p) => p.create("Words", ["a"], { coder: stringCoder }).map("Upper", (word) => word)],
    ["one step more", "More", (p) => build(p).map("More", (word) => word)],
    ["a step less", "Upper", (p) => p.create("Words", ["a"])],
  ])("is altered by %s, and the first step that differs is named", async (_, step, change) => {
    const [mine, theirs] = [await graphOf(build), await graphOf(change)];
    expect(graphHash(theirs)).not.toBe(graphHash(mine));
    expect(firstDifference(stepHashes(theirs), stepHashes(mine))).toBe(step);
  });

  test("of windows, triggers and lateness", async () => {
    const windowed = (size: number, options?: object): Promise<PipelineGraph> =>
      graphOf((p) => p.create("Words", ["a"]).apply("In", windowInto(fixedWindows(size), options)));
    const graphs = [
      await windowed(5),
      await windowed(6),
      await windowed(5, { allowedLateness: 1 }),
      await windowed(5, { accumulation: "accumulating" }),
      await windowed(5, { trigger: repeatedly(afterCount(1)) }),
      await windowed(5, { trigger: repeatedly(afterCount(2)) }),
    ];
    expect(new Set(graphs.map(graphHash)).size).toBe(graphs.length);
  });

  test("of state and timers", async () => {
    const stateful = (doFn: object): Promise<PipelineGraph> =>
      graphOf((p) =>
        p.create("Pairs", [["a", 1]] as [string, number][]).parDo("Keep", { process() {}, ...doFn } as never),
      );
    const graphs = [
      await stateful({ state: { seen: valueState() } }),
      await stateful({ state: { seen: bagState() } }),
      await stateful({ state: { known: valueState() } }),
      await stateful({ state: { seen: valueState({ coder: stringCoder }) } }),
      await stateful({ state: { seen: valueState() }, timers: { end: eventTimer() }, onTimer: { end() {} } }),
      await stateful({ state: { seen: valueState() }, timers: { end: processingTimer() }, onTimer: { end() {} } }),
    ];
    expect(new Set(graphs.map(graphHash)).size).toBe(graphs.length);
  });

  test("two equal graphs differ nowhere", async () => {
    expect(firstDifference(stepHashes(await graphOf(build)), stepHashes(await graphOf(build)))).toBeUndefined();
  });
});

test("H1: a change of one part alters one hash", async () => {
  const adding = (bonus: number): Promise<PipelineGraph> =>
    graphOf((p) => p.create("N", [1]).map("Add", (n) => n + bonus));
  const hashesOf = (fileHash: string, options: unknown, graph: PipelineGraph): readonly string[] => [
    moduleHash(new Map([["file:///job.ts", fileHash]]), "file:///job.ts"),
    optionsHash(options),
    graphHash(graph),
  ];
  const base = hashesOf("11", { bonus: 1 }, await adding(1));
  const altered = (fileHash: string, options: unknown, graph: PipelineGraph): readonly boolean[] =>
    hashesOf(fileHash, options, graph).map((hash, i) => hash !== base[i]);
  expect(altered("12", { bonus: 1 }, await adding(2))).toEqual([true, false, false]);
  expect(altered("11", { bonus: 2 }, await adding(2))).toEqual([false, true, false]);
  expect(altered("11", { bonus: 1 }, await graphOf((p) => p.create("N", [1])))).toEqual([false, false, true]);
});
