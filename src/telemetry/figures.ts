/** What the figures of a job are called where they leave the process: one list for every way out. */
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from "../model/time.ts";
import type { JobMetrics, StepMetrics } from "../runners/embedded/run.ts";

/** A figure of each step. */
export interface Figure {
  /** Words with dots between them. */
  readonly name: string;
  /** A counter only grows. */
  readonly kind: "counter" | "gauge";
  /** As UCUM writes it: `s`, `{element}`. */
  readonly unit: string;
  readonly help: string;
  /** A number, or one for each reason; `undefined` where there is nothing to tell. */
  readonly of: (step: StepMetrics, job: JobMetrics) => number | Readonly<Record<string, number>> | undefined;
}

export const STEP_FIGURES: readonly Figure[] = [
  {
    name: "step.elements_in",
    kind: "counter",
    unit: "{element}",
    help: "Elements that came in.",
    of: (step) => step.elementsIn,
  },
  {
    name: "step.elements_out",
    kind: "counter",
    unit: "{element}",
    help: "Elements that went on to other steps.",
    of: (step) => step.elementsOut,
  },
  { name: "step.bundles", kind: "counter", unit: "{bundle}", help: "Bundles.", of: (step) => step.bundles },
  {
    name: "step.dropped",
    kind: "counter",
    unit: "{element}",
    help: "Late elements, elements in no window, timers whose state had expired.",
    of: (step) => step.droppedBy,
  },
  {
    name: "step.pending",
    kind: "gauge",
    unit: "{element}",
    help: "Elements that wait: for side inputs, for calls, or to be taken up.",
    of: (step) => step.pending,
  },
  {
    name: "step.keys",
    kind: "gauge",
    unit: "{key}",
    help: "Keys for which something is kept, once for each window.",
    of: (step) => step.keys,
  },
  { name: "step.timers", kind: "gauge", unit: "{timer}", help: "Timers that are set.", of: (step) => step.timers },
  {
    name: "step.watermark",
    kind: "gauge",
    unit: "s",
    help: "Output watermark, in seconds since 1970; +Inf at the end of time.",
    of: ({ watermark }) => (watermark >= MAX_TIMESTAMP ? Infinity : begun(watermark) ? watermark / 1000 : undefined),
  },
  {
    name: "step.watermark_lag",
    kind: "gauge",
    unit: "s",
    help: "How far the output watermark is behind the clock.",
    of: ({ watermark }, { takenAt }) =>
      begun(watermark) && watermark < MAX_TIMESTAMP ? (takenAt - watermark) / 1000 : undefined,
  },
];

/** The numbers of a figure, with the labels that they need beside the step's. */
export function samplesOf(
  figure: Figure,
  step: StepMetrics,
  job: JobMetrics,
): readonly { readonly value: number; readonly labels: Readonly<Record<string, string>> }[] {
  const told = figure.of(step, job);
  if (told === undefined) return [];
  if (typeof told === "number") return [{ value: told, labels: {} }];
  return Object.entries(told).map(([reason, value]) => ({ value, labels: { reason } }));
}

/** A watermark that stands at the beginning of time says nothing yet. */
function begun(watermark: number): boolean {
  return watermark > MIN_TIMESTAMP;
}
