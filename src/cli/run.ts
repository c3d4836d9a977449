/**
 * `tidemark run`: one job, from its start to its end.
 *
 * R1 The first SIGINT or SIGTERM ends the job politely (with checkpoints stop, else cancel; drain where asked), the second ends the process.
 * R2 On SIGUSR2, and at a terminal on the key "?", it says what is stuck; the job does not notice (ask.ts).
 * R3 An error that nobody caught fails the job; the job is closed before the command ends.
 */
import { isTidemarkError } from "../base/errors.ts";
import type { LoadedProgram } from "../program/load.ts";
import { type CheckpointOptions, run, type JobHandle } from "../runners/embedded/run.ts";
import type { TraceOptions } from "../runners/embedded/trace-options.ts";
import { onAsked } from "./ask.ts";
import type { CommandFlags } from "./commands.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import type { HowToStop, Reporter } from "./print.ts";
import { uncaught } from "./uncaught.ts";

const PROGRESS_EVERY_MS = 1000;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
type Signal = (typeof SIGNALS)[number];

/** Why a job was told to stop before its end. */
type Stop =
  { readonly kind: "signal"; readonly signal: Signal } | { readonly kind: "uncaught"; readonly error: unknown };

/** Runs a program to its end. @returns the exit code */
export async function runCommand(
  { program }: LoadedProgram,
  rawOptions: Readonly<Record<string, unknown>>,
  flags: CommandFlags,
  reporter: Reporter,
): Promise<number> {
  const trace = flags.trace === undefined ? {} : { trace: traceOption(flags.trace, reporter) };
  const job = run(program, rawOptions, {
    onWarning: (message) => reporter.warning(message),
    ...trace,
    ...checkpointOption(flags),
  });
  const stops = watchForStops(job, howToStop(flags), reporter);
  reporter.starting(job.name);
  const stopProgress = reportProgress(job, flags, reporter);
  const stopAsking = onAsked(() => reporter.explained(job.name, job.explain()), flags.json !== true);
  try {
    const metrics = await job.wait();
    const stop = stops.first();
    if (stop?.kind === "uncaught") throw uncaught(stop.error);
    if (job.state === "stopped") reporter.stopped(job.name, metrics);
    else reporter.done(job.name, metrics);
    return stop === undefined ? EXIT_CODES.ok[0] : exitCodeOfSignal(stop.signal);
  } catch (error) {
    const stop = stops.first();
    const aborted = isTidemarkError(error, "JOB_ABORTED");
    if (aborted && stop?.kind === "signal") {
      reporter.cancelled(job.name, job.metrics());
      return exitCodeOfSignal(stop.signal);
    }
    const told = aborted && stop?.kind === "uncaught" ? uncaught(stop.error) : error;
    reporter.error(told);
    return exitCodeOf(told);
  } finally {
    stopAsking();
    stopProgress();
    stops.end();
  }
}

function howToStop(flags: CommandFlags): HowToStop {
  if (flags.drain === true) return "drain";
  return flags["checkpoint-dir"] === undefined ? "cancel" : "stop";
}

function checkpointOption(flags: CommandFlags): { checkpoint?: CheckpointOptions } {
  const dir = flags["checkpoint-dir"];
  const everyMs = flags["checkpoint-every"];
  const memoryMiB = flags["state-memory"];
  if (dir === undefined) return {};
  const stateMemory = memoryMiB === undefined ? {} : { stateMemory: memoryMiB * 1024 * 1024 };
  const allowDroppedState = flags["allow-dropped-state"] ?? [];
  return { checkpoint: { dir, ...(everyMs !== undefined && { everyMs }), ...stateMemory, allowDroppedState } };
}

/** `STEP`, or `STEP:KEY`; names of steps have no colon of their own, or else the last one counts. */
function traceOption(text: string, reporter: Reporter): TraceOptions {
  const colon = text.lastIndexOf(":");
  const [step, key] = colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
  return { step, key, onEvent: (event) => reporter.traced(event) };
}

function watchForStops(job: JobHandle, how: HowToStop, reporter: Reporter): { first(): Stop | undefined; end(): void } {
  let first: Stop | undefined;
  // What the job makes of it is told by `wait`.
  const stop = (reason: Stop, by: HowToStop): void => {
    first = reason;
    void job[by]().catch(() => {});
  };
  const onSignal = (signal: Signal): void => {
    if (first !== undefined) process.exit(exitCodeOfSignal(signal));
    reporter.stopping(job.name, how);
    stop({ kind: "signal", signal }, how);
  };
  const onUncaught = (error: unknown): void => {
    if (first?.kind !== "uncaught") stop({ kind: "uncaught", error }, "cancel");
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on("uncaughtException", onUncaught);
  return {
    first: () => first,
    end() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off("uncaughtException", onUncaught);
    },
  };
}

function reportProgress(job: JobHandle, flags: CommandFlags, reporter: Reporter): () => void {
  const wanted = flags.progress ?? (process.stderr.isTTY && flags.quiet !== true && flags.json !== true);
  if (!wanted) return () => {};
  const timer = setInterval(() => {
    if (job.state === "running" || job.state === "draining") reporter.progress(job.name, job.metrics());
  }, PROGRESS_EVERY_MS);
  // Nothing but the job keeps the process alive: a job that can never go on has to be noticed.
  timer.unref();
  return () => clearInterval(timer);
}

function exitCodeOfSignal(signal: Signal): number {
  return signal === "SIGINT" ? EXIT_CODES.interrupted[0] : EXIT_CODES.terminated[0];
}
