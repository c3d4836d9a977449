/**
 * A file for each window, or for each pane of it: what `text.writeWindows` and `ndjson.writeWindows` share.
 *
 * I1 A file is written beside its place and renamed: under its name it is whole. Written again after a crash it is the same.
 * I2 With checkpoints it appears with the checkpoint after its pane; without, when the pane has fired.
 * I3 Names are made of times and numbers alone, or encoded: no window leads out of the folder.
 */
import { rename } from "node:fs/promises";
import { resolve } from "node:path";
import { TidemarkError } from "../../base/errors.ts";
import { decodeFromBytes, encodeToBytes } from "../../coders/coder.ts";
import { valueCoder } from "../../coders/value.ts";
import type { KV } from "../../fn/do-fn.ts";
import type { ElementMeta, Epoch, Sink, SinkJob, SinkWriter } from "../../fn/sink.ts";
import type { Pane } from "../../model/pane.ts";
import { IntervalWindow, type Window } from "../../model/window.ts";
import type { WindowingStrategy } from "../../model/windowing.ts";
import type { PCollection } from "../../pipeline/index.ts";
import { openAside, sweepAside } from "../../platform/aside.ts";
import { prepareTarget, writeError } from "../../platform/files.ts";

/** How the files of windows are written; all members optional. */
export interface WindowFilesOptions {
  /** The first line of each file. */
  readonly header?: string;
}

const NEW_FILE_MODE = 0o666;
const PLACEHOLDERS = ["{start}", "{end}", "{window}", "{pane}"];

/** Gathers the lines of each pane and writes them as a file. @throws TRANSFORM_INVALID */
export function writeWindowFiles<T>(
  kind: string,
  values: PCollection<T>,
  pattern: string,
  { header }: WindowFilesOptions,
  format: (value: T) => string,
): void {
  checkPattern(kind, pattern, values.windowing);
  values
    .map("Key", (value): KV<null, T> => [null, value])
    .groupByKey("Gather")
    .write("Write", windowFiles(kind, pattern, header === undefined ? "" : `${header}\n`, format));
}

function checkPattern(kind: string, pattern: unknown, { windowFn, trigger, ...windowing }: WindowingStrategy): void {
  const has = (placeholder: string): boolean => String(pattern).includes(placeholder);
  const unknown = /\{[^{}]*\}/g.exec(String(pattern).replaceAll(/\{(start|end|window|pane)\}/g, ""))?.[0];
  const mayFireAgain = trigger.kind !== "default" || windowing.allowedLateness > 0;
  const problem =
    typeof pattern !== "string" || pattern === ""
      ? `is given ${JSON.stringify(pattern) ?? String(pattern)}`
      : unknown !== undefined
        ? `knows no ${unknown}`
        : !has("{start}") && !has("{end}") && !has("{window}") && windowFn.kind !== "global"
          ? "would write all windows into one file"
          : windowing.accumulation === "discarding" && mayFireAgain && !has("{pane}")
            ? "would replace a pane by the next one, which does not have what was in it"
            : undefined;
  if (problem === undefined) return;
  throw new TidemarkError("TRANSFORM_INVALID", {
    what: `${kind}.writeWindows(${JSON.stringify(pattern)}) ${problem}`,
    why: `names of files are made of ${PLACEHOLDERS.join(", ")}: times in UTC, the window's own id, and the number of the pane`,
    fix: `write ${kind}.writeWindows("counts/{start}-{pane}.txt")`,
  });
}

/** @param pattern with placeholders */
function windowFiles<T>(
  kind: string,
  pattern: string,
  header: string,
  format: (value: T) => string,
): Sink<KV<null, Iterable<T>>> {
  return Object.freeze({
    name: `${kind}(${pattern})`,
    replaces: resolve(pattern),
    open: (job?: SinkJob) => new WindowFilesWriter(pattern, header, format, job !== undefined),
  });
}

class WindowFilesWriter<T> implements SinkWriter<KV<null, Iterable<T>>> {
  readonly #pattern: string;
  readonly #header: string;
  readonly #format: (value: T) => string;
  readonly #isDurable: boolean;
  /** Files by their paths; what is written later replaces what was. */
  #pending = new Map<string, string>();
  #last: Epoch = 0;

  constructor(pattern: string, header: string, format: (value: T) => string, isDurable: boolean) {
    this.#pattern = pattern;
    this.#header = header;
    this.#format = format;
    this.#isDurable = isDurable;
  }

  write([, values]: KV<null, Iterable<T>>, { windows, pane }: ElementMeta): boolean {
    let text = this.#header;
    for (const value of values) text += `${this.#format(value)}\n`;
    const path = nameOf(this.#pattern, windows[0] as Window, pane);
    this.#pending.delete(path);
    this.#pending.set(path, text);
    return this.#isDurable;
  }

  async flush(): Promise<void> {
    if (this.#isDurable) return;
    const pending = this.#pending;
    this.#pending = new Map();
    for (const [path, text] of pending) await replaceFile(path, text);
  }

  seal(): Uint8Array[] {
    const chunks = Array.from(this.#pending, (file) => encodeToBytes(valueCoder, file));
    this.#pending = new Map();
    return chunks;
  }

  async commit(epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      const [path, text] = decodeFromBytes(valueCoder, chunk) as [string, string];
      await replaceFile(path, text);
    }
    this.#last = epoch;
  }

  /** Nothing outside says so: after a restart the last epoch is written again, and its files are the same. */
  lastCommitted(): Promise<Epoch> {
    return Promise.resolve(this.#last);
  }

  close(): void {}
}

function nameOf(pattern: string, window: Window, { index }: Pane): string {
  const { start, end } = window instanceof IntervalWindow ? window : { start: undefined, end: undefined };
  const time = (at: number | undefined): string => (at === undefined ? plain(window.id) : timeText(at));
  return pattern
    .replaceAll("{start}", time(start))
    .replaceAll("{end}", time(end))
    .replaceAll("{window}", plain(window.id))
    .replaceAll("{pane}", String(index));
}

/** As in `2026-11-24T10-00-00.000Z`, without the colons that some file systems refuse; outside of years of four digits in ms. */
function timeText(at: number): string {
  const year = new Date(at).getUTCFullYear();
  return year >= 0 && year <= 9999 ? new Date(at).toISOString().replaceAll(":", "-") : String(at);
}

/** A name of one file, whatever is in it. */
function plain(id: string): string {
  return encodeURIComponent(id).replaceAll(".", "%2E").replaceAll("*", "%2A");
}

/** @throws FILE_UNWRITABLE, FILE_IS_DIRECTORY */
async function replaceFile(path: string, text: string): Promise<void> {
  const target = await prepareTarget(path);
  await sweepAside(target.path);
  const aside = await openAside(target.path, target.mode ?? NEW_FILE_MODE);
  try {
    try {
      await aside.handle.writeFile(text);
      await aside.handle.sync();
    } finally {
      await aside.handle.close();
    }
    await rename(aside.path, target.path);
  } catch (error) {
    throw writeError(error, target.path);
  }
}
