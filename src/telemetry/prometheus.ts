/** The figures of a job as Prometheus reads them: its text format, version 0.0.4. */
import type { JobMetrics } from "../runners/embedded/job-metrics.ts";
import { type Figure, FIGURES, type Sample } from "./figures.ts";

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
  return FIGURES.map((figure) => figureText(figure, job, metrics)).join("");
}

/** Prometheus has units in names, as words. */
const SUFFIXES: Readonly<Record<string, string>> = { s: "_seconds", By: "_bytes" };

/** A figure without samples is left out. */
function figureText({ name: dotted, kind, unit, help, samples }: Figure, job: string, metrics: JobMetrics): string {
  const name = `tidemark_${dotted.replaceAll(".", "_")}${SUFFIXES[unit ?? ""] ?? ""}${kind === "counter" ? "_total" : ""}`;
  const lines = samples(metrics).map(({ labels, value }) => sampleText(name, { job, ...labels }, value));
  return lines.length === 0 ? "" : [`# HELP ${name} ${help}\n`, `# TYPE ${name} ${kind}\n`, ...lines].join("");
}

function sampleText(name: string, labels: Sample["labels"], value: number): string {
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
