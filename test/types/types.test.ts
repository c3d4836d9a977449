/**
 * Runs the type tests: each `*.test-d.ts` here must compile as it stands. What must be refused is marked
 * `@ts-expect-error`, and the compiler reports a mark that is not needed.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

const folder = import.meta.dirname;
const files = readdirSync(folder).filter((name) => name.endsWith(".test-d.ts"));

describe("type tests", () => {
  let lines: readonly string[] = [];

  beforeAll(() => {
    const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
    const run = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
      cwd: folder,
      encoding: "utf8",
    });
    if (run.error !== undefined) throw run.error;
    // Without a diagnostic, a failure is the compiler's own: a wrong option or a crash.
    if (run.status !== 0 && !/error TS\d+/.test(run.stdout)) throw new Error(`tsc failed\n${run.stdout}${run.stderr}`);
    lines = run.stdout.split("\n");
  });

  test.each(files)("%s compiles, and is refused where it says so", (file) => {
    expect(diagnosticsOf(file, lines)).toBe("");
  });
});

/** The compiler's messages about `file`, each with the indented lines that explain it. */
function diagnosticsOf(file: string, lines: readonly string[]): string {
  const own: string[] = [];
  let inside = false;
  for (const line of lines) {
    if (!line.startsWith(" ")) inside = line.startsWith(`${file}(`);
    if (inside) own.push(line);
  }
  return own.join("\n");
}
