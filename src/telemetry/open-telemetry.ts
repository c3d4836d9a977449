/**
 * The figures of a job as OpenTelemetry reads them: by observable instruments, on the program's own meter and exporter.
 * Nothing of OpenTelemetry is imported: what is used of `@opentelemetry/api` is written down here, and a test takes its types.
 */
import type { JobHandle, UserMetric } from "../runners/embedded/run.ts";
import { samplesOf, STEP_FIGURES } from "./figures.ts";

/** An instrument of a meter. */
type Instrument = object;

interface InstrumentOptions {
  readonly description: string;
  readonly unit?: string;
}

/** What tells a meter's values. */
interface Observer<I extends Instrument> {
  observe(instrument: I, value: number, attributes: Record<string, string>): void;
}

/** What is used of a `Meter` of `@opentelemetry/api` 1. */
export interface MetricsMeter<I extends Instrument = Instrument> {
  /** Makes an instrument for numbers that only grow. */
  createObservableCounter(name: string, options: InstrumentOptions): I;
  /** Makes an instrument for numbers that go up and down. */
  createObservableGauge(name: string, options: InstrumentOptions): I;
  /** Has `callback` called for each collection; it observes these instruments. */
  addBatchObservableCallback(callback: (observer: Observer<I>) => void, instruments: I[]): void;
  /** Ends that. */
  removeBatchObservableCallback(callback: (observer: Observer<I>) => void, instruments: I[]): void;
}

/**
 * Has a meter of OpenTelemetry observe a job: `tidemark.step.elements_in`, `tidemark.step.watermark_lag` … with the attributes
 * `job` and `step`; metrics of user code as `tidemark.user.counter`, `tidemark.user.gauge` and
 * `tidemark.user.distribution.{count,sum,min,max}`, with the attribute `name` too. Cost: `job.metrics()` for each collection.
 * @param meter of the program's own SDK, as `metrics.getMeter("my program")` of `@opentelemetry/api` gives it
 * @returns ends the observation
 *
 * @example
 * ```ts
 * const told: unknown[] = [];
 * const meter = {
 *   createObservableCounter: (name: string) => ({ name }),
 *   createObservableGauge: (name: string) => ({ name }),
 *   addBatchObservableCallback: (callback: (observer: { observe: (...said: unknown[]) => void }) => void) =>
 *     callback({ observe: (...said) => told.push(said) }),
 *   removeBatchObservableCallback() {},
 * };
 * const job = run(pipeline({ name: "words", build: (p) => void p.create("Words", ["to", "be"]) }), {}, { onWarning() {} });
 * await job.wait();
 * observeMetrics(job, meter);
 * told[0]; // -> [{ name: "tidemark.step.elements_in" }, 2, { job: "words", step: "Words" }]
 * ```
 */
export function observeMetrics<I extends Instrument>(job: JobHandle, meter: MetricsMeter<I>): () => void {
  const make = (kind: "counter" | "gauge", name: string, description: string, unit?: string): I => {
    const options = { description, ...(unit !== undefined && { unit }) };
    return kind === "counter"
      ? meter.createObservableCounter(`tidemark.${name}`, options)
      : meter.createObservableGauge(`tidemark.${name}`, options);
  };
  const steps = STEP_FIGURES.map((figure) => ({
    figure,
    instrument: make(figure.kind, figure.name, figure.help, figure.unit),
  }));
  const user = new Map<string, I>([["counter", make("counter", "user.counter", "Counters of user code.")]]);
  user.set("gauge", make("gauge", "user.gauge", "Gauges of user code."));
  for (const part of PARTS)
    user.set(part, make("gauge", `user.distribution.${part}`, `The ${part} of distributions of user code.`));

  const observe = (observer: Observer<I>): void => {
    const metrics = job.metrics();
    for (const { figure, instrument } of steps) {
      for (const step of metrics.steps) {
        for (const { value, labels } of samplesOf(figure, step, metrics)) {
          if (Number.isFinite(value))
            observer.observe(instrument, value, { job: job.name, step: step.name, ...labels });
        }
      }
    }
    for (const metric of metrics.user) {
      const attributes = { job: job.name, step: metric.step, name: metric.name };
      for (const [part, value] of partsOf(metric)) observer.observe(user.get(part) as I, value, attributes);
    }
  };
  const instruments = [...steps.map(({ instrument }) => instrument), ...user.values()];
  meter.addBatchObservableCallback(observe, instruments);
  return () => meter.removeBatchObservableCallback(observe, instruments);
}

const PARTS = ["count", "sum", "min", "max"] as const;

/** Its numbers, by the instrument that tells them. */
function partsOf(metric: UserMetric): readonly (readonly [string, number])[] {
  return metric.kind === "distribution" ? PARTS.map((part) => [part, metric[part]]) : [[metric.kind, metric.value]];
}
