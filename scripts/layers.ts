/**
 * Checks the direction of imports and the determinism border (npm run layers; test/package/layers.test.ts).
 * ARCHITECTURE.md holds the rules, in its blocks `layers` and `clock`; nothing is repeated here.
 *
 * R1 A file imports a lower layer or its own folder. `import type`, `export … from`, `import()` and types by
 *    `import("…")` count; src/index.ts is above all, and nobody imports it.
 * R2 Outside the folders of the block `clock`, nothing reads the clock, draws a random number or sets a timer.
 * R3 Every folder of src stands in the list, and src imports no file outside src.
 * Files named *.test.ts are free of all rules.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { parseSync, Visitor, type VisitorObject } from "oxc-parser";

/** One folder of the list. */
export interface Layer {
  readonly rank: number;
  readonly folder: string;
  readonly job: string;
}

/** What ARCHITECTURE.md decides. */
export interface Rules {
  readonly layers: ReadonlyMap<string, Layer>;
  /** Folders that may touch the clock. */
  readonly clock: ReadonlySet<string>;
}

/** A source file: its path from the root of the repository with "/", and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Calls and values that differ from run to run: `object.member`, or a bare name where there is no dot. */
const NONDETERMINISTIC: ReadonlySet<string> = new Set([
  "Date.now",
  "performance.now",
  "process.hrtime",
  "Math.random",
  "crypto.randomUUID",
  "crypto.getRandomValues",
  "crypto.randomBytes",
  "setTimeout",
  "setInterval",
  "randomUUID",
  "randomBytes",
  "randomInt",
]);
const NONDETERMINISTIC_MODULES: ReadonlySet<string> = new Set(["node:timers", "node:timers/promises"]);

/** Reads the rules. @throws Error when a block is absent or a line of it cannot be read. */
export function rulesFrom(architecture: string): Rules {
  const layers = blockOf(architecture, "layers").map((line) => {
    const found = /^\s*(\d+)\s+([\w-]+)\s+(.+)$/.exec(line);
    if (found === null) throw new Error(`ARCHITECTURE.md, block layers: want "rank folder job", got "${line}"`);
    return { rank: Number(found[1]), folder: String(found[2]), job: String(found[3]) };
  });
  const clock = blockOf(architecture, "clock").map((line) => String(line.trim().split(/\s+/)[0]));
  return { layers: new Map(layers.map((layer) => [layer.folder, layer])), clock: new Set(clock) };
}

function blockOf(text: string, name: string): readonly string[] {
  const found = new RegExp(`^\`\`\`${name}\\n([\\s\\S]*?)^\`\`\``, "m").exec(text);
  if (found === null) throw new Error(`ARCHITECTURE.md has no block \`\`\`${name}`);
  return String(found[1])
    .split("\n")
    .filter((line) => line.trim() !== "");
}

/** One line per breach: where, which rule, and why. Empty when all is well. */
export function breaches(files: readonly SourceFile[], rules: Rules): readonly string[] {
  return files.filter(({ path }) => !path.endsWith(".test.ts")).flatMap((file) => breachesOf(file, rules));
}

function breachesOf(file: SourceFile, rules: Rules): readonly string[] {
  const { program, errors } = parseSync(file.path, file.text);
  if (errors.length > 0) return [`${file.path}: does not parse: ${errors[0]?.message}`];
  const found: string[] = [];
  const report = (start: number, breach: string | undefined): void => {
    if (breach !== undefined) found.push(`${file.path}:${file.text.slice(0, start).split("\n").length} ${breach}`);
  };

  const own = folderOf(file.path);
  if (own !== undefined && !rules.layers.has(own)) {
    report(0, `R3 the folder "${own}" is not in ARCHITECTURE.md's list of layers: give it a layer and a job`);
  }
  const clocked = own === undefined || !rules.clock.has(own);
  const nondeterminism = (start: number, name: string): void => {
    if (!clocked) return;
    const allowed = [...rules.clock].map((folder) => `src/${folder}`).join(", ");
    report(start, `R2 uses ${name}: clock and random come in as arguments; only ${allowed} may touch them`);
  };
  const imported = (source: { readonly start: number; readonly value: unknown } | null): void => {
    if (source === null || typeof source.value !== "string") return;
    if (NONDETERMINISTIC_MODULES.has(source.value)) nondeterminism(source.start, source.value);
    report(source.start, importBreach(file.path, source.value, rules));
  };

  const visitor: VisitorObject = {
    ImportDeclaration: (node) => imported(node.source),
    ExportNamedDeclaration: (node) => imported(node.source),
    ExportAllDeclaration: (node) => imported(node.source),
    TSImportType: (node) => imported(node.source),
    ImportExpression(node) {
      if (node.source.type === "Literal") imported(node.source);
    },
    MemberExpression(node) {
      if (node.object.type !== "Identifier" || node.property.type !== "Identifier" || node.computed) return;
      const name = `${node.object.name}.${node.property.name}`;
      if (NONDETERMINISTIC.has(name)) nondeterminism(node.start, name);
    },
    CallExpression(node) {
      if (node.callee.type === "Identifier" && NONDETERMINISTIC.has(node.callee.name)) {
        nondeterminism(node.start, node.callee.name);
      }
    },
    NewExpression(node) {
      if (node.callee.type === "Identifier" && node.callee.name === "Date" && node.arguments.length === 0) {
        nondeterminism(node.start, "new Date()");
      }
    },
  };
  new Visitor(visitor).visit(program);
  return found;
}

/** Why `from` may not import `specifier`; undefined when it may. Packages and node: modules are not layers. */
function importBreach(from: string, specifier: string, { layers }: Rules): string | undefined {
  if (specifier === "tidemark" || specifier.startsWith("tidemark/")) {
    return `R1 imports "${specifier}": src does not import itself by name`;
  }
  if (!specifier.startsWith(".")) return undefined;
  const to = relative(resolve("."), resolve(dirname(from), specifier))
    .split(sep)
    .join("/");
  if (!to.startsWith("src/")) return `R3 imports ${to}: src may not depend on files outside src`;
  const [own, other] = [folderOf(from), folderOf(to)];
  if (own === undefined) return undefined;
  if (other === undefined) return `R1 imports ${to}: it is above all layers, and nobody imports it`;
  if (own === other) return undefined;
  const [mine, theirs] = [layers.get(own), layers.get(other)];
  if (mine === undefined || theirs === undefined || theirs.rank < mine.rank) return undefined;
  return (
    `R1 imports ${to}: ${own} is layer ${mine.rank} and may import only lower layers and its own folder, ` +
    `but ${other} is layer ${theirs.rank} (${theirs.job})`
  );
}

/** `src/engine/x/y.ts` -> `engine`; undefined for a file directly in src. */
function folderOf(path: string): string | undefined {
  const parts = path.split("/");
  return parts.length > 2 ? parts[1] : undefined;
}

/** Checks the repository at `root`. */
export function checkRepository(root: string): readonly string[] {
  const rules = rulesFrom(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"));
  const paths = globSync("src/**/*.ts", { cwd: root }).sort();
  const files = paths.map((path) => ({
    path: path.split(sep).join("/"),
    text: readFileSync(join(root, path), "utf8"),
  }));
  return breaches(files, rules);
}

if (import.meta.main) {
  const found = checkRepository(dirname(import.meta.dirname));
  for (const breach of found) console.error(breach);
  console.log(found.length === 0 ? "layers: no breach" : `layers: ${found.length} breaches`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
