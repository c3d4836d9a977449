/** Tidemark: streaming data pipelines. The public API of the model, windowing, user functions, authoring, transforms and coders. */
export { isTidemarkError, TidemarkError, type ErrorContext, type ErrorDomain } from "./base/errors.ts";
export type { ErrorCode } from "./base/error-codes.ts";

export { NO_FIRING, ON_TIME_AND_ONLY, type Pane, type PaneTiming } from "./model/pane.ts";
export {
  days,
  END_OF_GLOBAL_WINDOW,
  formatTimestamp,
  hours,
  MAX_TIMESTAMP,
  milliseconds,
  MIN_TIMESTAMP,
  minutes,
  seconds,
  type Timestamp,
} from "./model/time.ts";
export type { Trigger } from "./model/trigger.ts";
export { formatWindow, GLOBAL_WINDOW, GlobalWindow, IntervalWindow, type Window } from "./model/window.ts";
export type { Merge, WindowFn } from "./model/window-fn.ts";
export type {
  AccumulationMode,
  ClosingBehavior,
  OnTimeBehavior,
  TimestampCombiner,
  WindowingStrategy,
} from "./model/windowing.ts";

export * from "./windowing/index.ts";

export { exponentialBackoff, type Backoff, type CallOptions, type RetryOptions } from "./fn/call-options.ts";
export type { DeadLetter, Late } from "./fn/set-aside.ts";
export type { CombineCoders, CombineFn } from "./fn/combine-fn.ts";
export type { Counter, Distribution, Gauge, Metrics, MetricValue } from "./fn/metrics.ts";
export {
  output,
  type BundleContext,
  type DoFn,
  type ElementContext,
  type KV,
  type OutputTag,
  type OutputTags,
  type ProcessContext,
  type SetupContext,
  type TimerContext,
} from "./fn/do-fn.ts";
export type { ElementMeta, Epoch, Sink, SinkWriter } from "./fn/sink.ts";
export {
  eventTime,
  sourceTime,
  processingTime,
  type Batch,
  type PollResult,
  type QuietPolicy,
  type Source,
  type SourceReader,
  type TimestampPolicy,
} from "./fn/source.ts";
export {
  bagState,
  combiningState,
  mapState,
  migration,
  orderedListState,
  setState,
  valueState,
  type BagCell,
  type CombiningCell,
  type MapCell,
  type OrderedListCell,
  type SetCell,
  type StateMigration,
  type StateSpec,
  type TimestampedValue,
  type ValueCell,
} from "./fn/state.ts";
export {
  eventTimer,
  eventTimerFamily,
  processingTimer,
  processingTimerFamily,
  type Timer,
  type TimerFamily,
  type TimerOptions,
  type TimerSpec,
} from "./fn/timer.ts";
export type { PCollectionView, SideInputs, SideInputValues } from "./fn/view.ts";

export * from "./pipeline/index.ts";
export * from "./transforms/index.ts";

export * from "./coders/index.ts";

export { ndjson, postgres, sqlite, text } from "./io/index.ts";
export { type JobHandle, run, type RunOptions } from "./runners/embedded/run.ts";
export { describeStages, type JobMetrics, type StepMetrics, type UserMetric } from "./runners/embedded/job-metrics.ts";
export { type MetricsMeter, observeMetrics } from "./telemetry/open-telemetry.ts";
export { prometheusText } from "./telemetry/prometheus.ts";
export type { Explanation, HoldCause, HoldLink, SourceFacts, Waiting } from "./explain/explanation.ts";
export { describeTrace, type TracedElement, type TraceEvent } from "./explain/trace.ts";
export type { TraceOptions } from "./runners/embedded/trace-options.ts";
export { describeExplanation } from "./explain/words.ts";
export type { Need } from "./model/need.ts";
export type { ExplainQuery } from "./runners/embedded/explain-query.ts";
export type { Clock } from "./base/clock.ts";
export type { JobState } from "./runners/embedded/job.ts";
export type { CheckpointOptions } from "./runners/embedded/run.ts";
