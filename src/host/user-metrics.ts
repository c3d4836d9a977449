/**
 * The metrics of user code, by step: one registry for each engine, and one in each worker, which hands on what has come since.
 *
 * U1 A gauge that was never set, and a distribution of nothing, have no value; a counter begins at 0.
 */
import { TidemarkError } from "../base/errors.ts";
import { preview } from "../base/preview.ts";
import type { Counter, Distribution, Gauge, Metrics, MetricValue } from "../fn/metrics.ts";
import type { StepId } from "../graph/graph.ts";

/** A metric of a step with its value: plain data. */
export interface StepMetric {
  readonly step: StepId;
  readonly name: string;
  readonly metric: MetricValue;
}

class CounterCell implements Counter {
  readonly #name: string;
  value = 0;
  constructor(name: string) {
    this.#name = name;
  }
  inc(by = 1): void {
    if (!(by >= 0 && by < Infinity)) throw notANumber(`the counter "${this.#name}"`, by, "a finite number, 0 or more");
    this.value += by;
  }
}

class GaugeCell implements Gauge {
  readonly #name: string;
  value: number | undefined;
  constructor(name: string) {
    this.#name = name;
  }
  set(value: number): void {
    if (!Number.isFinite(value)) throw notANumber(`the gauge "${this.#name}"`, value, "a finite number");
    this.value = value;
  }
}

class DistributionCell implements Distribution {
  readonly #name: string;
  count = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  constructor(name: string) {
    this.#name = name;
  }
  update(value: number): void {
    if (!Number.isFinite(value)) throw notANumber(`the distribution "${this.#name}"`, value, "a finite number");
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }
}

type Cell = CounterCell | GaugeCell | DistributionCell;

/** Those of one step. */
class StepMetrics implements Metrics {
  readonly #step: string;
  readonly cells = new Map<string, Cell>();

  constructor(step: string) {
    this.#step = step;
    // So that `const { counter } = metrics` works.
    this.counter = this.counter.bind(this);
    this.gauge = this.gauge.bind(this);
    this.distribution = this.distribution.bind(this);
  }

  counter(name: string): CounterCell {
    return this.#cell(name, CounterCell);
  }

  gauge(name: string): GaugeCell {
    return this.#cell(name, GaugeCell);
  }

  distribution(name: string): DistributionCell {
    return this.#cell(name, DistributionCell);
  }

  #cell<C extends Cell>(name: string, kind: new (name: string) => C): C {
    let cell = this.cells.get(name);
    if (cell === undefined) {
      if (typeof name !== "string" || name === "") throw badName(this.#step, name);
      cell = new kind(name);
      this.cells.set(name, cell);
    }
    if (!(cell instanceof kind)) throw otherKind(this.#step, name);
    return cell;
  }
}

export class UserMetrics {
  readonly #steps = new Map<StepId, StepMetrics>();

  /** Those of a step. @param name the step's, for messages */
  of(step: StepId, name: string): Metrics {
    return this.#of(step, name);
  }

  #of(step: StepId, name: string): StepMetrics {
    let found = this.#steps.get(step);
    if (found === undefined) {
      found = new StepMetrics(name);
      this.#steps.set(step, found);
    }
    return found;
  }

  /** All that have a value, in the order of the steps. */
  values(): readonly StepMetric[] {
    const steps = [...this.#steps].toSorted(([a], [b]) => a - b);
    return steps.flatMap(([step, { cells }]) =>
      [...cells].flatMap(([name, cell]) => {
        const metric = valueOf(cell);
        return metric === undefined ? [] : [{ step, name, metric }];
      }),
    );
  }

  /** What has come since the last `drain`; everything stands at its beginning again. */
  drain(): readonly StepMetric[] {
    const values = this.values();
    for (const { cells } of this.#steps.values()) for (const cell of cells.values()) reset(cell);
    return values;
  }

  /** Adds what another registry has drained. @param name that of the step */
  add({ step, name: metricName, metric }: StepMetric, name: string): void {
    const metrics = this.#of(step, name);
    if (metric.kind === "counter") metrics.counter(metricName).inc(metric.value);
    else if (metric.kind === "gauge") metrics.gauge(metricName).set(metric.value);
    else {
      const cell = metrics.distribution(metricName);
      cell.count += metric.count;
      cell.sum += metric.sum;
      cell.min = Math.min(cell.min, metric.min);
      cell.max = Math.max(cell.max, metric.max);
    }
  }
}

function valueOf(cell: Cell): MetricValue | undefined {
  if (cell instanceof CounterCell) return { kind: "counter", value: cell.value };
  if (cell instanceof GaugeCell) return cell.value === undefined ? undefined : { kind: "gauge", value: cell.value };
  const { count, sum, min, max } = cell;
  return count === 0 ? undefined : { kind: "distribution", count, sum, min, max };
}

function reset(cell: Cell): void {
  if (cell instanceof CounterCell) cell.value = 0;
  else if (cell instanceof GaugeCell) cell.value = undefined;
  else {
    cell.count = 0;
    cell.sum = 0;
    cell.min = Infinity;
    cell.max = -Infinity;
  }
}

function notANumber(metric: string, value: unknown, wanted: string): TidemarkError {
  return new TidemarkError("METRIC_INVALID", {
    what: `${metric} was given ${preview(value)}`,
    why: `it takes ${wanted}`,
    fix: "check what the function computes",
  });
}

function badName(step: string, name: unknown): TidemarkError {
  return new TidemarkError("METRIC_INVALID", {
    what: `step "${step}" asked for a metric named ${preview(name)}`,
    why: "a name is what dashboards find it by",
    fix: "give a text that is not empty",
    step,
  });
}

function otherKind(step: string, name: string): TidemarkError {
  return new TidemarkError("METRIC_INVALID", {
    what: `step "${step}" has the metric "${name}" as two kinds`,
    why: "a name stands for one counter, gauge or distribution",
    fix: "give one of them another name",
    step,
  });
}
