/**
 * Loads a user's program: the module that exports `pipeline(...)` by default.
 * Path: the command line, workers -> HERE -> hooks.ts -> Node.
 *
 * L1 Whatever goes wrong comes out as a coded error that says what to change.
 * L2 Loading builds and runs nothing.
 */
import { realpathSync, statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { TidemarkError } from "../base/errors.ts";
import { isProgram, type Program } from "../pipeline/program.ts";
import { installHooks, type LoadedFiles } from "./hooks.ts";
import { loadFailure } from "./load-errors.ts";

const EXTENSIONS = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"];

/** A program, and where it came from. */
export interface LoadedProgram {
  readonly program: Program;
  /** The module's URL, symbolic links followed. */
  readonly url: string;
  /**
   * The user's files that the module reaches by imports, as they were loaded: by URL, the SHA-256 of their bytes.
   * Packages and Tidemark are not among them, nor other programs of the process, nor what is imported only later.
   */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * The absolute path of a program, symbolic links followed.
 * @param path relative to the current folder, or absolute
 * @throws PROGRAM_NOT_FOUND, PROGRAM_FILE_KIND
 */
export function programPath(path: string): string {
  const absolute = resolve(path);
  const found = statSync(absolute, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) {
    const base = found === undefined ? absolute : `${absolute}/index`;
    const meant = EXTENSIONS.map((extension) => base + extension).find(
      (candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() ?? false,
    );
    const shown = path + (found === undefined ? "" : "/index");
    throw new TidemarkError("PROGRAM_NOT_FOUND", {
      what: found === undefined ? `there is no file ${absolute}` : `${absolute} is a folder, not a program`,
      fix: meant === undefined ? "give the path of the program's module" : `write ${shown}${extname(meant)}`,
    });
  }
  if (!EXTENSIONS.includes(extname(absolute))) {
    throw new TidemarkError("PROGRAM_FILE_KIND", {
      what: `${basename(absolute)} is not a JavaScript or TypeScript module`,
      fix: `a program is a file that ends in ${EXTENSIONS.join(", ")}`,
    });
  }
  return realpathSync(absolute);
}

/**
 * Imports a program.
 * @param path as `programPath` takes it
 * @throws PROGRAM_… and what the module itself throws in coded errors, as PIPELINE_INVALID
 * Cost: Node's import of the module and all it imports.
 */
export async function loadProgram(path: string): Promise<LoadedProgram> {
  const absolute = programPath(path);
  const { href } = pathToFileURL(absolute);
  const files = installHooks();
  let module: Record<string, unknown>;
  try {
    module = (await import(href)) as Record<string, unknown>;
  } catch (error) {
    throw loadFailure(error, absolute, files.last);
  }
  const program = module["default"];
  if (!isProgram(program)) throw noProgram(module, absolute);
  return { program, url: href, files: filesOf(href, files) };
}

/** The user's files that a module reaches by imports, itself among them. Cost: O(imports). */
function filesOf(url: string, { hashes, imports }: LoadedFiles): ReadonlyMap<string, string> {
  const reached = new Set([url]);
  // A set is walked to its end, also to what is added meanwhile.
  for (const each of reached) for (const imported of imports.get(each) ?? []) reached.add(imported);
  return new Map([...hashes].filter(([file]) => reached.has(file)));
}

function noProgram(module: Readonly<Record<string, unknown>>, path: string): TidemarkError {
  const value = module["default"];
  const named = Object.keys(module).find((name) => isProgram(module[name]));
  return new TidemarkError("PROGRAM_NO_DEFAULT_EXPORT", {
    what:
      value === undefined
        ? `${basename(path)} has no default export`
        : `the default export of ${basename(path)} is ${kindOf(value)}, not a program`,
    why: "the default export is the program that is run",
    fix:
      named === undefined
        ? "write export default pipeline(import.meta, { name, build(p, options) { … } })"
        : `write export default ${named}`,
    at: path,
  });
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value instanceof Promise) return "a promise (await it)";
  const type = typeof value;
  return type === "object" ? "an object" : `a ${type}`;
}
