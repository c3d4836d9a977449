/**
 * The package as its users get it: `npm pack` builds the tarball, an empty project installs it.
 * P1 It loads from JavaScript and from TypeScript that Node runs by itself, and its declarations pass a strict check.
 * P2 Only the entry points of `exports` can be imported.
 * Needs the registry, for the package's own dependencies.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = dirname(dirname(import.meta.dirname));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };

/** What a first program does, in words that are both JavaScript and TypeScript. It must print `PRINTED`. */
const PROGRAM = `
import { countPerElement, pipeline, run } from "tidemark";
import { assertThat, runTest } from "tidemark/testing";

await runTest((p) => {
  assertThat(p.create(["to", "be", "to"]).apply(countPerElement())).containsInAnyOrder([["to", 2], ["be", 1]]);
});
const program = pipeline({ name: "one", build: (p) => p.create([1, 2, 3]).map((n) => n * 2) });
const { elementsRead } = await run(program).wait();
console.log(elementsRead);
`;
const PRINTED = "3\n";

let project = "";
/** Paths inside the tarball. */
let packed: readonly string[] = [];

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "tidemark-pack-"));
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", project], { cwd: root });
  const [tarball] = JSON.parse(stdout) as readonly [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  packed = tarball.files.map(({ path }) => path);
  write("package.json", JSON.stringify({ name: "newcomer", private: true, type: "module" }));
  await run("npm", ["install", "--no-audit", "--no-fund", `./${tarball.filename}`], { cwd: project });
});

afterAll(() => {
  if (project !== "") rmSync(project, { recursive: true, force: true });
});

describe("P1: the package works where it is installed", () => {
  test("a .mjs program runs", async () => {
    write("program.mjs", PROGRAM);
    expect(await node("program.mjs")).toBe(PRINTED);
  });

  test("a .ts program passes the compiler and runs", async () => {
    write("program.ts", PROGRAM);
    const compilerOptions = {
      target: "ES2023",
      module: "NodeNext",
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      types: ["node"],
    };
    write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["program.ts"] }));
    linkNodeTypes();
    await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project]);
    expect(await node("program.ts")).toBe(PRINTED);
  });

  test.each(["tidemark", "tidemark/testing"])("import(%o) loads", async (entry) => {
    expect(await node("-e", `console.log(Object.keys(await import(${JSON.stringify(entry)})).length > 0)`)).toBe(
      "true\n",
    );
  });

  test("its version can be read", async () => {
    const text = `import d from "tidemark/package.json" with { type: "json" }; console.log(d.version)`;
    expect(await node("--input-type=module", "-e", text)).toBe(`${version}\n`);
  });

  test("the README's program runs as it is printed", async () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const printed = /^```ts\n\/\/ words\.ts\n([\s\S]*?)^```/m.exec(readme)?.[1];
    write("words.ts", printed ?? "");
    write("some.md", "to be or not to be\n오늘 또 오늘\n");
    await run(join(project, "node_modules/.bin/tidemark"), ["run", "words.ts"], { cwd: project });
    expect(readFileSync(join(project, "words.txt"), "utf8").trim().split("\n").toSorted()).toEqual(
      ["be: 2", "not: 1", "or: 1", "to: 2", "또: 1", "오늘: 2"].toSorted(),
    );
  });

  test("the command keeps checkpoints: its thread is among the files", async () => {
    write("kept.txt", "to be or not to be\n");
    write(
      "kept.ts",
      `import { pipeline, text } from "tidemark";
      export default pipeline(import.meta, {
        name: "kept",
        build: (p) => p.apply(text.read("kept.txt")).apply(text.write("again.txt")),
      });`,
    );
    const args = ["run", "kept.ts", "--checkpoint-dir", "checkpoints"];
    await run(join(project, "node_modules/.bin/tidemark"), args, { cwd: project });
    expect(readFileSync(join(project, "again.txt"), "utf8")).toBe("to be or not to be\n");
  });

  test("the command runs programs in a small young generation, compiled the last time", async () => {
    write(
      "process.ts",
      `import { getCompileCacheDir } from "node:module";
      process.stdout.write(JSON.stringify([process.execArgv, typeof getCompileCacheDir()]));`,
    );
    const done = run(join(project, "node_modules/.bin/tidemark"), ["run", "process.ts"], { cwd: project });
    // It is no program, and said to be none, after its first line has run.
    const stdout = expect.stringContaining('[["--max-semi-space-size=16"],"string"]');
    await expect(done).rejects.toMatchObject({ stdout });
  });

  test("the command starts and says its version", async () => {
    const { stdout } = await run(join(project, "node_modules/.bin/tidemark"), ["--version"], { cwd: project });
    expect(stdout.trim()).toBe(version);
  });
});

describe("P2: what is inside stays inside", () => {
  test.each(["tidemark/internal", "tidemark/dist/index.js", "tidemark/dist/engine/engine.js", "tidemark/src/index.ts"])(
    "import(%o) is refused",
    async (path) => {
      await expect(node("-e", `await import(${JSON.stringify(path)})`)).rejects.toThrow(
        "ERR_PACKAGE_PATH_NOT_EXPORTED",
      );
    },
  );

  test("the tarball holds no test or fixture, and has the licence", () => {
    expect(packed.filter((path) => /\.(test|fixture)\.|^test\//.test(path))).toEqual([]);
    expect(packed).toEqual(expect.arrayContaining(["LICENSE", "NOTICE", "dist/index.js", "dist/index.d.ts"]));
  });
});

async function node(...args: readonly string[]): Promise<string> {
  // A newcomer's Node knows nothing of our development: no condition, no options of the test runner.
  const env = { ...process.env, NODE_OPTIONS: "" };
  return (await run(process.execPath, [...args], { cwd: project, env })).stdout;
}

/** The types of Node, as a TypeScript project has them. */
function linkNodeTypes(): void {
  for (const name of ["@types", "undici-types"]) {
    symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name), "dir");
  }
}

function write(name: string, text: string): void {
  writeFileSync(join(project, name), text);
}
