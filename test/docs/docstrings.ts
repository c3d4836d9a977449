/**
 * What programs can name, with its docstrings: follows the exports of the entry points through src.
 *
 * D1 Exports are found as Node finds them: `export { a } from`, `export *`, `export * as name`, and declarations.
 * D2 Of overloads the first docstring counts for all. A file's header is nobody's docstring.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSync } from "oxc-parser";

/** Entry points by the name under which programs import them. */
export const ENTRY_POINTS: Readonly<Record<string, string>> = {
  tidemark: "src/index.ts",
  "tidemark/testing": "src/testing/index.ts",
};

/** One exported declaration, or a member of one. */
export interface Public {
  /** As programs reach it: `seconds`, `text.read`, `PCollection.map`. */
  readonly name: string;
  readonly kind: "function" | "class" | "constant" | "type" | "method";
  /** Path from the root, and line from 1. */
  readonly path: string;
  readonly line: number;
  /** What stands in its docstrings; `undefined` without any. */
  readonly doc: string | undefined;
  /** For a method, of what. */
  readonly of?: Public;
}

/** What may be imported, and what hangs on it. */
export interface PublicApi {
  readonly all: readonly Public[];
  /** The entry point of each name that can be imported, and whether it is a type only. */
  readonly imports: ReadonlyMap<string, { readonly from: string; readonly typeOnly: boolean }>;
}

/** A node of the syntax tree, as far as this file looks at it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

interface Module {
  readonly path: string;
  readonly text: string;
  readonly body: readonly Node[];
  readonly comments: readonly { readonly type: string; readonly value: string; start: number; end: number }[];
}

/** Reads the public API of the repository at `root`. @throws Error for exports that it cannot follow */
export function publicApi(root: string): PublicApi {
  const modules = new Map<string, Module>();
  const moduleAt = (path: string): Module => {
    const known = modules.get(path) ?? readModule(root, path);
    modules.set(path, known);
    return known;
  };
  const all = new Map<string, Public>();
  const imports = new Map<string, { from: string; typeOnly: boolean }>();
  for (const [from, path] of Object.entries(ENTRY_POINTS)) {
    for (const found of exportsOf(moduleAt(path), moduleAt)) {
      for (const item of found.items) all.set(item.name, item);
      imports.set(found.name, { from, typeOnly: found.typeOnly });
    }
  }
  return { all: [...all.values()], imports };
}

function readModule(root: string, path: string): Module {
  const text = readFileSync(join(root, path), "utf8");
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  return { path, text, body: program.body as unknown as readonly Node[], comments };
}

interface Export {
  readonly name: string;
  readonly typeOnly: boolean;
  readonly items: readonly Public[];
}

function exportsOf(module: Module, moduleAt: (path: string) => Module): readonly Export[] {
  const target = (node: Node): Module =>
    moduleAt(join(dirname(module.path), (node["source"] as { value: string }).value));
  return module.body.flatMap((node): readonly Export[] => {
    if (node.type === "ExportAllDeclaration") {
      const inside = exportsOf(target(node), moduleAt);
      const namespace = nameOf(node["exported"]);
      if (namespace === undefined) return inside;
      const items = inside.flatMap((one) => one.items.map((item) => ({ ...item, name: `${namespace}.${item.name}` })));
      return [{ name: namespace, typeOnly: false, items }];
    }
    if (node.type !== "ExportNamedDeclaration") return [];
    if (node["declaration"] !== null) return declared(module, node);
    if (node["source"] === null) throw new Error(`${module.path}: cannot follow an export list without "from"`);
    const inside = exportsOf(target(node), moduleAt);
    return (node["specifiers"] as readonly Node[]).map((specifier) => {
      const found = inside.find((one) => one.name === nameOf(specifier["local"]));
      if (found === undefined) throw new Error(`${module.path}: cannot find the export ${nameOf(specifier["local"])}`);
      const typeOnly = node["exportKind"] === "type" || specifier["exportKind"] === "type" || found.typeOnly;
      return { ...found, typeOnly };
    });
  });
}

const KINDS: Readonly<Record<string, Public["kind"]>> = {
  FunctionDeclaration: "function",
  TSDeclareFunction: "function",
  ClassDeclaration: "class",
  VariableDeclaration: "constant",
  TSInterfaceDeclaration: "type",
  TSTypeAliasDeclaration: "type",
};

function declared(module: Module, statement: Node): readonly Export[] {
  const declaration = statement["declaration"] as Node;
  const kind = KINDS[declaration.type];
  if (kind === undefined) throw new Error(`${module.path}: cannot tell what ${declaration.type} exports`);
  const declarators = (declaration["declarations"] as readonly Node[] | undefined) ?? [declaration];
  return declarators.map((declarator) => {
    const name = String(nameOf(declarator["id"]));
    // Overloads are statements of their own under one name.
    const all = module.body.filter(
      ({ declaration: other }) =>
        other === declaration || (kind === "function" && nameOf((other as Node)?.["id"]) === name),
    );
    const item: Public = { name, kind, path: module.path, ...placeAndDoc(module, all) };
    return { name, typeOnly: kind === "type", items: [item, ...membersOf(module, declaration, item)] };
  });
}

/** Methods and accessors that programs can call; of an interface its methods. */
function membersOf(module: Module, declaration: Node, of: Public): readonly Public[] {
  const body = (declaration["body"] as { readonly body?: readonly Node[] } | null | undefined)?.body;
  if (of.kind === "function" || !Array.isArray(body)) return [];
  const methods = new Map<string, Node[]>();
  for (const member of body as readonly Node[]) {
    const isMethod = member.type === "TSMethodSignature" || member.type === "MethodDefinition";
    const name = nameOf(member["key"]);
    if (!isMethod || name === undefined || member["kind"] === "constructor") continue;
    if (member["accessibility"] === "private" || member["accessibility"] === "protected") continue;
    methods.set(name, [...(methods.get(name) ?? []), member]);
  }
  return [...methods].map(([name, nodes]) => ({
    name: `${of.name}.${name}`,
    kind: "method",
    path: module.path,
    of,
    ...placeAndDoc(module, nodes),
  }));
}

function placeAndDoc(module: Module, nodes: readonly Node[]): Pick<Public, "line" | "doc"> {
  const docs = nodes.flatMap((node) => docBefore(module, node.start) ?? []);
  const line = module.text.slice(0, nodes[0]?.start).split("\n").length;
  return { line, doc: docs.length === 0 ? undefined : docs.join("\n") };
}

/** The docstring that ends just before `start`, with nothing but line comments in between. */
function docBefore({ text, comments }: Module, start: number): string | undefined {
  const doc = comments.findLast(({ type, end, value }) => type === "Block" && end <= start && value.startsWith("*"));
  if (doc === undefined || doc.start === 0) return undefined;
  const between = text.slice(doc.end, start).replace(/^\s*\/\/.*$/gm, "");
  return between.trim() === "" ? doc.value : undefined;
}

function nameOf(node: unknown): string | undefined {
  const { type, name } = (node ?? {}) as { readonly type?: string; readonly name?: unknown };
  return type === "Identifier" ? String(name) : undefined;
}

/** Docstrings of a file, headers and members included, with the line where each begins. */
export function docstringsOf(path: string, text: string): readonly { readonly line: number; readonly text: string }[] {
  return parseSync(path, text)
    .comments.filter(({ type, value }) => type === "Block" && value.startsWith("*"))
    .map(({ start, end }) => ({
      line: text.slice(0, start).split("\n").length,
      text: text.slice(start, end),
    }));
}
