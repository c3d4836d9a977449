/** `MetricsTest`: what user code counts, without checkpoints counted once for each call. */
import { countPerKey, type KV } from "tidemark";
import { runTest } from "tidemark/testing";
import { expect, test } from "vitest";

test.each([
  ["plain", { encoded: false }],
  ["encoded", { encoded: true }],
  ["bundles cut", { encoded: false, bundleSeed: 7 }],
] as const)("MetricsTest.test{Committed,Attempted}{Counter,Distribution,Gauge}Metrics (%s)", async (_mode, options) => {
  const { user } = await runTest((p) => {
    const counted = p
      .create("Numbers", [5, 8, 13])
      .map("Step 1", (n, { metrics }): KV<string, number> => {
        metrics.counter("count").inc();
        metrics.distribution("input").update(n);
        metrics.gauge("my-gauge").set(12);
        return ["all", n];
      })
      .apply(countPerKey());
    counted.parDo("Step 2", {
      process([, n], { metrics }) {
        metrics.counter("count").inc(n);
        metrics.gauge("my-gauge").set(15);
      },
    });
  }, options);
  expect(user).toEqual([
    { step: "Step 1", name: "count", kind: "counter", value: 3 },
    { step: "Step 1", name: "input", kind: "distribution", count: 3, sum: 26, min: 5, max: 13 },
    { step: "Step 1", name: "my-gauge", kind: "gauge", value: 12 },
    { step: "Step 2", name: "count", kind: "counter", value: 3 },
    { step: "Step 2", name: "my-gauge", kind: "gauge", value: 15 },
  ]);
});
