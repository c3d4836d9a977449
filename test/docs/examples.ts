/**
 * Examples of docstrings and Markdown files, and the modules that they become when they are checked and run.
 *
 * X1 A module has each line of its example on the line where the example's file has it, so a line number is true of both.
 * X2 `// -> value` after a statement compares what the statement gives; `// throws CODE` wants it to fail.
 * X3 Where the example does not declare them, names of the entry points are imported, so are `readFile` and `writeFile`, and
 *    `p` is the pipeline of a test.
 */
import { parseSync } from "oxc-parser";
import { docstringsOf, type Node, type PublicApi } from "./docstrings.ts";

/** One block of code. */
export interface Example {
  /** Its file, from the root, and the line of its first line. */
  readonly path: string;
  readonly line: number;
  readonly code: string;
}

/** An example as it is run. */
export interface ExampleModule {
  readonly text: string;
  /** Lines with a comparison: each has to be reached. */
  readonly sites: readonly number[];
}

/** What is wrong with an example before it runs. */
export class ExampleError extends Error {
  constructor({ path }: { readonly path: string }, line: number, problem: string) {
    super(`${path}:${line}: ${problem}`);
  }
}

/** The examples in the docstrings of a source file: the ```ts blocks below `@example`. */
export function examplesOfSource(path: string, text: string): readonly Example[] {
  return docstringsOf(path, text).flatMap((doc) => {
    const lines = doc.text
      .split("\n")
      .map((line) => line.replace(/^\s*(?:\/\*\*|\*(?!\/)) ?/, "").replace(/\*\/$/, ""));
    const begins = lines.flatMap((line, at) => (line.startsWith("@example") ? [at] : []));
    return begins.flatMap((begin) => {
      // Within a block a line may begin with "@": a tag ends the example only outside.
      let fenced = false;
      let end = begin + 1;
      for (; end < lines.length; end++) {
        const line = String(lines[end]);
        if (line.startsWith("```")) fenced = !fenced;
        else if (!fenced && /^@\w/.test(line)) break;
      }
      const blocks = blocksOf(path, lines.slice(begin, end), doc.line + begin);
      if (blocks.length === 0) throw new ExampleError({ path }, doc.line + begin, "@example without a ```ts block");
      return blocks;
    });
  });
}

/**
 * The ```ts blocks of a Markdown file. An HTML comment that begins with `<!-- example` just before or after a block belongs
 * to it: code that readers need not see.
 */
export function examplesOfMarkdown(path: string, text: string): readonly Example[] {
  const lines = text.split("\n");
  return blocksOf(path, lines, 1).map(({ line, code }) => {
    const first = line - 1;
    const last = first + code.split("\n").length - 1;
    const from = hiddenPart(lines, lines.lastIndexOf(HIDDEN, first), first - 1)?.from ?? first;
    const to = hiddenPart(lines, last + 2, lines.length)?.to ?? last;
    const all = lines.slice(from, to + 1).map((one) => (MARKERS.has(one) ? "" : one));
    return { path, line: from + 1, code: all.join("\n") };
  });
}

const HIDDEN = "<!-- example";
const MARKERS: ReadonlySet<string> = new Set([HIDDEN, "-->", "```ts", "```"]);

/** The hidden part that begins at `at`, or after the empty lines there; up to `end` only empty lines follow it. */
function hiddenPart(lines: readonly string[], at: number, end: number): { from: number; to: number } | undefined {
  let from = at;
  while (lines[from] === "") from++;
  if (lines[from] !== HIDDEN) return undefined;
  const to = lines.indexOf("-->", from);
  const alone = end === lines.length || lines.slice(to + 1, end).every((line) => line === "");
  return to < end && alone ? { from, to } : undefined;
}

function blocksOf(path: string, lines: readonly string[], line: number): readonly Example[] {
  const blocks: Example[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!String(lines[at]).startsWith("```")) continue;
    const end = lines.findIndex((other, i) => i > at && other === "```");
    if (end < 0) throw new ExampleError({ path }, line + at, "the block does not end");
    const isCode = lines[at] === "```ts";
    if (isCode) blocks.push({ path, line: line + at + 1, code: lines.slice(at + 1, end).join("\n") });
    at = end;
  }
  return blocks;
}

/** Makes a module of an example. @param kit the path of kit.fixture.ts from the module @throws ExampleError */
export function moduleOf(example: Example, api: PublicApi, kit: string): ExampleModule {
  const { path, line, code } = example;
  const lineAt = (offset: number): number => line + code.slice(0, offset).split("\n").length - 1;
  const { program, comments, errors } = parseSync(`${path}.ts`, code);
  const [error] = errors;
  if (error !== undefined) throw new ExampleError(example, lineAt(error.labels[0]?.start ?? 0), error.message);
  const names = namesIn(program as unknown as Node);
  const edits = new Edits(code);
  const imports: string[] = [];
  for (const node of program.body) {
    if (node.type !== "ImportDeclaration") continue;
    imports.push(code.slice(node.start, node.end).replaceAll("\n", " "));
    edits.replace(node.start, node.end, code.slice(node.start, node.end).replaceAll(/[^\n]/g, " "));
  }

  const sites: number[] = [];
  for (const { text, start } of expectations(code, comments)) {
    const site = lineAt(start);
    const statement = names.statements.findLast(
      ({ end }) => end <= start && /^[ \t]*\n?[ \t]*$/.test(code.slice(end, start)),
    );
    if (statement === undefined) throw new ExampleError(example, site, `"// ${text}" stands behind no statement`);
    sites.push(site);
    const place = JSON.stringify(`${path}:${site}`);
    const [, kind, what] = /^(->|throws) ([^]*)$/.exec(text) as unknown as [string, string, string];
    const waits = statement.inFunction ? "" : "await ";
    if (kind === "throws") {
      if (statement.expression === undefined || statement.inFunction)
        throw new ExampleError(example, site, '"// throws" stands behind a statement of the example itself');
      const { start: from, end: to } = statement.expression;
      edits.insert(from, `await $refused(${place}, ${JSON.stringify(what)}, async () => (`);
      edits.insert(to, "))");
    } else {
      const expected = what === "nothing" ? "[]" : `[${what.replaceAll("\n", " ")}]`;
      for (const name of namesIn(parseSync("expected.ts", expected).program as unknown as Node).used)
        names.used.add(name);
      const { start: from, end: to } = statement.expression ?? statement;
      if (statement.expression === undefined) {
        if (statement.declares === undefined)
          throw new ExampleError(example, site, "the declaration is not of one name");
        edits.insert(to, ` ${waits}$value(${place}, ${statement.declares}).is(${expected});`);
      } else {
        edits.insert(from, `${waits}$value(${place}, `);
        edits.insert(to, `).is(${expected})`);
      }
    }
  }
  const asserts = sites.length > 0 || names.used.has("assertThat") || program.body.some(isDefaultExport);
  if (!asserts)
    throw new ExampleError(example, line, "the example asserts nothing: end a statement with `// -> value`");

  const inTest = names.used.has("p") && !names.declared.has("p");
  const missing = [...names.used].flatMap((name) => {
    const found = api.imports.get(name) ?? FILES.get(name);
    if (found === undefined || names.declared.has(name)) return [];
    return [`import ${found.typeOnly ? "type " : ""}{ ${name} } from "${found.from}";`];
  });
  const prelude = [`import { $inTest, $refused, $value } from "${kit}";`, ...missing, ...imports].join(" ");
  const [open, close] = inTest ? [" await $inTest(async (p) => {", "\n});"] : ["", ""];
  return { text: `${prelude}${open}${"\n".repeat(line - 1)}${edits.apply()}${close}\n`, sites };
}

/** What examples of files need beside the entry points. */
const FILES: PublicApi["imports"] = new Map(
  ["readFile", "writeFile"].map((name) => [name, { from: "node:fs/promises", typeOnly: false }]),
);

function isDefaultExport({ type }: { readonly type: string }): boolean {
  return type === "ExportDefaultDeclaration";
}

interface Comment {
  readonly type: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** The comments that expect something; one goes on in the next comment where that is indented by two spaces or more. */
function expectations(code: string, comments: readonly Comment[]): readonly { text: string; start: number }[] {
  const found: { text: string; start: number; end: number }[] = [];
  for (const { type, value, start, end } of comments) {
    if (type !== "Line") continue;
    const last = found.at(-1);
    if (/^ (?:->|throws) /.test(value)) found.push({ text: value.trim(), start, end });
    else if (last !== undefined && value.startsWith("  ") && /^\n[ \t]*$/.test(code.slice(last.end, start))) {
      last.text += `\n${value.trim()}`;
      last.end = end;
    }
  }
  return found;
}

interface Statement {
  readonly start: number;
  readonly end: number;
  readonly expression: Node | undefined;
  /** The name that a declaration of one name declares. */
  readonly declares: string | undefined;
  readonly inFunction: boolean;
}

/** Members of the syntax tree that hold names of something else than a variable or type. */
const NAMES: ReadonlySet<string> = new Set(["property", "key", "label", "imported", "exported"]);

/** The names that code uses, those that it declares outside functions, and the statements that can be compared. */
function namesIn(program: Node): { used: Set<string>; declared: Set<string>; statements: Statement[] } {
  const used = new Set<string>();
  const statements: Statement[] = [];
  /** `bound` are the parameters of the functions around `node`. */
  const visit = (node: unknown, bound: readonly string[] | undefined): void => {
    if (Array.isArray(node)) for (const one of node as readonly unknown[]) visit(one, bound);
    if (typeof node !== "object" || node === null || !("type" in node)) return;
    const { type, start, end, ...members } = node as Node;
    const inFunction = bound !== undefined;
    if (type === "Identifier" && bound?.includes(String(members["name"])) !== true) used.add(String(members["name"]));
    if (type === "ExpressionStatement") {
      statements.push({ start, end, expression: members["expression"] as Node, declares: undefined, inFunction });
    }
    if (type === "VariableDeclaration") {
      const [first, ...others] = members["declarations"] as readonly Node[];
      const id = first?.["id"] as Node;
      const declares = id.type === "Identifier" && others.length === 0 ? String(id["name"]) : undefined;
      statements.push({ start, end, expression: undefined, declares, inFunction });
    }
    const { params } = members;
    const inside = Array.isArray(params) ? [...(bound ?? []), ...(params as Node[]).flatMap(declaredBy)] : bound;
    for (const [member, value] of Object.entries(members)) {
      if (!NAMES.has(member) || members["computed"] === true) visit(value, inside);
    }
  };
  visit(program, undefined);
  const declared = new Set((program["body"] as readonly Node[]).flatMap(declaredBy));
  return { used, declared, statements };
}

/** The names that a statement, or a pattern of a declaration, declares. */
function declaredBy(node: Node | null): readonly string[] {
  if (node === null) return [];
  const all = (member: string): readonly string[] => (node[member] as readonly (Node | null)[]).flatMap(declaredBy);
  switch (node.type) {
    case "Identifier":
      return [String(node["name"])];
    case "VariableDeclaration":
      return all("declarations");
    case "ImportDeclaration":
      return all("specifiers");
    case "ArrayPattern":
      return all("elements");
    case "ObjectPattern":
      return all("properties");
    default:
      return ["id", "local", "value", "left", "argument", "declaration"].flatMap((member) => {
        const inner = node[member] as Node | null | undefined;
        return typeof inner === "object" && inner !== null && node.type !== "ExpressionStatement"
          ? declaredBy(inner)
          : [];
      });
  }
}

/** Changes of a text by offsets of the text as it was. */
class Edits {
  readonly #text: string;
  readonly #edits: { readonly start: number; readonly end: number; readonly by: string }[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  insert(at: number, text: string): void {
    this.replace(at, at, text);
  }

  replace(start: number, end: number, by: string): void {
    this.#edits.push({ start, end, by });
  }

  apply(): string {
    let made = "";
    let at = 0;
    for (const { start, end, by } of this.#edits.toSorted((a, b) => a.start - b.start)) {
      made += this.#text.slice(at, start) + by;
      at = end;
    }
    return made + this.#text.slice(at);
  }
}
