/** Runs the command in a process of its own, on programs written into a folder of their own. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

export const ROOT: string = dirname(dirname(import.meta.dirname));
export const MAIN: string = join(ROOT, "src/cli/main.ts");

/** What `npm init -y` writes. */
export const NPM_INIT = '{ "name": "newcomer", "version": "1.0.0", "main": "index.js", "type": "commonjs" }';

/** A program that prints 2, 3 and 4; `before` goes on top of its file, `step` is the function of its step. */
export function program({ before = "", step = "(n) => n + 1", imports = "" } = {}): string {
  return `
import { pipeline } from "tidemark";
${imports}
${before}
export default pipeline(import.meta, {
  name: "numbers",
  build(p) {
    p.create("Numbers", [1, 2, 3]).map("Next", ${step}).write("Print", {
      name: "print",
      open: () => ({
        write: (value) => void process.stdout.write(String(value) + "\\n"),
        seal: () => [],
        commit: async () => {},
        lastCommitted: async () => 0,
        close() {},
      }),
    });
  },
});
`;
}
export const PRINTED = "2\n3\n4\n";

const folders: string[] = [];
// Not at the end of each test: the tests of a file run side by side.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Writes files into a new folder, which goes when the tests of the file are over. @returns its path */
export function project(files: Readonly<Record<string, string>>, packages: readonly string[] = []): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tidemark-cli-")));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const name of packages) {
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name), "dir");
  }
  return folder;
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that is running. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when the text has been printed, on either stream. */
  printed(text: string): Promise<void>;
}

/** Starts the command from its sources, without help from the test runner's environment. */
export function start(cwd: string, args: readonly string[], nodeArgs: readonly string[] = []): Running {
  return startProcess(process.execPath, ["--conditions=tidemark-source", ...nodeArgs, MAIN, ...args], cwd);
}

/** Starts any command likewise. */
export function startProcess(command: string, args: readonly string[], cwd: string): Running {
  const { NODE_OPTIONS: _, DEBUG: __, ...env } = process.env;
  const child = spawn(command, args, { cwd, env });
  let [out, err] = ["", ""];
  let looking: (() => void)[] = [];
  const look = (): void => {
    const now = looking;
    looking = [];
    for (const each of now) each();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    look();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    look();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (out.includes(text) || err.includes(text)) resolve();
        else looking.push(check);
      };
      check();
      void ended.then(() => reject(new Error(`it ended without printing ${text}:\n${out}${err}`)));
    });
  return { child, ended, printed };
}

/** Runs the command to its end. */
export function tidemark(cwd: string, ...args: readonly string[]): Promise<Ended> {
  return start(cwd, args).ended;
}
