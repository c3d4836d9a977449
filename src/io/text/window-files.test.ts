import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  afterCount,
  afterWatermark,
  fixedWindows,
  IntervalWindow,
  type KV,
  minutes,
  ndjson,
  type Pipeline,
  pipeline,
  type Program,
  run,
  seconds,
  sessions,
  type Sink,
  text,
} from "tidemark";
import { at, checkSink, runTest, simulate, testStream } from "tidemark/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../../../test/validates-runner/failure.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-windows-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const filesIn = (place: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(folder, place))
      .toSorted()
      .map((name) => [name, readFileSync(join(folder, place, name), "utf8")]),
  );

const words = testStream<string>()
  .addElements(at(1000, "a"), at(2000, "b"), at(61_000, "c"))
  .advanceWatermarkTo(minutes(1))
  .advanceWatermarkTo(minutes(3))
  .addElements(at(3000, "late"))
  .advanceWatermarkToInfinity();

test("a file for each window, with its header, under its times", async () => {
  await runTest((p) =>
    p
      .apply(words)
      .windowInto(fixedWindows(minutes(1)))
      .apply(text.writeWindows(join(folder, "out/{start}_{end}.txt"), { header: "word" })),
  );
  expect(filesIn("out")).toEqual({
    "1970-01-01T00-00-00.000Z_1970-01-01T00-01-00.000Z.txt": "word\na\nb\n",
    "1970-01-01T00-01-00.000Z_1970-01-01T00-02-00.000Z.txt": "word\nc\n",
  });
});

describe("panes", () => {
  const panes = (accumulation: "accumulating" | "discarding", pattern: string) => (p: Pipeline) =>
    p
      .apply(words)
      .windowInto(fixedWindows(minutes(1)), {
        trigger: afterWatermark({ late: afterCount(1) }),
        accumulation,
        allowedLateness: minutes(10),
      })
      .map((word) => ({ word }))
      .apply(ndjson.writeWindows(join(folder, pattern)));

  test("discarding: a file for each", async () => {
    await runTest(panes("discarding", "out/{start}-{pane}.ndjson"));
    expect(filesIn("out")).toEqual({
      "1970-01-01T00-00-00.000Z-0.ndjson": '{"word":"a"}\n{"word":"b"}\n',
      "1970-01-01T00-00-00.000Z-1.ndjson": '{"word":"late"}\n',
      "1970-01-01T00-01-00.000Z-0.ndjson": '{"word":"c"}\n',
    });
  });

  test("accumulating: the last one replaces those before it", async () => {
    await runTest(panes("accumulating", "out/{start}.ndjson"));
    expect(filesIn("out")["1970-01-01T00-00-00.000Z.ndjson"]).toBe('{"word":"a"}\n{"word":"b"}\n{"word":"late"}\n');
  });

  test("discarding into one name is refused, as are names that do not tell windows apart, or are none", async () => {
    for (const [pattern, why] of [
      ["out/{start}.txt", "would replace a pane by the next one"],
      ["out/{pane}.txt", "would write all windows into one file"],
      ["out/{begin}-{pane}.txt", "knows no {begin}"],
      ["", 'is given ""'],
    ] as const) {
      const error = await failureOf((p) => {
        const lines = p.apply(words).windowInto(fixedWindows(minutes(1)), {
          trigger: afterWatermark({ late: afterCount(1) }),
          accumulation: "discarding",
          allowedLateness: minutes(10),
        });
        lines.apply(text.writeWindows(pattern));
      });
      expect(error.code).toBe("TRANSFORM_INVALID");
      expect(error.what).toContain(why);
    }
  });
});

test("windows that merge are written as what they have become; ids are names of one file", async () => {
  await runTest((p) =>
    p
      .createTimestamped([at(0, "a"), at(5000, "b"), at(60_000, "c")])
      .windowInto(sessions(seconds(10)))
      .apply(text.writeWindows(join(folder, "out/{window}.txt"))),
  );
  expect(filesIn("out")).toEqual({ "0%3A15000.txt": "a\nb\n", "60000%3A70000.txt": "c\n" });
});

/** The sink behind it, as a program has it. */
async function sinkOf(pattern: string): Promise<Sink<KV<null, readonly string[]>>> {
  const program = pipeline({
    name: "files",
    build: (p) => p.create(["a"]).windowInto(fixedWindows(1000)).apply(text.writeWindows(pattern)),
  }) as Program;
  const { graph } = await program.build({});
  const spec = graph.steps.map((step) => step.spec).find(({ kind }) => kind === "write");
  return (spec as { sink: Sink<KV<null, readonly string[]>> }).sink;
}

test("keeps the contract of sinks through crashes at every point", async () => {
  const sinks = await Promise.all(
    Array.from({ length: 16 }, (_, play) => sinkOf(join(folder, `${play}/{pane}-{start}.txt`))),
  );
  const values = [0, 1, 2, 3, 4, 5].map((n): KV<null, readonly string[]> => [null, [String(n)]]);
  let pane = 0;
  await checkSink({
    // Each element is a pane of its own, which its value names: written again it has the same name.
    sink: (play) => {
      const inner = sinks[play] as Sink<KV<null, readonly string[]>>;
      return {
        name: "files",
        async open(job) {
          const writer = await inner.open(job);
          return {
            ...bound(writer),
            write: (value, meta) => {
              pane = Number(value[1][0]);
              const at1 = { ...meta.pane, index: pane };
              return writer.write(value, { ...meta, windows: [new IntervalWindow(0, 1000)], pane: at1 });
            },
          };
        },
      };
    },
    values,
    visible: (play) => {
      mkdirSync(join(folder, String(play)), { recursive: true });
      return Object.values(filesIn(String(play))).map((line): KV<null, readonly string[]> => [null, [line.trim()]]);
    },
  });
});

function bound<T extends object>(writer: T): T {
  const methods = ["flush", "seal", "commit", "lastCommitted", "close"] as const;
  return Object.fromEntries(
    methods.map((name) => [name, (...args: unknown[]) => (writer as Record<string, Function>)[name]?.(...args)]),
  ) as T;
}

test("a job that is stopped and started again writes each file once more or not, and always whole", async () => {
  const program = pipeline({
    name: "restarted",
    build: (p) =>
      p
        .create("Numbers", [1, 2, 3, 4, 5], { timestamps: (n: number) => n * 1000 })
        .windowInto(fixedWindows(seconds(2)))
        .map(String)
        .apply("Files", text.writeWindows(join(folder, "out/{start}.txt"))),
  }) as Program;
  const { written } = await simulate(program, { seed: 5, faults: { crash: 0.05 } });
  expect(written("Files/Write").map(String).toSorted()).toEqual([",1", ",2,3", ",4,5"]);
  await run(program, {}, { checkpoint: { dir: join(folder, "state") } }).wait();
  expect(Object.values(filesIn("out"))).toEqual(["1\n", "2\n3\n", "4\n5\n"]);
});
