/**
 * Every example of a docstring, of README.md, docs/explain.md and docs/sinks.md is type-checked and run, and no public name is without one.
 * CONTRIBUTING.md says how examples are written, and which names need one.
 */
import { fork, spawn } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, test } from "vitest";
import { publicApi, type Public } from "./docstrings.ts";
import { type Example, ExampleError, examplesOfMarkdown, examplesOfSource, moduleOf } from "./examples.ts";
import type { Task } from "./run-examples.fixture.ts";

const root = dirname(dirname(import.meta.dirname));
/** Where the modules are written: a folder that nothing else looks into. */
const generated = join(import.meta.dirname, ".examples");
/** Examples that are wrong on purpose, one for each way to fail. */
const WRONG = "test/docs/wrong.md";
/** Shown by JavaScript itself calling them. */
const CALLED_BY_LANGUAGE = ["toString", "toJSON"];

const api = publicApi(root);
const sources = globSync("src/**/*.ts", { cwd: root })
  .map((path) => path.split(sep).join("/"))
  .filter((path) => !/\.(?:test|fixture)\.ts$/.test(path))
  .sort();
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** By `path:line`: what is wrong with an example. */
const problems = new Map<string, string[]>();
const examples: readonly Example[] = [
  ...sources.flatMap((path) => orProblem([], () => examplesOfSource(path, read(path)))),
  ...[WRONG, "README.md", "docs/explain.md", "docs/sinks.md"].flatMap((path) =>
    orProblem([], () => examplesOfMarkdown(path, read(path))),
  ),
];

/** What `make` gives, or `otherwise`; an ExampleError is kept for the tests to tell. */
function orProblem<T>(otherwise: T, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ExampleError)) throw error;
    report(error.message);
    return otherwise;
  }
}

/** Keeps a problem of the example that begins at `place`; without it the problem says its own place. */
function report(problem: string, place: string = /^\S+?:\d+/.exec(problem)?.[0] ?? "nowhere"): void {
  problems.set(place, [...(problems.get(place) ?? []), /^\S+:\d+/.test(problem) ? problem : `${place}: ${problem}`]);
}

const placeOf = ({ path, line }: Example): string => `${path}:${line}`;

/** `message` with the files that modules were made of in place of the modules: both have the same lines. */
function named(message: string): string {
  const ofModule = /(?:file:\/\/)?[\w./\\:-]*\.examples[/\\]([^\s()]+?)[/\\]\d+\.ts[:(](\d+)(?:[:,]\d+)?\)?/g;
  return message.replaceAll(ofModule, (_, path: string, line: string) => `${path.split(sep).join("/")}:${line}`);
}

beforeAll(async () => {
  rmSync(generated, { recursive: true, force: true });
  const written = examples.flatMap((example) => {
    const file = join(generated, example.path, `${example.line}.ts`);
    const kit = relative(dirname(file), join(import.meta.dirname, "kit.fixture.ts"))
      .split(sep)
      .join("/");
    const made = orProblem(undefined, () => moduleOf(example, api, kit));
    if (made === undefined) return [];
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, made.text);
    const places = made.sites.map((line) => `${example.path}:${line}`);
    return [{ example, file, places, limitMs: example.path === WRONG ? 200 : 5000 }];
  });
  writeFileSync(
    join(generated, "tsconfig.json"),
    JSON.stringify({
      extends: "../../../tsconfig.json",
      compilerOptions: { declaration: false },
      // Patterns pass over folders whose name begins with a dot.
      files: written.map(({ file }) => file),
    }),
  );
  const [diagnostics, failures] = await Promise.all([typeCheck(), runAll(written)]);
  const byFile = new Map(written.map(({ file, example }) => [relative(root, file).split(sep).join("/"), example]));
  for (const diagnostic of diagnostics) {
    const example = byFile.get(/^(.*?\.ts)\(/.exec(diagnostic)?.[1] ?? "");
    report(named(diagnostic), example && placeOf(example));
  }
  failures.forEach((failure, i) => {
    if (failure !== null) report(named(failure), placeOf((written[i] as { example: Example }).example));
  });
});

/** The compiler's messages, each with the lines that explain it. */
async function typeCheck(): Promise<readonly string[]> {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const compiler = spawn(process.execPath, [tsc, "-p", generated, "--pretty", "false"], { cwd: root });
  const [out, err] = await Promise.all([text(compiler.stdout), text(compiler.stderr)]);
  if (err !== "") throw new Error(`tsc failed\n${out}${err}`);
  return out.split(/\n(?!\s)/).filter((line) => line !== "");
}

/** What went wrong with each, or null. */
async function runAll(tasks: readonly Task[]): Promise<readonly (string | null)[]> {
  const list = join(generated, "tasks.json");
  writeFileSync(list, JSON.stringify(tasks));
  const child = fork(join(import.meta.dirname, "run-examples.fixture.ts"), [list], {
    execArgv: ["--conditions=tidemark-source", "--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let results: readonly (string | null)[] | undefined;
  child.on("message", (message) => (results = message as readonly (string | null)[]));
  const [out, err] = await Promise.all([text(child.stdout as never), text(child.stderr as never)]);
  if (results === undefined) throw new Error(`the examples did not come to an end\n${out}${err}`);
  return results;
}

describe("examples are checked and run", () => {
  test.each(examples.filter(({ path }) => path !== WRONG).map(placeOf))("%s", (place) => {
    if (problems.has(place)) throw new Error(problems.get(place)?.join("\n"));
  });

  test("nothing is wrong anywhere else", () => {
    const places = new Set(examples.map(placeOf));
    const others = [...problems].filter(([place]) => !places.has(place) && !place.startsWith(WRONG));
    expect(others.flatMap(([, found]) => found)).toEqual([]);
  });

  test("an example that is wrong fails, and says where", () => {
    const found = [...problems].filter(([place]) => place.startsWith(WRONG)).flatMap(([, texts]) => texts);
    expect(found.map((text) => String(text.split("\n")[0])).sort()).toMatchInlineSnapshot(`
      [
        "test/docs/wrong.md:14: [ASSERTION_FAILED] the collection is not as asserted",
        "test/docs/wrong.md:20: expected the error WINDOW_INVALID, but nothing failed",
        "test/docs/wrong.md:26: error TS2322: Type 'string' is not assignable to type 'number'.",
        "test/docs/wrong.md:26: error TS2345: Argument of type 'string' is not assignable to parameter of type 'number'.",
        "test/docs/wrong.md:26: expected '5000'",
        "test/docs/wrong.md:33: the comparison was never made",
        "test/docs/wrong.md:41: the example asserts nothing: end a statement with \`// -> value\`",
        "test/docs/wrong.md:48: "// -> true" stands behind no statement",
        "test/docs/wrong.md:55: the example did not end within 200 ms",
        "test/docs/wrong.md:61: Expected a semicolon or an implicit semicolon after a statement, but found none",
        "test/docs/wrong.md:8: expected 5",
      ]
    `);
    expect(found.join("\n")).toContain(`${WRONG}:14: expected 1, 3\n    actual   [ 1, 2 ]`);
  });
});

test("an @example without a block is no example", () => {
  const source = "/**\n * Five.\n *\n * @example\n * seconds(5); // -> 5000\n */";
  expect(() => examplesOfSource("a.ts", source)).toThrow("a.ts:4: @example without a ```ts block");
});

describe("public names", () => {
  test("have a docstring", () => {
    expect(api.all.filter(({ doc }) => doc === undefined).map(shown)).toEqual([]);
  });

  test("have an example, unless they are types", () => {
    expect(api.all.filter((item) => !isShown(item)).map(shown)).toEqual([]);
  });
});

function shown({ path, line, name, kind }: Public): string {
  return `${path}:${line}: the ${kind} ${name}`;
}

/** Types need no example. A method needs one of its own, or is used in an example of its class. */
function isShown({ name, kind, doc = "", of }: Public): boolean {
  if (kind === "type" || of?.kind === "type" || doc.includes("@example")) return true;
  if (kind !== "method") return false;
  const method = name.split(".").at(-1) as string;
  const ofClass = of?.doc?.split("@example").slice(1).join("") ?? "";
  return CALLED_BY_LANGUAGE.includes(method) || new RegExp(`\\.${method}\\b`).test(ofClass);
}
