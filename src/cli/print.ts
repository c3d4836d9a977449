/**
 * What the command says: to people on standard error, or to programs as JSON lines on standard output.
 *
 * P1 Standard output is the program's own, unless `--json` asks for events there.
 * P2 Errors and warnings are never left out.
 */
import { inspect } from "node:util";
import { isTidemarkError } from "../base/errors.ts";
import type { Explanation } from "../explain/explanation.ts";
import { describeTrace, type TraceEvent } from "../explain/trace.ts";
import { describeExplanation } from "../explain/words.ts";
import { formatTimestamp } from "../model/time.ts";
import type { JobMetrics } from "../runners/embedded/job-metrics.ts";

/** Told what happens to a job. */
export interface Reporter {
  starting(job: string): void;
  progress(job: string, metrics: JobMetrics): void;
  warning(message: string): void;
  /** Somebody has asked what the job waits for. */
  explained(job: string, explanation: Explanation): void;
  /** Something happened at a traced step. */
  traced(event: TraceEvent): void;
  /** A polite end has been asked for. */
  stopping(job: string, how: HowToStop): void;
  stopped(job: string, metrics: JobMetrics): void;
  done(job: string, metrics: JobMetrics): void;
  cancelled(job: string, metrics: JobMetrics): void;
  error(error: unknown): void;
}

/** By which method of its handle a job is ended early. */
export type HowToStop = "cancel" | "drain" | "stop";

/** Takes whole lines. */
export type Write = (text: string) => void;

export interface HumanOptions {
  readonly quiet: boolean;
  readonly stack: boolean;
}

/** Plain lines. */
export function humanReporter(write: Write, { quiet, stack }: HumanOptions): Reporter {
  const tell = (text: string): void => {
    if (!quiet) write(`${text}\n`);
  };
  let before: JobMetrics | undefined;
  return {
    starting: (job) => tell(`${job}: starting`),
    progress(job, metrics) {
      const { elapsedMs, elementsRead } = metrics;
      const rate = rateOf(elementsRead - (before?.elementsRead ?? 0), elapsedMs - (before?.elapsedMs ?? 0));
      before = metrics;
      tell(`${job}: ${figures(metrics)}, ${rate}/s, watermark ${formatTimestamp(metrics.watermark)}`);
    },
    warning: (message) => write(`tidemark: warning: ${message}\n`),
    explained: (job, explanation) => write(`${job}: ${describeExplanation(explanation) || "nothing is stuck"}\n`),
    traced: (event) => write(`${describeTrace(event)}\n`),
    stopping: (job, how) => tell(`${job}: ${STOPPING[how]}; once more (Ctrl-C) to end at once`),
    stopped: (job, metrics) =>
      tell(`${job}: stopped, ${figures(metrics)}; it goes on from here when it is started again`),
    done: (job, metrics) =>
      tell(`${job}: done, ${figures(metrics)}, ${rateOf(metrics.elementsRead, metrics.elapsedMs)}/s`),
    cancelled: (job, metrics) => tell(`${job}: cancelled, ${figures(metrics)}`),
    error: (error) => write(`tidemark: ${describeError(error, stack)}\n`),
  };
}

const STOPPING: Readonly<Record<HowToStop, string>> = { cancel: "cancelling", drain: "draining", stop: "stopping" };

/** One JSON object a line: `{"event": "progress", "job": …}`. */
export function jsonReporter(write: Write, stack: boolean): Reporter {
  const event = (name: string, members: object): void => write(`${JSON.stringify({ event: name, ...members })}\n`);
  return {
    starting: (job) => event("starting", { job }),
    progress: (job, metrics) => event("progress", { job, ...plainMetrics(metrics) }),
    warning: (message) => event("warning", { message }),
    explained: (job, explanation) =>
      event("explanation", { job, ...explanation, text: describeExplanation(explanation) }),
    traced: (traced) => event("trace", traced),
    stopping: (job, how) => event("stopping", { job, how }),
    done: (job, metrics) => event("done", { job, ...plainMetrics(metrics) }),
    stopped: (job, metrics) => event("stopped", { job, ...plainMetrics(metrics) }),
    cancelled: (job, metrics) => event("cancelled", { job, ...plainMetrics(metrics) }),
    error: (error) => event("failed", { error: plainError(error, stack) }),
  };
}

/** `12.0 s, 1,234,567 elements`, and what was dropped. */
function figures({ elapsedMs, elementsRead, dropped }: JobMetrics): string {
  const count = (n: number): string => n.toLocaleString("en-US");
  const lost = dropped === 0 ? "" : `, ${count(dropped)} dropped`;
  return `${(elapsedMs / 1000).toFixed(1)} s, ${count(elementsRead)} elements${lost}`;
}

function rateOf(elements: number, ms: number): string {
  return Math.round(ms <= 0 ? 0 : (elements * 1000) / ms).toLocaleString("en-US");
}

/** Watermarks as text: JSON has no infinity. */
function plainMetrics(metrics: JobMetrics): object {
  const watermark = formatTimestamp(metrics.watermark);
  const steps = metrics.steps.map((step) => ({ ...step, watermark: formatTimestamp(step.watermark) }));
  return { ...metrics, watermark, steps };
}

/** Code, what, why, fix and place; a stack only where it is asked for, or where nothing else is known. */
function describeError(error: unknown, stack: boolean): string {
  if (!isTidemarkError(error)) return `internal error: ${inspect(error)}`;
  const { cause } = error;
  if (!stack) return error.message;
  return `${error.stack ?? error.message}${cause === undefined ? "" : `\ncaused by ${inspect(cause)}`}`;
}

function plainError(error: unknown, stack: boolean): object {
  if (!isTidemarkError(error))
    return { code: "INTERNAL", what: String(error), ...(stack && { stack: inspect(error) }) };
  const { code, domain, what, why, fix, context, cause } = error;
  const trace = stack && { stack: error.stack, ...(cause !== undefined && { cause: inspect(cause) }) };
  return { code, domain, what, why, fix, ...context, ...trace };
}
