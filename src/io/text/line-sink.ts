/**
 * Sinks that write lines into one file: what `text` and `ndjson` share.
 * Path: text, ndjson -> HERE -> direct-writer (a run that starts anew each time), epoch-writer (a job that survives restarts),
 * append-writer (lines that go out as they come).
 */
import { TidemarkError } from "../../base/errors.ts";
import type { Sink, SinkJob } from "../../fn/sink.ts";
import { prepareTarget } from "../../platform/files.ts";
import { resolve } from "node:path";
import { AppendWriter } from "./append-writer.ts";
import { DirectWriter } from "./direct-writer.ts";
import { EpochWriter } from "./epoch-writer.ts";

/** When output goes out; all members optional. */
export interface CommitOptions {
  /**
   * `checkpoint`, the default: with checkpoints, output becomes visible with the checkpoint after it, each element exactly once.
   * `eager`: at once, at least once: after a crash what came after the last checkpoint is put out a second time.
   */
  readonly commit?: "checkpoint" | "eager";
}

/** How a file grows; all members optional. */
export interface AppendOptions extends CommitOptions {
  /**
   * Adds to the file, under its own name: with checkpoints at each of them, else as elements come. Only one job may write to it.
   * Default false: the file is replaced when the job has ended.
   */
  readonly append?: boolean;
}

/** How lines are written; all members optional. */
export interface LineSinkOptions extends AppendOptions {
  /** The file's first line, written even when no element comes. */
  readonly header?: string;
}

/** A sink of one file. @param format an element's line, without its end @throws TRANSFORM_INVALID when `path` is none */
export function lineSink<T>(
  kind: string,
  path: string,
  options: LineSinkOptions,
  format: (value: T) => string,
): Sink<T> {
  const given: unknown = path;
  if (typeof given !== "string" || given === "") {
    throw new TidemarkError("TRANSFORM_INVALID", {
      what: `${kind}.write is given ${JSON.stringify(given) ?? String(given)}`,
      why: "it writes one file, named by its path",
      fix: `write ${kind}.write("out.txt"), and check that the option that holds the path is set`,
    });
  }
  const header = options.header === undefined ? "" : `${options.header}\n`;
  const { append = false, commit = "checkpoint" } = options;
  checkCommit(kind, append, commit);
  return Object.freeze({
    name: `${kind}(${path})`,
    replaces: resolve(path),
    async open(job?: SinkJob) {
      const target = await prepareTarget(path);
      if (append && (job === undefined || commit === "eager")) return AppendWriter.open(target, header, format);
      return job === undefined
        ? DirectWriter.open(target, header, format)
        : EpochWriter.open(target, header, format, job.jobId, append);
    },
  });
}

function checkCommit(kind: string, append: unknown, commit: unknown): void {
  const problem =
    typeof append !== "boolean"
      ? `append is ${JSON.stringify(append)}: it is true or false`
      : commit !== "checkpoint" && commit !== "eager"
        ? `commit is ${JSON.stringify(commit)}: it is "checkpoint" or "eager"`
        : commit === "eager" && !append
          ? "commit is eager and append is not set: a file that appears when the job has ended shows nothing before"
          : undefined;
  if (problem === undefined) return;
  throw new TidemarkError("TRANSFORM_INVALID", {
    what: `of the options of ${kind}.write ${problem}`,
    fix: `write ${kind}.write("log.txt", { append: true, commit: "eager" }), or leave commit out`,
  });
}
