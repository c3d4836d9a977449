/** What a loaded program says of its files. In a process of its own: Node's hooks stay once they are set. */
import { execFile } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const LOAD = new URL("load.ts", import.meta.url).href;
const program = (imports: string): string => `
import { pipeline } from "tidemark";
${imports}
export default pipeline(import.meta, { name: "job", build(p) { p.create([1]); } });
`;

/** Loads programs one after the other in one process. @returns the names of each one's files */
async function filesOf(
  files: Readonly<Record<string, string>>,
  programs: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tidemark-load-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const script = `
    const { loadProgram } = await import(${JSON.stringify(LOAD)});
    const names = [];
    for (const path of ${JSON.stringify(programs)}) {
      const { files } = await loadProgram(path);
      names.push([...files.keys()].map((url) => url.split("/").at(-1)).sort());
    }
    console.log(JSON.stringify(names));`;
  const args = ["--conditions=tidemark-source", "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  return JSON.parse(stdout) as readonly (readonly string[])[];
}

test("a program's files are those it reaches by imports, not those of programs loaded before it", async () => {
  const files = {
    "a.ts": program('import "./only-a.ts"; import "./shared.js";'),
    "b.ts": program('import "./shared.ts";'),
    "only-a.ts": "export {};",
    "shared.ts": 'import "./deep.ts";',
    "deep.ts": 'import "./shared.ts";',
  };
  expect(await filesOf(files, ["a.ts", "b.ts", "a.ts"])).toEqual([
    ["a.ts", "deep.ts", "only-a.ts", "shared.ts"],
    ["b.ts", "deep.ts", "shared.ts"],
    ["a.ts", "deep.ts", "only-a.ts", "shared.ts"],
  ]);
});
