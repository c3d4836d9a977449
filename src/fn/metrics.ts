/**
 * Metrics of user code: counters, gauges and distributions that a function keeps of its own work.
 *
 * M1 A metric belongs to a step and has a name and one kind. It is there from when it is first asked for.
 * M2 What is said is counted at once, also by a call that fails and is tried again.
 */

/** A number that only grows. */
export interface Counter {
  /** @param by 0 or more; default 1 @throws METRIC_INVALID */
  inc(by?: number): void;
}

/** The newest of several numbers. */
export interface Gauge {
  /** @throws METRIC_INVALID when it is no finite number */
  set(value: number): void;
}

/** How many numbers there were, their sum, the least and the greatest. */
export interface Distribution {
  /** @throws METRIC_INVALID when it is no finite number */
  update(value: number): void;
}

/**
 * The metrics of a step, as its functions see them: `context.metrics`. Asking again for a name gives the same metric; a DoFn
 * asks once, in `setup`. `job.metrics().user` has their values.
 * @throws METRIC_INVALID for an empty name, or one that has another kind already
 *
 * @example
 * ```ts
 * const words = p.create(["to", "", "be"]).filter("Words", (word, { metrics }) => {
 *   if (word === "") metrics.counter("empty").inc();
 *   metrics.distribution("length").update(word.length);
 *   return word !== "";
 * }); // -> "to", "be"
 * ```
 */
export interface Metrics {
  /** The step's counter of that name, made at 0 where there is none yet. */
  counter(name: string): Counter;
  /** The step's gauge of that name. */
  gauge(name: string): Gauge;
  /** The step's distribution of that name. */
  distribution(name: string): Distribution;
}

/** What a metric stands at. */
export type MetricValue =
  | { readonly kind: "counter"; readonly value: number }
  | { readonly kind: "gauge"; readonly value: number }
  | {
      readonly kind: "distribution";
      readonly count: number;
      readonly sum: number;
      readonly min: number;
      readonly max: number;
    };
