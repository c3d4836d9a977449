/**
 * The lock of a folder: one process at a time, for as long as it lives.
 *
 * L1 Held by the operating system for the process, so that it is free the moment the process has ended, however it ended, and not
 *    before: a process that is stopped (SIGSTOP) holds it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TidemarkError } from "../base/errors.ts";

export interface OwnerLock {
  release(): void;
}

/** @param owner the job's name @throws CHECKPOINT_LOCKED */
export function lockFolder(folder: string, owner: string): OwnerLock {
  const notes = join(folder, "owner.json");
  const database = new DatabaseSync(join(folder, "lock.db"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
    writeFileSync(notes, JSON.stringify({ job: owner, pid: process.pid, since: new Date().toISOString() }));
  } catch (error) {
    database.close();
    if (!/locked|busy/i.test(String(error))) throw error;
    throw locked(folder, notes);
  }
  return {
    release() {
      database.close();
    },
  };
}

function locked(folder: string, notes: string): TidemarkError {
  let holder = "another process";
  try {
    const { job, pid } = JSON.parse(readFileSync(notes, "utf8")) as { job: string; pid: number };
    holder = `job "${job}" in process ${pid}`;
  } catch {
    // It has not said yet who it is.
  }
  return new TidemarkError("CHECKPOINT_LOCKED", {
    what: `the checkpoints in ${folder} belong to ${holder}, which is still there`,
    why: "two jobs that write the same checkpoints and output would undo each other's work",
    fix: "stop it first (a process that is suspended holds them too), or give this job another --checkpoint-dir",
    domain: "external",
  });
}
