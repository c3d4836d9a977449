/** What the tests of text and ndjson share: a folder of their own, and plain ways to read and write by a source or sink. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ElementMeta } from "../../fn/sink.ts";
import type { Batch, Source, SourceReader } from "../../fn/source.ts";
import { NO_FIRING } from "../../model/pane.ts";
import { MIN_TIMESTAMP } from "../../model/time.ts";
import { GLOBAL_WINDOWS } from "../../model/window.ts";
import type { FileRange } from "./byte-chunks.ts";

export const META: ElementMeta = { timestamp: MIN_TIMESTAMP, windows: GLOBAL_WINDOWS, pane: NO_FIRING };

/** A new folder, removed when the scope ends that holds it with `using`. */
export class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), "tidemark-io-"));

  at(name: string): string {
    return join(this.path, name);
  }

  /** Writes a file. @returns its path */
  file(name: string, content: string | Uint8Array): string {
    writeFileSync(this.at(name), content);
    return this.at(name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Keeps what a poll hands out. */
export class Collected<T> implements Batch<T> {
  readonly values: T[] = [];

  get size(): number {
    return this.values.length;
  }

  add(value: T): void {
    this.values.push(value);
  }
}

/** Polls a reader to its end, `max` at a time, and closes it. */
export async function drain<T>(reader: SourceReader<T, number>, max = 3): Promise<T[]> {
  const batch = new Collected<T>();
  try {
    while (reader.poll(max, batch) !== "end");
  } finally {
    await reader.close();
  }
  return batch.values;
}

/** A reader for each split, opened before the first is polled, as the engine does. */
export async function openAll<T>(
  source: Source<T, FileRange, number>,
  desired = 1,
): Promise<SourceReader<T, number>[]> {
  const readers: SourceReader<T, number>[] = [];
  for (const split of await source.splits(desired)) readers.push(await source.open(split, undefined));
  return readers;
}

/** Everything that a source has, split by split. */
export async function readSplits<T>(source: Source<T, FileRange, number>, desired = 1, max = 3): Promise<T[][]> {
  const parts: T[][] = [];
  for (const split of await source.splits(desired)) parts.push(await drain(await source.open(split, undefined), max));
  return parts;
}

export async function readAll<T>(source: Source<T, FileRange, number>, desired = 1, max = 3): Promise<T[]> {
  return (await readSplits(source, desired, max)).flat();
}
