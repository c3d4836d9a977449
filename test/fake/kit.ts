/** Scripts of this folder in processes of their own: there Node itself loads programs, as for the command line. */
import { execFile } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

/** Runs a script of this folder. @returns what it prints */
export async function script(name: string, ...args: readonly string[]): Promise<string> {
  const node = ["--conditions=tidemark-source", join(import.meta.dirname, `${name}.fixture.ts`), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, node, { maxBuffer: 1 << 26 });
  return stdout;
}

/** A folder that goes when the test is over. */
export function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "tidemark-fake-")));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
