/**
 * The traps that Node lays for a first program: each works, or is a coded error that says what to change.
 */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NPM_INIT, PRINTED, program, project, start, tidemark } from "./command.ts";

const WORKS = { code: 0, out: PRINTED };

describe.concurrent("these work", () => {
  test("import in a .ts file under the package.json of `npm init -y`", async () => {
    const folder = project({ "package.json": NPM_INIT, "job.ts": program({ before: "const n: number = 1; void n;" }) });
    expect(await tidemark(folder, "run", "job.ts")).toMatchObject(WORKS);
  });

  test("import in a .js file there", async () => {
    const folder = project({ "package.json": NPM_INIT, "job.js": program() });
    expect(await tidemark(folder, "run", "job.js")).toMatchObject(WORKS);
  });

  test.each(["job.ts", "job.mts", "job.js", "job.mjs"])("%s outside any project", async (file) => {
    expect(await tidemark(project({ [file]: program() }), "run", file)).toMatchObject(WORKS);
  });

  test("./next.js that is really ./next.ts, as TypeScript has its users write", async () => {
    const folder = project({
      "package.json": NPM_INIT,
      "next.ts": "export const next = (n: number): number => n + 1;",
      "job.ts": program({ imports: 'import { next } from "./next.js";', step: "next" }),
    });
    expect(await tidemark(folder, "run", "job.ts")).toMatchObject(WORKS);
  });

  test("a file and a package that import tidemark, too: all get one copy", async () => {
    const folder = project({
      "node_modules/helper/package.json": '{ "name": "helper", "type": "module", "exports": "./index.js" }',
      "node_modules/helper/index.js": 'export { pipeline as theirs } from "tidemark";',
      "old.cjs": 'module.exports = require("tidemark").pipeline;',
      "job.ts": program({
        imports: 'import { theirs } from "helper"; import old from "./old.cjs";',
        before: 'if (theirs !== pipeline || old !== pipeline) throw new Error("two copies");',
      }),
    });
    expect(await tidemark(folder, "run", "job.ts")).toMatchObject(WORKS);
  });

  test("a program with a copy of its own installed is run by that copy", async () => {
    const folder = project({
      "node_modules/tidemark/package.json":
        '{ "name": "tidemark", "type": "module", "bin": { "tidemark": "./cli.js" }, "exports": { "./package.json": "./package.json" } }',
      "node_modules/tidemark/cli.js": 'console.log("the other copy got", ...process.argv.slice(2));',
      "job.ts": program(),
    });
    expect(await tidemark(folder, "run", "job.ts", "--input", "a")).toMatchObject({
      code: 0,
      out: "the other copy got run job.ts --input a\n",
    });
  });

  test("a user's module that is imported later, by a step", async () => {
    const folder = project({
      "package.json": NPM_INIT,
      "later.ts": "export const one: number = 1;",
      "job.ts": program({ step: 'async (n) => n + (await import("./later.ts")).one' }),
    });
    const { code, out } = await tidemark(folder, "run", "job.ts");
    expect({ code, out: out.split("\n").sort() }).toEqual({ code: 0, out: ["", "2", "3", "4"] });
  });
});

interface Trap {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly code: string;
  /** The fix, or a part of it. */
  readonly fix: string;
  /** File and line, from the project's folder. */
  readonly at?: string;
}

/** Of `program()`: where `imports` and `before` stand. */
const [IMPORTS_LINE, BEFORE_LINE] = [3, 4];

const TRAPS: readonly Trap[] = [
  {
    name: "an enum",
    files: { "job.ts": program({ before: "enum Colour { Red }" }) },
    code: "PROGRAM_TS_SYNTAX",
    fix: "union of strings",
    at: `job.ts:${BEFORE_LINE}`,
  },
  {
    name: "an enum in a file that the program imports",
    files: { "job.ts": program({ imports: 'import "./colour.ts";' }), "colour.ts": "\nexport enum Colour { Red }" },
    code: "PROGRAM_TS_SYNTAX",
    fix: "union of strings",
    at: "colour.ts:2",
  },
  {
    name: "a namespace",
    files: { "job.ts": program({ before: "namespace Names { export const a = 1; }" }) },
    code: "PROGRAM_TS_SYNTAX",
    fix: "a module of their own",
    at: `job.ts:${BEFORE_LINE}`,
  },
  {
    name: "a parameter property",
    files: { "job.ts": program({ before: "class Point { constructor(readonly x: number) {} }" }) },
    code: "PROGRAM_TS_SYNTAX",
    fix: "assign it in the constructor",
    at: `job.ts:${BEFORE_LINE}`,
  },
  {
    name: "a type imported without `type`",
    files: {
      "job.ts": program({ imports: 'import { Tweet } from "./types.ts";' }),
      "types.ts": "export interface Tweet { readonly text: string }",
    },
    code: "PROGRAM_TYPE_IMPORT",
    fix: 'write import type { Tweet } from "./types.ts"',
    at: `job.ts:${IMPORTS_LINE}`,
  },
  {
    name: "a type of Tidemark imported without `type`",
    files: { "job.ts": program({ imports: 'import { KV } from "tidemark";' }) },
    code: "PROGRAM_TYPE_IMPORT",
    fix: 'write import type { KV } from "tidemark"',
    at: `job.ts:${IMPORTS_LINE}`,
  },
  {
    name: "a name that the other file does not have at all",
    files: { "job.ts": program({ imports: 'import { nxt } from "./next.ts";' }), "next.ts": "export const next = 1;" },
    code: "PROGRAM_EXPORT_UNKNOWN",
    fix: "check the name",
    at: `job.ts:${IMPORTS_LINE}`,
  },
  {
    name: "an import without extension",
    files: { "job.ts": program({ imports: 'import { next } from "./next";' }), "next.ts": "export const next = 1;" },
    code: "PROGRAM_IMPORT_EXTENSION",
    fix: 'write "./next.ts"',
    at: `job.ts:${IMPORTS_LINE}`,
  },
  {
    name: "an import of a folder",
    files: {
      "job.ts": program({ imports: 'import { next } from "./lib";' }),
      "lib/index.ts": "export const next = 1;",
    },
    code: "PROGRAM_IMPORT_EXTENSION",
    fix: 'write "./lib/index.ts"',
    at: `job.ts:${IMPORTS_LINE}`,
  },
  {
    name: "an import of a file that is not there",
    files: { "job.ts": program({ imports: 'import "./nowhere.ts";' }) },
    code: "PROGRAM_IMPORT_NOT_FOUND",
    fix: "correct the path",
    at: `job.ts:${IMPORTS_LINE}`,
  },
  {
    name: "a package that is not installed",
    files: { "job.ts": program({ imports: 'import { z } from "@scope/zod/mini";' }) },
    code: "PROGRAM_IMPORT_NOT_FOUND",
    fix: "npm install @scope/zod",
    at: `job.ts:${IMPORTS_LINE}`,
  },
  {
    name: "a path alias of tsconfig.json",
    files: { "job.ts": program({ imports: 'import { next } from "@/next";' }) },
    code: "PROGRAM_IMPORT_NOT_FOUND",
    fix: "write a relative path",
    at: `job.ts:${IMPORTS_LINE}`,
  },
  {
    name: "an entry that Tidemark does not have",
    files: { "job.ts": program({ imports: 'import "tidemark/engine";' }) },
    code: "PROGRAM_IMPORT_NOT_FOUND",
    fix: '"exports"',
    at: `job.ts:${IMPORTS_LINE}`,
  },
  {
    name: "JSON without its attribute",
    files: { "job.ts": program({ imports: 'import data from "./data.json";' }), "data.json": "{}" },
    code: "PROGRAM_FAILED_TO_LOAD",
    fix: 'with { type: "json" }',
  },
  {
    name: "a slip of the pen in TypeScript",
    files: { "job.ts": program({ before: "const = 1;" }) },
    code: "PROGRAM_SYNTAX",
    fix: "mend the syntax",
    at: `job.ts:${BEFORE_LINE}`,
  },
  {
    name: "a slip of the pen in JavaScript",
    files: { "job.mjs": program({ imports: 'import "./other.mjs";' }), "other.mjs": "const = 1;" },
    code: "PROGRAM_SYNTAX",
    fix: "mend the syntax",
    at: "other.mjs",
  },
  {
    name: "a program that throws when it is imported",
    files: { "job.ts": program({ before: 'const fail = (): never => { throw new RangeError("boom"); }; fail();' }) },
    code: "PROGRAM_FAILED_TO_LOAD",
    fix: "top level",
    at: `job.ts:${BEFORE_LINE}`,
  },
  {
    name: "a syntax error of data that the program reads is not one of the program",
    files: { "job.ts": program({ before: 'JSON.parse("{");' }) },
    code: "PROGRAM_FAILED_TO_LOAD",
    fix: "top level",
    at: `job.ts:${BEFORE_LINE}`,
  },
  {
    name: "a program that throws something that is no error",
    files: { "job.ts": program({ before: 'throw "boom";' }) },
    code: "PROGRAM_FAILED_TO_LOAD",
    fix: "top level",
    at: "job.ts",
  },
  {
    name: "a promise that is rejected while it is imported, and that nobody awaits",
    files: {
      "job.ts": program({
        before: 'void Promise.reject(new Error("loose")); await new Promise((resolve) => setTimeout(resolve, 60_000));',
      }),
    },
    code: "PROGRAM_UNCAUGHT",
    fix: "await the promise",
    at: `job.ts:${BEFORE_LINE}`,
  },
  {
    name: "a callback that throws while it is built",
    files: {
      "job.ts": program().replace(
        "build(p) {",
        'async build(p) { setTimeout(() => { throw new Error("loose"); }); await new Promise((resolve) => setTimeout(resolve, 60_000));',
      ),
    },
    code: "PROGRAM_UNCAUGHT",
    fix: "await the promise",
    at: "job.ts:7",
  },
  {
    name: "a coded error while it is imported keeps its code, and gets its place",
    files: { "job.ts": '\nimport { pipeline } from "tidemark";\nexport default pipeline({ name: "job" });' },
    code: "PIPELINE_INVALID",
    fix: "build(p, options)",
    at: "job.ts:3",
  },
  {
    name: "a program that throws when it is built",
    files: { "job.ts": program({ step: '(() => { throw new TypeError("not yet"); })()' }) },
    code: "PROGRAM_BUILD_FAILED",
    fix: "mend the function build",
    at: "job.ts:8",
  },
  {
    name: "no default export",
    files: { "job.ts": "export const a = 1;" },
    code: "PROGRAM_NO_DEFAULT_EXPORT",
    fix: "write export default pipeline(import.meta",
    at: "job.ts",
  },
  {
    name: "a program exported under a name only",
    files: { "job.ts": program().replace("export default", "export const numbers =") },
    code: "PROGRAM_NO_DEFAULT_EXPORT",
    fix: "write export default numbers",
    at: "job.ts",
  },
  {
    name: "a default export that is no program",
    files: { "job.ts": "export default () => {};" },
    code: "PROGRAM_NO_DEFAULT_EXPORT",
    fix: "write export default pipeline(import.meta",
    at: "job.ts",
  },
  {
    name: "an await at the top level that never ends",
    files: { "job.ts": program({ before: "await new Promise(() => {});" }) },
    code: "JOB_NEVER_SETTLED",
    fix: "resolve is never called",
  },
];

describe.concurrent("these are coded errors with a fix", () => {
  test.for(TRAPS)("$name: $code", async ({ files, code, fix, at }, { expect }) => {
    const folder = project({ "package.json": NPM_INIT, ...files });
    const main = "job.mjs" in files ? "job.mjs" : "job.ts";
    const ended = await tidemark(folder, "graph", main, "--options", "{}");
    expect(ended.err).toContain(`tidemark: [${code}] `);
    expect(/fix: (.*)/.exec(ended.err)?.[1]).toContain(fix);
    if (at !== undefined) expect(`${/ at: (.*)/.exec(ended.err)?.[1]}:`).toContain(`${join(folder, at)}:`);
    expect(ended).toMatchObject({ code: 1, out: "" });
    // The stack of Node's loader tells a user nothing.
    expect(ended.err).not.toContain("node:internal");
  });

  test("PROGRAM_NOT_FOUND: no such file, with the file that was meant", async () => {
    const folder = project({ "job.ts": program(), "lib/index.ts": program() });
    const missing = await tidemark(folder, "run", "nowhere.ts");
    expect(missing).toMatchObject({ code: 2, out: "" });
    expect(missing.err).toContain(`[PROGRAM_NOT_FOUND] there is no file ${join(folder, "nowhere.ts")}`);
    expect((await tidemark(folder, "run", "job")).err).toContain("fix: write job.ts\n");
    expect((await tidemark(folder, "run", "lib")).err).toContain("fix: write lib/index.ts\n");
  });

  test("PROGRAM_FILE_KIND: a file that is no module", async () => {
    const ended = await tidemark(project({ "job.py": "" }), "run", "job.py");
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toContain("[PROGRAM_FILE_KIND] job.py");
  });

  test("RUN_ON_IMPORT: a program that runs itself when it is imported", async () => {
    const run = new URL("../../src/runners/embedded/run.ts", import.meta.url).href;
    const source = program({ imports: `import { run } from "${run}";` });
    const folder = project({
      "job.ts": source.replace("export default", "const job =") + "run(job); export default job;",
    });
    const ended = await tidemark(folder, "run", "job.ts");
    expect(ended).toMatchObject({ code: 1, out: "" });
    expect(ended.err).toContain("[RUN_ON_IMPORT]");
  });

  test("NODE_TOO_OLD: names both versions, before anything else is loaded", async () => {
    const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })';
    const ended = await start("/", ["run", "nowhere.ts"], ["--import", `data:text/javascript,${older}`]).ended;
    expect(ended).toMatchObject({ code: 1, out: "" });
    expect(ended.err).toMatch(/\[NODE_TOO_OLD\] this is Node 20\.20\.2, and Tidemark needs Node 22\.22 or later/);
  });
});
