/** The figures of each stage: what came in, what went on, what was dropped and why. */
import { fixedWindows, type KV, prometheusText, slidingWindows, sumFn } from "tidemark";
import { at, runTest, testStream } from "tidemark/testing";
import { expect, test } from "vitest";

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
  expect(metrics.steps.map(({ droppedBy }) => droppedBy)).toEqual([{ gap: 1 }]);
});
