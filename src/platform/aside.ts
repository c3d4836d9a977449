/**
 * Names of files that are written beside their place, and what runs that were killed have left of them.
 *
 * A1 A name says who writes: machine, process and number. Removed is only what is certainly nobody's any more: on this machine, of a
 *    process that does not live, or of this one's id and older than it is.
 */
import { type FileHandle, open, readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { writeError } from "./files.ts";

export interface AsideFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** How much older a file of this process's id must be than the process, as clocks of file systems are coarse. */
const AGE_MS = 2000;

/** A new file beside `path`, open for writing. @throws FILE_UNWRITABLE */
export async function openAside(path: string, mode: number): Promise<AsideFile> {
  for (let n = 1; ; n++) {
    const aside = `${path}${suffixOf(process.pid)}${n}`;
    try {
      return { path: aside, handle: await open(aside, "wx", mode) };
    } catch (error) {
      // Another writer's of this process.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw writeError(error, path);
    }
  }
}

/** Removes what runs that were killed have left beside `path`. */
export async function sweepAside(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}${suffixOf("")}`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const owner = /^(\d+)-\d+$/.exec(name.slice(prefix.length))?.[1];
    if (owner !== undefined && (await isLeft(join(folder, name), Number(owner)))) {
      await rm(join(folder, name), { force: true });
    }
  }
}

function suffixOf(pid: number | ""): string {
  return `.tmp-${encodeURIComponent(hostname())}-${pid === "" ? "" : `${pid}-`}`;
}

async function isLeft(path: string, pid: number): Promise<boolean> {
  if (pid !== process.pid) return !isAlive(pid);
  const begunMs = Date.now() - process.uptime() * 1000;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.mtimeMs < begunMs - AGE_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Any other answer means that it is there, though not ours to signal.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
