/** Looks into a checkpoint folder, and copies it, while its job runs or not. Path: cli/savepoint.ts -> HERE. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TidemarkError } from "../base/errors.ts";
import { decodeFromBytes } from "../coders/coder.ts";
import { valueCoder } from "../coders/value.ts";
import type { StageFacts } from "../engine/freezing.ts";
import { layoutText } from "../host/layouts.ts";
import { CheckpointReader, type ChunkRow, problemOf } from "./checkpoint-reader.ts";

/** What one step has in a checkpoint. */
export interface StepFacts {
  readonly step: string;
  /** Records: keys of windows. */
  readonly records: number;
  /** What records are, as the step declares it; absent where it keeps none. */
  readonly layout: string | undefined;
  /** Bytes of output that wait to be committed. */
  readonly sealedBytes: number;
}

export interface CheckpointFacts {
  readonly epoch: number;
  readonly kind: string;
  readonly createdMs: number;
  /** What is wrong with it; empty where nothing is. */
  readonly problem: string;
  readonly steps: readonly StepFacts[];
}

export interface FolderFacts {
  readonly job: string;
  readonly ended: boolean;
  readonly bytes: number;
  /** The newest first. */
  readonly checkpoints: readonly CheckpointFacts[];
}

/** @throws CHECKPOINT_NOT_FOUND, CHECKPOINT_DAMAGED */
export function lookInto(folder: string): FolderFacts {
  return reading(folder, (reader) => {
    const meta = reader.meta();
    return {
      job: meta.get("name") ?? "",
      ended: meta.get("ended") === "yes",
      bytes: reader.bytes(),
      checkpoints: reader.checkpoints().map((row) => {
        const chunks = reader.chunks(row.epoch);
        const problem = problemOf(row, chunks, Number(meta.get("folded") ?? 0));
        const { epoch, kind, created_ms: createdMs } = row;
        return { epoch, kind, createdMs, problem, steps: problem === "" ? stepsOf(chunks) : [] };
      }),
    };
  });
}

/** The name of the job that a folder is of. @throws as `lookInto` */
export function jobOf(folder: string): string {
  return reading(folder, (reader) => reader.meta().get("name") ?? "");
}

/** @param visit given a reader of the folder, which is closed when it has returned @throws CHECKPOINT_NOT_FOUND, CHECKPOINT_DAMAGED */
export function reading<T>(folder: string, visit: (reader: CheckpointReader) => T): T {
  const path = databaseIn(folder);
  let reader: CheckpointReader | undefined;
  try {
    reader = new CheckpointReader(path, (why) => damaged(path, why));
    return visit(reader);
  } catch (error) {
    throw error instanceof TidemarkError ? error : damaged(path, String(error), error);
  } finally {
    reader?.close();
  }
}

function stepsOf(chunks: readonly ChunkRow[]): StepFacts[] {
  return chunks
    .filter(({ kind }) => kind === "stage")
    .map(({ step, body }) => {
      const { layouts, windows } = decodeFromBytes(valueCoder, body) as StageFacts;
      const layout = layouts?.at(-1);
      const sealed = chunks.filter((chunk) => chunk.kind === "sealed" && chunk.step === step);
      return {
        step,
        records: windows.reduce((sum, [, , records]) => sum + records, 0),
        layout: layout && layoutText(layout),
        sealedBytes: sealed.reduce((sum, chunk) => sum + chunk.body.length, 0),
      };
    });
}

/**
 * Copies what is complete at this moment into a new folder, from which the job can go on; the job may be running meanwhile.
 * @throws CHECKPOINT_NOT_FOUND, CHECKPOINT_DAMAGED, FILE_UNWRITABLE
 */
export function copyFolder(from: string, to: string): void {
  const path = databaseIn(from);
  if (existsSync(to) && readdirSync(to).length > 0) throw notEmpty(to);
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    mkdirSync(to, { recursive: true });
    database.prepare("VACUUM INTO ?").run(join(to, DATABASE));
  } catch (error) {
    throw new TidemarkError("FILE_UNWRITABLE", {
      what: `${from} could not be copied to ${to}: ${String(error)}`,
      fix: "name a new folder on a disk with room for it",
      domain: "external",
      cause: error,
    });
  } finally {
    database.close();
  }
}

const DATABASE = "checkpoints.db";

function databaseIn(folder: string): string {
  const path = join(folder, DATABASE);
  if (existsSync(path)) return path;
  throw new TidemarkError("CHECKPOINT_NOT_FOUND", {
    what: `there are no checkpoints in ${folder}`,
    why: `a folder of checkpoints has a file ${DATABASE}`,
    fix: "name the folder that the job was given as --checkpoint-dir",
  });
}

/** The folder is that of another job. */
export function otherJob(folder: string, job: string, name: string): TidemarkError {
  return new TidemarkError("CHECKPOINT_INCOMPATIBLE", {
    what: `the checkpoints in ${folder} are those of job "${job}", not of "${name}"`,
    fix: "give each job a --checkpoint-dir of its own",
  });
}

function notEmpty(folder: string): TidemarkError {
  return new TidemarkError("FILE_UNWRITABLE", {
    what: `${folder} is not empty`,
    why: "a copy beside other files could be taken for theirs",
    fix: "name a new folder",
  });
}

function damaged(path: string, why: string, cause?: unknown): TidemarkError {
  return new TidemarkError("CHECKPOINT_DAMAGED", {
    what: `the checkpoints in ${path} cannot be read: ${why}`,
    fix: "look at a copy that was made before",
    domain: "external",
    ...(cause !== undefined && { cause }),
  });
}
