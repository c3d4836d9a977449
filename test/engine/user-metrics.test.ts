/** Metrics that user code keeps: `context.metrics`, read from `job.metrics().user`. */
import { fixedWindows, type KV, type Metrics, type Pipeline, seconds, valueState } from "tidemark";
import { at, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

test("counters, gauges and distributions have step, name and value; what has none is left out", async () => {
  const { user } = await runTest((p) => {
    p.create("Numbers", [3, 1, 2])
      .map("Look", (n, { metrics }) => {
        metrics.counter("seen").inc();
        metrics.counter("sum").inc(n);
        metrics.gauge("newest").set(n);
        metrics.distribution("size").update(n);
        metrics.counter("never");
        metrics.gauge("never set");
        metrics.distribution("of nothing");
        return n;
      })
      .filter("Odd", (n, { metrics: { counter } }) => {
        if (n % 2 === 0) counter("even").inc();
        return n % 2 === 1;
      });
  });
  expect(user).toEqual([
    { step: "Look", name: "seen", kind: "counter", value: 3 },
    { step: "Look", name: "sum", kind: "counter", value: 6 },
    { step: "Look", name: "newest", kind: "gauge", value: 2 },
    { step: "Look", name: "size", kind: "distribution", count: 3, sum: 6, min: 1, max: 3 },
    { step: "Look", name: "never", kind: "counter", value: 0 },
    { step: "Odd", name: "even", kind: "counter", value: 1 },
  ]);
});

test("every method of a DoFn has them: setup asks once, bundles, timers and expiry share them", async () => {
  const told: string[] = [];
  const { user } = await runTest((p) => {
    let calls: ReturnType<Metrics["counter"]>;
    const count = (method: string, { metrics }: { readonly metrics: Metrics }): void => {
      told.push(method);
      metrics.counter("calls").inc();
    };
    const pairs = testStream<KV<string, number>>()
      .addElements(at(1, ["k", 1]))
      .advanceWatermarkToInfinity();
    p.apply(pairs)
      .windowInto(fixedWindows(seconds(1)))
      .parDo("All", {
        state: { n: valueState<number>() },
        setup(context) {
          calls = context.metrics.counter("calls");
          count("setup", context);
        },
        startBundle: (context) => count("startBundle", context),
        process(_pair, context) {
          count("process", context);
          calls.inc(10);
        },
        finishBundle: (context) => count("finishBundle", context),
        onWindowExpiration: (context) => count("onWindowExpiration", context),
      });
  });
  expect(told).toContain("setup");
  expect(told).toContain("process");
  expect(told).toContain("onWindowExpiration");
  expect(user).toEqual([{ step: "All", name: "calls", kind: "counter", value: told.length + 10 }]);
});

test("a call that fails and is tried again has counted each time", async () => {
  let tries = 0;
  const { user } = await runTest((p) => {
    p.create([1]).map(
      "Try",
      async (n, { metrics }) => {
        metrics.counter("tries").inc();
        if (++tries < 3) throw new Error("not yet");
        return n;
      },
      { retry: { attempts: 3, backoff: () => 1 } },
    );
  });
  expect(user).toEqual([{ step: "Try", name: "tries", kind: "counter", value: 3 }]);
});

describe("METRIC_INVALID", () => {
  test.each<[string, (metrics: Metrics) => void, RegExp]>([
    ["a name that is empty", (m) => m.counter(""), /named ""/],
    ["one name for two kinds", (m) => (m.counter("n"), m.gauge("n")), /the metric "n" as two kinds/],
    ["a counter that goes back", (m) => m.counter("n").inc(-1), /the counter "n" was given -1/],
    ["a counter of no number", (m) => m.counter("n").inc(Number.NaN), /was given NaN/],
    ["a gauge of no number", (m) => m.gauge("n").set(Infinity), /the gauge "n" was given Infinity/],
    [
      "a distribution of no number",
      (m) => m.distribution("n").update("1" as never),
      /the distribution "n" was given "1"/,
    ],
  ])("%s", async (_what, use, message) => {
    const error = await failureOf((p: Pipeline) => {
      p.create([1]).map("Step", (n, { metrics }) => (use(metrics), n));
    });
    expect(error.code).toBe("METRIC_INVALID");
    expect(error.message).toMatch(message);
    expect(error.context.step).toBe("Step");
  });
});
