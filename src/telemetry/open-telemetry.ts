/**
 * The figures of a job as OpenTelemetry reads them: by observable instruments, on the program's own meter and exporter.
 * Nothing of OpenTelemetry is imported: what is used of `@opentelemetry/api` is written down here, and a test takes its types.
 */
import type { JobHandle } from "../runners/embedded/run.ts";
import { FIGURES } from "./figures.ts";

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
  const instruments = FIGURES.map(({ name, kind, help, unit }): I => {
    const options = { description: help, ...(unit !== undefined && { unit }) };
    return kind === "counter"
      ? meter.createObservableCounter(`tidemark.${name}`, options)
      : meter.createObservableGauge(`tidemark.${name}`, options);
  });
  const observe = (observer: Observer<I>): void => {
    const metrics = job.metrics();
    for (const [i, { samples }] of FIGURES.entries()) {
      for (const { labels, value } of samples(metrics)) {
        if (Number.isFinite(value)) observer.observe(instruments[i] as I, value, { job: job.name, ...labels });
      }
    }
  };
  meter.addBatchObservableCallback(observe, instruments);
  return () => meter.removeBatchObservableCallback(observe, instruments);
}
