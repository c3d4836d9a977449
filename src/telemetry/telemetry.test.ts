/** The figures of a real job, as a scraper and as OpenTelemetry's own SDK see them. */
import type { Meter } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { fixedWindows, type JobHandle, observeMetrics, pipeline, prometheusText, run } from "tidemark";
import { expect, test, vi } from "vitest";

/** A job of one late element among five, which counts what it sees. */
function wordCount(): JobHandle {
  const program = pipeline({
    name: 'words "1"',
    build: (p) => {
      p.create("Words", ["to", "be", "or"], { timestamps: () => 1000 })
        .map("Look \\ up", (word, { metrics }) => {
          metrics.counter("words").inc();
          metrics.gauge("length").set(word.length);
          metrics.distribution("lengths").update(word.length);
          return [word, 1] as const;
        })
        .windowInto(fixedWindows(10))
        .groupByKey("Group");
    },
  });
  return run(program, {}, { onWarning: () => {} });
}

test("Prometheus: each figure has its help, type and labels, escaped", async () => {
  const job = wordCount();
  const lines = prometheusText(job.name, await job.wait()).split("\n");
  expect(lines).toContain("# TYPE tidemark_step_elements_in_total counter");
  expect(lines).toContain('tidemark_step_elements_in_total{job="words \\"1\\"",step="Group"} 3');
  expect(lines).toContain('tidemark_step_watermark_seconds{job="words \\"1\\"",step="Group"} +Inf');
  const user = 'job="words \\"1\\"",step="Look \\\\ up"';
  expect(lines).toContain(`tidemark_user_counter_total{${user},name="words"} 3`);
  expect(lines).toContain(`tidemark_user_gauge{${user},name="length"} 2`);
  expect(lines).toContain(`tidemark_user_distribution_count{${user},name="lengths"} 3`);
  expect(lines).toContain(`tidemark_user_distribution_sum{${user},name="lengths"} 6`);
  // A sample is a name, labels and a number; comments come before the samples of their name.
  for (const line of lines.filter((each) => each !== "" && !each.startsWith("#")))
    expect(line).toMatch(/^[a-z_]+\{.+\} (-?[\d.]+(e[+-]?\d+)?|[+-]Inf)$/);
  expect(lines.join("\n")).not.toContain("undefined");
});

test("Prometheus: a watermark has a lag once it has begun, and before its end", () => {
  const kept = { busyMs: 0, keys: 0, stateBytes: 0, timers: 0, pending: 0 };
  const step = { name: "S", stage: "S", elementsIn: 0, elementsOut: 0, bundles: 0, dropped: 0, droppedBy: {}, ...kept };
  const lagOf = (watermark: number): string | undefined =>
    prometheusText("j", {
      takenAt: 5000,
      elapsedMs: 0,
      elementsRead: 0,
      dropped: 0,
      watermark,
      steps: [{ ...step, watermark }],
      user: [],
    })
      .split("\n")
      .find((line) => line.startsWith("tidemark_step_watermark_lag_seconds{"));
  expect(lagOf(3500)).toBe('tidemark_step_watermark_lag_seconds{job="j",step="S"} 1.5');
  expect(lagOf(-Infinity)).toBe(undefined);
  expect(lagOf(Number.MAX_SAFE_INTEGER + 1e15)).toBe(undefined);
});

test("OpenTelemetry: the SDK collects them from a Meter, until the observation ends", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const meter: Meter = provider.getMeter("test");
  const job = wordCount();
  await job.wait();
  const stop = observeMetrics(job, meter);

  const collected = async (): Promise<Map<string, readonly { attributes: object; value: unknown }[]>> => {
    exporter.reset();
    await reader.forceFlush();
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return new Map(
      metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => ({ attributes, value })),
      ]),
    );
  };
  const told = await collected();
  const job1 = 'words "1"';
  expect(told.get("tidemark.step.elements_in")).toContainEqual({ attributes: { job: job1, step: "Group" }, value: 3 });
  const user = { job: job1, step: "Look \\ up" };
  expect(told.get("tidemark.user.counter")).toEqual([{ attributes: { ...user, name: "words" }, value: 3 }]);
  expect(told.get("tidemark.user.distribution.max")).toEqual([{ attributes: { ...user, name: "lengths" }, value: 2 }]);
  stop();
  // A reader of cumulative values tells the last ones for ever: what has ended is the asking.
  const asked = vi.spyOn(job, "metrics");
  await collected();
  expect(asked).not.toHaveBeenCalled();
  await provider.shutdown();
});
