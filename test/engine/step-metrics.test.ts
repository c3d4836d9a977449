/** The figures of each step: what came in, what went on, what was dropped and why. */
import {
  fixedWindows,
  flatten,
  type JobMetrics,
  type KV,
  output,
  partition,
  type Pipeline,
  prometheusText,
  run,
  slidingWindows,
  type StepMetrics,
  sumFn,
  valueState,
} from "tidemark";
import { at, runTest, testStream } from "tidemark/testing";
import { expect, test } from "vitest";
import { endless, program } from "./kit.ts";

test("elements in and out, also where a collection goes to several stages; drops by reason", async () => {
  const metrics = await runTest(
    (p) => {
      const pairs = p
        .apply(
          "Pairs",
          testStream<KV<string, number>>()
            .addElements(at(1, ["a", 1]), at(2, ["b", 1]), at(3, ["a", 1]))
            .advanceWatermarkTo(100)
            .addElements(at(4, ["late", 1]), at(5, ["late", 1]))
            .advanceWatermarkToInfinity(),
        )
        .windowInto("Tens", fixedWindows(10));
      pairs.combinePerKey("Sum", sumFn()).reshuffle("Again");
      pairs.groupByKey("Group");
    },
    { encoded: false },
  );
  const of = (name: string) => metrics.steps.find((step) => step.name === name);
  expect(of("Pairs")).toMatchObject({ elementsIn: 5, elementsOut: 5, dropped: 0, droppedBy: {} });
  expect(of("Sum")).toMatchObject({ elementsIn: 5, dropped: 2, droppedBy: { expired: 2 } });
  expect(of("Group")).toMatchObject({ elementsIn: 5, dropped: 2, droppedBy: { expired: 2 } });
  expect(metrics.dropped).toBe(4);
  expect(prometheusText("j", metrics)).toContain(
    'tidemark_step_dropped_total{job="j",step="Sum",reason="expired"} 2\n',
  );
  expect(prometheusText("j", metrics)).toContain('tidemark_step_elements_out_total{job="j",step="Pairs"} 5\n');
});

test("elements between two windows are dropped for that reason", async () => {
  const metrics = await runTest((p) => {
    p.create("Numbers", [1, 7], { timestamps: (n) => n })
      .windowInto("Gaps", slidingWindows({ size: 5, every: 10 }))
      .map((n) => n);
  });
  expect(
    metrics.steps.map(({ name, elementsIn, elementsOut, droppedBy }) => [name, elementsIn, elementsOut, droppedBy]),
  ).toEqual([
    ["Numbers", 2, 2, {}],
    ["Gaps", 2, 1, { gap: 1 }],
    ["Map", 1, 1, {}],
  ]);
});

const through = (metrics: JobMetrics, name: string): readonly [number, number] | undefined => {
  const found = metrics.steps.find((step) => step.name === name);
  return found && [found.elementsIn, found.elementsOut];
};

/** Every kind of step that puts out more or less than comes in, two that do not between them. */
function build(p: Pipeline): void {
  const numbers = p.create("Numbers", [1, 2, 3, 4], { timestamps: (n) => n });
  const some = numbers
    .map("Same", (n) => n)
    .filter("Odd", (n) => n % 2 === 1)
    .flatMap("Twice", (n) => [n, n]);
  const [small, large] = some.apply(
    "Parts",
    partition(2, (n) => (n < 2 ? 0 : 1)),
  );
  flatten("Both", [small, large])
    .windowInto("Pairs of windows", slidingWindows({ size: 10, every: 5 }))
    .map("By window", (n, { window }): KV<string, number> => [window.id, n])
    .combinePerKey("Sum", sumFn())
    .parDo("Out", {
      outputs: { main: output<number>(), other: output<number>() },
      process([, sum], { output, outputTo }) {
        output(sum);
        outputTo("other", sum);
      },
    });
  numbers
    .map("May fail", (n) => {
      if (n === 4) throw new Error("four");
      return n;
    })
    .deadLetter();
}

const EXPECTED = {
  Numbers: [4, 4],
  Same: [4, 4],
  Odd: [4, 2],
  Twice: [2, 4],
  Parts: [4, 4],
  Both: [4, 4],
  "Pairs of windows": [4, 4],
  "By window": [4, 8],
  Sum: [8, 2],
  Out: [2, 4],
  "May fail": [4, 4],
};

test.each([true, false])("what comes in and goes out of each step, fused or not (encoded: %s)", async (encoded) => {
  const metrics = await runTest(build, { encoded });
  const found = Object.fromEntries(Object.keys(EXPECTED).map((name) => [name, through(metrics, name)]));
  expect(found).toEqual(EXPECTED);
});

test("busy time goes to the stage that worked, and what is kept is weighed", async () => {
  const big = "x".repeat(1000);
  const job = run(
    program("busy", (p) => {
      const pairs = p.read("Numbers", endless({ until: 20_000 })).map((n): KV<number, string> => [n % 100, big]);
      pairs.groupByKey("Group").map("Slow", ([key]) => {
        for (let i = 0; i < 1e5; i++) Math.sqrt(i);
        return key;
      });
      pairs.parDo("Keep", {
        state: { last: valueState<string>() },
        process([, text], { state }) {
          state.last.write(text);
          if (mostKept === 0) mostKept = job.metrics().steps.find(({ name }) => name === "Keep")?.stateBytes ?? 0;
        },
      });
    }),
  );
  let mostKept = 0;
  const { steps } = await job.wait();
  const of = (name: string) => steps.find((step) => step.name === name) as StepMetrics;
  expect(mostKept).toBeGreaterThan(1000);
  expect(mostKept).toBeLessThan(1100);
  expect(of("Slow")).toMatchObject({ stage: "Group", elementsIn: 100, busyMs: 0 });
  // How long each took is the clock's business.
  for (const name of ["Numbers", "Group"]) expect(of(name).busyMs).toBeGreaterThan(0);
});
