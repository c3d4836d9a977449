/**
 * Sinks that write lines into one file: what `text` and `ndjson` share.
 * Path: text, ndjson -> HERE -> direct-writer (a run that starts anew each time), epoch-writer (a job that survives restarts).
 */
import { TidemarkError } from "../../base/errors.ts";
import type { Sink, SinkJob } from "../../fn/sink.ts";
import { prepareTarget } from "../../platform/files.ts";
import { resolve } from "node:path";
import { DirectWriter } from "./direct-writer.ts";
import { EpochWriter } from "./epoch-writer.ts";

/** How lines are written; all members optional. */
export interface LineSinkOptions {
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
  return Object.freeze({
    name: `${kind}(${path})`,
    replaces: resolve(path),
    async open(job?: SinkJob) {
      const target = await prepareTarget(path);
      return job === undefined
        ? DirectWriter.open(target, header, format)
        : EpochWriter.open(target, header, format, job.jobId);
    },
  });
}
