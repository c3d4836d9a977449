/**
 * Why a program could not be loaded, in words that say what to change. Node's own messages speak of modules and loaders.
 *
 * L1 Each message names the user's own file, and the line where it is known.
 * L2 What is not recognised keeps its own text and comes out as PROGRAM_FAILED_TO_LOAD.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isTidemarkError, TidemarkError } from "../base/errors.ts";
import { isUserModule, parsePlace, userFrame } from "../base/frames.ts";

/** In the order in which they are looked for. */
const EXTENSIONS = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs", ".json"];

/** What to do about syntax that is more than types: by a word of Node's message. */
const SYNTAX_FIXES: readonly (readonly [word: string, fix: string])[] = [
  ["enum", 'write a union of strings, as in type Colour = "red" | "blue", or a frozen object'],
  ["parameter property", "declare the field in the class, and assign it in the constructor"],
  ["namespace", "export the members from a module of their own"],
  ["module", "export the members from a module of their own"],
  ["import", "write import … from, or import type … from"],
  ["decorator", "call the function yourself; decorators are not part of the language yet"],
];

/** What to do about failures that Node names by a code of its own. */
const NODE_FIXES: Readonly<Record<string, string>> = {
  ERR_IMPORT_ATTRIBUTE_MISSING: 'write import data from "./data.json" with { type: "json" }',
  ERR_UNKNOWN_FILE_EXTENSION: "import .ts, .mts, .js, .mjs or .json files only; Node does not run JSX",
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    "Node runs no TypeScript inside node_modules: build the package to JavaScript first",
};

/** What Node's own errors carry. */
interface NodeFailure extends NodeJS.ErrnoException {
  readonly requireStack?: readonly string[];
}

/** An import of a user's file that cannot be resolved. @returns a coded error, or `error` where nothing better is known */
export function importProblem(error: unknown, specifier: string, parentUrl: string): unknown {
  if (isTidemarkError(error)) return error;
  const at = importPlace(specifier, parentUrl);
  const quoted = JSON.stringify(specifier);
  if (!/^(\.\.?(\/|$)|\/|file:)/.test(specifier)) return packageProblem(error, specifier, at);
  const target = fileURLToPath(new URL(specifier, parentUrl)).replace(/[\\/]$/, "");
  const suggestion = fileMeant(target);
  if (suggestion !== undefined) {
    const folder = isFolder(target);
    return new TidemarkError("PROGRAM_IMPORT_EXTENSION", {
      what: folder
        ? `${quoted} names a folder, and a folder cannot be imported`
        : `${quoted} is imported without its file extension`,
      why: "Node looks for exactly the file that an import names",
      fix: `write "${specifier.replace(/\/$/, "")}${suggestion}"`,
      at,
    });
  }
  if (existsSync(target) && !isFolder(target)) return error;
  return new TidemarkError("PROGRAM_IMPORT_NOT_FOUND", {
    what: `${quoted} is imported, but there is no file ${target}`,
    fix: "correct the path; it is relative to the importing file",
    at,
  });
}

function packageProblem(error: unknown, specifier: string, at: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND" && code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") {
    return error;
  }
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (code === "ERR_PACKAGE_PATH_NOT_EXPORTED") {
    return new TidemarkError("PROGRAM_IMPORT_NOT_FOUND", {
      what: `the package "${name}" has no entry "${specifier}"`,
      why: message,
      fix: `import one of the entries that its package.json lists under "exports"`,
      at,
    });
  }
  const alias = /^[@~]\//.test(specifier);
  return new TidemarkError("PROGRAM_IMPORT_NOT_FOUND", {
    what: `the package "${name}" is imported, but it is not installed`,
    ...(alias && { why: "Node does not read the `paths` of a tsconfig.json" }),
    fix: alias
      ? 'write a relative path, or an alias that begins with # under "imports" of package.json'
      : `npm install ${name}`,
    at,
  });
}

/** What has to be added to `target` to name a file: `.ts`, `/index.ts`, … */
function fileMeant(target: string): string | undefined {
  const endings = isFolder(target) ? EXTENSIONS.map((extension) => `/index${extension}`) : EXTENSIONS;
  return endings.find((ending) => existsSync(target + ending));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** `file:line` of the first line that has the specifier in quotes. */
function importPlace(specifier: string, parentUrl: string): string {
  const path = fileURLToPath(parentUrl);
  const lines = readFileSync(path, "utf8").split("\n");
  const index = lines.findIndex((line) => line.includes(`"${specifier}"`) || line.includes(`'${specifier}'`));
  return index < 0 ? path : `${path}:${index + 1}`;
}

/**
 * What importing a program threw, as a coded error.
 * @param lastUrl the user file that was loaded last: Node reads and parses one after the other, so it is the one that does not parse
 */
export function loadFailure(error: unknown, path: string, lastUrl: string | undefined): TidemarkError {
  const place = placeOf(error, lastUrl ?? "");
  if (isTidemarkError(error)) return place === undefined ? error : error.withContext({ at: place });
  const { code, message, requireStack } = (error instanceof Error ? error : { message: String(error) }) as NodeFailure;
  const required = /^Cannot find module '(.+)'/.exec(message)?.[1];
  if (required !== undefined && requireStack?.[0] !== undefined) {
    const problem = importProblem(error, required, pathToFileURL(requireStack[0]).href);
    if (isTidemarkError(problem)) return problem;
  }
  const at = place ?? path;
  const missing = /The requested module '(.+)' does not provide an export named '(.+)'/.exec(message);
  if (missing !== null) return exportProblem(missing[1] as string, missing[2] as string, at, error);
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") {
    return new TidemarkError("PROGRAM_TS_SYNTAX", {
      what: `${basename(withoutLine(at))} uses TypeScript that is more than types: ${message}`,
      why: "Node runs TypeScript by leaving the types out; what would have to be translated it refuses",
      fix: SYNTAX_FIXES.find(([word]) => message.includes(word))?.[1] ?? "write it in plain JavaScript with types",
      at,
      cause: error,
    });
  }
  if (isParseError(error)) {
    return new TidemarkError("PROGRAM_SYNTAX", {
      what: `${basename(withoutLine(at))} cannot be parsed: ${message}`,
      fix: "mend the syntax",
      at,
      cause: error,
    });
  }
  const name = error instanceof Error ? `${error.name}: ` : "";
  const fix = NODE_FIXES[code ?? ""];
  return new TidemarkError("PROGRAM_FAILED_TO_LOAD", {
    what: `${basename(path)} failed while it was imported: ${name}${message}`,
    ...(fix === undefined
      ? { why: "a program is imported before it is run", fix: "mend what fails at the top level of the module" }
      : { fix }),
    at,
    cause: error,
  });
}

/** A name that is imported and not there at run time: most often a type, whose import Node cannot know to leave out. */
function exportProblem(specifier: string, name: string, at: string, cause: unknown): TidemarkError {
  const what = `"${name}" is imported from "${specifier}", which has no such value`;
  if (certainlyAbsent(specifier, name, withoutLine(at))) {
    return new TidemarkError("PROGRAM_EXPORT_UNKNOWN", {
      what,
      fix: "check the name, or export it there",
      at,
      cause,
    });
  }
  const elsewhere = specifier.startsWith(".") ? "" : `; if it is not a type, check the name and the package's version`;
  return new TidemarkError("PROGRAM_TYPE_IMPORT", {
    what,
    why: "Node leaves types out before it runs a file, but an import without `type` stays and finds nothing",
    fix: `if ${name} is a type, write import type { ${name} } from "${specifier}"${elsewhere}`,
    at,
    cause,
  });
}

/** Whether a user's file does not even mention a name, and passes on nothing wholesale. */
function certainlyAbsent(specifier: string, name: string, importer: string): boolean {
  if (!specifier.startsWith(".")) return false;
  try {
    const text = readFileSync(new URL(specifier, pathToFileURL(importer)), "utf8");
    const word = new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`);
    return !/export\s+(type\s+)?\*/.test(text) && !word.test(text);
  } catch {
    return false;
  }
}

/** Parsing fails before a line of the user's has run, so no frame is the user's. */
function isParseError(error: unknown): error is SyntaxError {
  return error instanceof SyntaxError && userFrame(error) === undefined;
}

/** Where Node says, or the user's frame, or for what does not parse the file. */
function placeOf(error: unknown, lastUrl: string): string | undefined {
  const place = parsePlace(error) ?? userFrame(error);
  if (place !== undefined) return place;
  return error instanceof SyntaxError && isUserModule(lastUrl) ? fileURLToPath(lastUrl) : undefined;
}

function withoutLine(place: string): string {
  return place.replace(/(:\d+){1,2}$/, "");
}
