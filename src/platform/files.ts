/**
 * Files as io needs them: found by name or pattern, checked, and with coded errors in place of Node's.
 *
 * F1 Every failure names the file and says what to do; a missing file, a folder and a pattern without a match have codes of
 *    their own.
 * F2 The order of files does not depend on the file system: patterns in the order given, matches of one by code unit.
 */
import { readSync, type Stats } from "node:fs";
import { glob, mkdir, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { TidemarkError } from "../base/errors.ts";

/** A regular file and how long it was when it was found. */
export interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Where a file is to appear. */
export interface TargetFile {
  /** Symbolic links are followed, so that a rename replaces the file and not the link. */
  readonly path: string;
  /** The permissions of the file that is there, or undefined when there is none. */
  readonly mode: number | undefined;
}

const PATTERN_CHARACTERS = /[*?[\]{}()!]/;

/**
 * The files that `patterns` name: paths, or glob patterns such as `data/*.txt` and `logs/**\/*.log`. A file that exists under
 * exactly that name is meant literally. Folders that a pattern matches are passed over; a file matched twice counts once.
 * @throws FILE_NOT_FOUND, FILE_NO_MATCH, FILE_IS_DIRECTORY, FILE_UNREADABLE
 */
export async function matchFiles(patterns: readonly string[]): Promise<readonly FoundFile[]> {
  const found = new Map<string, FoundFile>();
  for (const pattern of patterns) {
    const files =
      (await isThere(pattern)) || !PATTERN_CHARACTERS.test(pattern)
        ? [await readableFile(pattern)]
        : await globFiles(pattern);
    for (const file of files) {
      const key = resolve(file.path);
      if (!found.has(key)) found.set(key, file);
    }
  }
  return [...found.values()];
}

async function isThere(path: string): Promise<boolean> {
  return (await statOf(path)) !== undefined;
}

async function globFiles(pattern: string): Promise<readonly FoundFile[]> {
  const files: FoundFile[] = [];
  try {
    for await (const path of glob(pattern)) {
      const stats = await stat(path);
      if (stats.isFile()) files.push({ path, sizeBytes: stats.size });
    }
  } catch (error) {
    throw readError(error, pattern);
  }
  if (files.length === 0) {
    throw new TidemarkError("FILE_NO_MATCH", {
      what: `no file matches ${pattern}`,
      why: `patterns without a leading / begin in the current folder, ${process.cwd()}`,
      fix: "check the pattern and the folder, and that the files have been written",
      domain: "external",
    });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

async function readableFile(path: string): Promise<FoundFile> {
  let stats: Stats;
  try {
    stats = await stat(path);
  } catch (error) {
    throw readError(error, path);
  }
  if (stats.isDirectory())
    throw isDirectory(path, `read the files in it by a pattern, as in ${path.replace(/\/$/, "")}/*`);
  if (!stats.isFile()) {
    throw new TidemarkError("FILE_UNREADABLE", {
      what: `${path} is not a regular file`,
      why: "a pipe or device cannot be read from the middle, as splits and restarts do",
      fix: "write its content to a file first",
      domain: "external",
    });
  }
  return { path, sizeBytes: stats.size };
}

/**
 * Where `path` leads; makes the folders on the way.
 * @throws FILE_IS_DIRECTORY, FILE_UNWRITABLE
 */
export async function prepareTarget(path: string): Promise<TargetFile> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const stats = await statOf(path);
    if (stats === undefined) return { path, mode: undefined };
    if (stats.isDirectory()) throw isDirectory(path, `name a file in it, as in ${path.replace(/\/$/, "")}/out.txt`);
    if (stats.isFile()) return { path: await realpath(path), mode: stats.mode & 0o777 };
  } catch (error) {
    throw writeError(error, path);
  }
  throw new TidemarkError("FILE_UNWRITABLE", {
    what: `${path} is not a regular file`,
    why: "output is written beside its place and renamed at the end, which would replace the pipe or device",
    fix: "write to a file, and send that on when the job is done",
    domain: "external",
  });
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

/** Reads up to `length` bytes at `position`; fewer only at the file's end. @returns how many */
export function readFully(fd: number, buffer: Buffer, length: number, position: number): number {
  let done = 0;
  while (done < length) {
    const count = readSync(fd, buffer, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** What went wrong in reading `path`, as a coded error. */
export function readError(error: unknown, path: string): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const code = systemCode(error);
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new TidemarkError("FILE_NOT_FOUND", {
      what: `there is no file ${path}`,
      why: `paths without a leading / begin in the current folder, ${process.cwd()}`,
      fix: "check the path and the folder",
      domain: "external",
      cause: error,
    });
  }
  if (code === "EISDIR") return isDirectory(path, `read the files in it by a pattern, as in ${path}/*`);
  return new TidemarkError("FILE_UNREADABLE", {
    what: `${path} cannot be read: ${messageOf(error)}`,
    fix:
      code === "EACCES" || code === "EPERM"
        ? "give the user that runs the job the right to read it"
        : "check the file and its disk",
    domain: "external",
    cause: error,
  });
}

/** What went wrong in writing `path`, as a coded error. */
export function writeError(error: unknown, path: string): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const code = systemCode(error);
  const fixes: Readonly<Record<string, string>> = {
    EACCES: "give the user that runs the job the right to write in its folder",
    EPERM: "give the user that runs the job the right to write in its folder",
    ENOSPC: "make room on the disk",
  };
  return new TidemarkError("FILE_UNWRITABLE", {
    what: `${path} cannot be written: ${messageOf(error)}`,
    fix: fixes[code ?? ""] ?? "check the path and its disk",
    domain: "external",
    cause: error,
  });
}

function isDirectory(path: string, fix: string): TidemarkError {
  return new TidemarkError("FILE_IS_DIRECTORY", { what: `${path} is a folder, not a file`, fix, domain: "external" });
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
