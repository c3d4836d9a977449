/** The figures of a job as Prometheus reads them: its text format, version 0.0.4. */
import type { JobMetrics, UserMetric } from "../runners/embedded/run.ts";
import { type Figure, samplesOf, STEP_FIGURES } from "./figures.ts";

type Labels = Readonly<Record<string, string>>;

/**
 * The figures of a job in the text format of Prometheus, for an endpoint of your own: `tidemark_step_elements_in_total`,
 * `tidemark_step_watermark_lag_seconds` … with the labels `job` and `step`; metrics of user code as
 * `tidemark_user_counter_total`, `tidemark_user_gauge` and `tidemark_user_distribution_{count,sum,min,max}`, with the label
 * `name` too. Content type: `text/plain; version=0.0.4`.
 * @param job what to call the job
 *
 * @example
 * ```ts
 * const job = run(pipeline({ name: "words", build: (p) => void p.create("Words", ["to", "be"]) }), {}, { onWarning() {} });
 * const page = prometheusText(job.name, await job.wait());
 * page.split("\n")[2]; // -> 'tidemark_step_elements_in_total{job="words",step="Words"} 2'
 * ```
 */
export function prometheusText(job: string, metrics: JobMetrics): string {
  const lines = STEP_FIGURES.flatMap((figure) => figureLines(figure, job, metrics));
  for (const kind of ["counter", "gauge"] as const) {
    const samples = metrics.user.flatMap((metric) =>
      metric.kind === kind ? [sample(userName(kind), labelsOf(job, metric), metric.value)] : [],
    );
    lines.push(...headed(userName(kind), kind, `Metrics of user code: ${kind}s.`, samples));
  }
  for (const part of ["count", "sum", "min", "max"] as const) {
    const name = `tidemark_user_distribution_${part}`;
    const samples = metrics.user.flatMap((metric) =>
      metric.kind === "distribution" ? [sample(name, labelsOf(job, metric), metric[part])] : [],
    );
    lines.push(...headed(name, "gauge", `Metrics of user code: the ${part} of each distribution.`, samples));
  }
  return lines.join("");
}

function figureLines(figure: Figure, job: string, metrics: JobMetrics): readonly string[] {
  const unit = figure.unit === "s" ? "_seconds" : "";
  const total = figure.kind === "counter" ? "_total" : "";
  const name = `tidemark_${figure.name.replaceAll(".", "_")}${unit}${total}`;
  const samples = metrics.steps.flatMap((step) =>
    samplesOf(figure, step, metrics).map(({ value, labels }) =>
      sample(name, { job, step: step.name, ...labels }, value),
    ),
  );
  return headed(name, figure.kind, figure.help, samples);
}

function userName(kind: "counter" | "gauge"): string {
  return `tidemark_user_${kind}${kind === "counter" ? "_total" : ""}`;
}

function labelsOf(job: string, { step, name }: UserMetric): Labels {
  return { job, step, name };
}

/** A metric without samples is left out. */
function headed(name: string, kind: string, help: string, samples: readonly string[]): readonly string[] {
  return samples.length === 0 ? [] : [`# HELP ${name} ${help}\n`, `# TYPE ${name} ${kind}\n`, ...samples];
}

function sample(name: string, labels: Labels, value: number): string {
  const shown = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}{${shown.join(",")}} ${numeral(value)}\n`;
}

/** A label's value may be any text, with these three written otherwise. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numeral(value: number): string {
  return value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
}
