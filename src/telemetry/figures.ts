/** What the figures of a job are called where they leave the process: one list for every way out. */
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from "../model/time.ts";
import type { JobMetrics, StepMetrics, UserMetric } from "../runners/embedded/job-metrics.ts";

/** A number with the labels that tell it from others of its figure: `step`, and `reason` or `name`. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Figure {
  /** Words with dots between them. */
  readonly name: string;
  /** A counter only grows. */
  readonly kind: "counter" | "gauge";
  /** As UCUM writes it: `s`, `{element}`; the unit of what user code counts is not known. */
  readonly unit?: string;
  readonly help: string;
  readonly samples: (job: JobMetrics) => readonly Sample[];
}

/** A figure of each step: a number, or one for each reason; `undefined` where there is nothing to tell. */
function perStep(
  name: string,
  kind: Figure["kind"],
  unit: string,
  help: string,
  of: (step: StepMetrics, job: JobMetrics) => number | Readonly<Record<string, number>> | undefined,
): Figure {
  const ofStep = (step: StepMetrics, job: JobMetrics): readonly Sample[] => {
    const told = of(step, job);
    if (told === undefined) return [];
    const labels = { step: step.name };
    if (typeof told === "number") return [{ labels, value: told }];
    return Object.entries(told).map(([reason, value]) => ({ labels: { ...labels, reason }, value }));
  };
  return { name: `step.${name}`, kind, unit, help, samples: (job) => job.steps.flatMap((step) => ofStep(step, job)) };
}

/** A figure of each metric of user code for which there is one. */
function perUserMetric(
  name: string,
  kind: Figure["kind"],
  help: string,
  of: (metric: UserMetric) => number | undefined,
): Figure {
  const samples = ({ user }: JobMetrics): readonly Sample[] =>
    user.flatMap((metric) => {
      const value = of(metric);
      return value === undefined ? [] : [{ labels: { step: metric.step, name: metric.name }, value }];
    });
  return { name: `user.${name}`, kind, help, samples };
}

/** A watermark that stands at the beginning of time says nothing yet. */
function begun(watermark: number): boolean {
  return watermark > MIN_TIMESTAMP;
}

export const FIGURES: readonly Figure[] = [
  perStep("elements_in", "counter", "{element}", "Elements that came in.", (step) => step.elementsIn),
  perStep("elements_out", "counter", "{element}", "Elements that went on to other steps.", (step) => step.elementsOut),
  perStep("bundles", "counter", "{bundle}", "Bundles.", (step) => step.bundles),
  perStep(
    "busy",
    "counter",
    "s",
    "Time at work, with the steps that its elements go straight into; of steps that run as one, at the first.",
    (step) => step.busyMs / 1000,
  ),
  perStep(
    "dropped",
    "counter",
    "{element}",
    "Late elements, elements in no window, timers whose state had expired.",
    (step) => step.droppedBy,
  ),
  perStep(
    "pending",
    "gauge",
    "{element}",
    "Elements that wait: for side inputs, for calls, or to be taken up.",
    (step) => step.pending,
  ),
  perStep("keys", "gauge", "{key}", "Keys for which something is kept, once for each window.", (step) => step.keys),
  perStep("state", "gauge", "By", "What is kept for them, about.", (step) => step.stateBytes),
  perStep("timers", "gauge", "{timer}", "Timers that are set.", (step) => step.timers),
  perStep(
    "watermark",
    "gauge",
    "s",
    "Output watermark, in seconds since 1970; +Inf at the end of time.",
    ({ watermark }) => (watermark >= MAX_TIMESTAMP ? Infinity : begun(watermark) ? watermark / 1000 : undefined),
  ),
  perStep(
    "watermark_lag",
    "gauge",
    "s",
    "How far the output watermark is behind the clock.",
    ({ watermark }, { takenAt }) =>
      begun(watermark) && watermark < MAX_TIMESTAMP ? (takenAt - watermark) / 1000 : undefined,
  ),
  perUserMetric("counter", "counter", "Counters of user code.", (metric) =>
    metric.kind === "counter" ? metric.value : undefined,
  ),
  perUserMetric("gauge", "gauge", "Gauges of user code.", (metric) =>
    metric.kind === "gauge" ? metric.value : undefined,
  ),
  ...(["count", "sum", "min", "max"] as const).map((part) =>
    perUserMetric(`distribution.${part}`, "gauge", `The ${part} of distributions of user code.`, (metric) =>
      metric.kind === "distribution" ? metric[part] : undefined,
    ),
  ),
];
