/**
 * Node's module hooks, by which user programs are loaded.
 * Path: load.ts -> HERE -> Node; failures go back through load-errors.ts.
 *
 * H1 A user's .ts and .mts file is an ES module, whatever the nearest package.json says; so is a .js file that only makes sense as one.
 * H2 `tidemark` is this copy for everyone in the process (copy.ts, C1). Node 22 does not ask hooks about `require` in a
 *    CommonJS file that an ES module imports: there it finds what is installed.
 * H3 `./x.js` is `./x.ts` where only that exists: TypeScript itself has its users write so. Nothing else is guessed.
 * H4 Every user file is noted with the hash of the bytes it was loaded from, and every import with who imports what.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import {
  registerHooks,
  type LoadFnOutput,
  type LoadHookContext,
  type ResolveFnOutput,
  type ResolveHookContext,
} from "node:module";
import { fileURLToPath } from "node:url";
import { compileFunction } from "node:vm";
import { isOwnModule, isUserModule } from "../base/frames.ts";
import { RUNS_FROM_SOURCE } from "./copy.ts";
import { importProblem } from "./load-errors.ts";

/** The source condition of package.json, and so of whoever works on Tidemark. */
const SOURCE_CONDITION = "tidemark-source";
/** What Node says of the words that only an ES module may use. */
const ONLY_IN_MODULES =
  /Cannot use import statement|Unexpected token 'export'|Cannot use 'import\.meta'|await is only valid/;

/** What the hooks have seen. */
export interface LoadedFiles {
  /** User files by URL, each with the SHA-256 of its bytes in hex. */
  readonly hashes: ReadonlyMap<string, string>;
  /** By the URL of a file, the URLs of what it imports. */
  readonly imports: ReadonlyMap<string, ReadonlySet<string>>;
  /** The URL of the user file that was loaded last. */
  readonly last: string | undefined;
}

const hashes = new Map<string, string>();
const imports = new Map<string, Set<string>>();
const files = { hashes, imports, last: undefined as string | undefined };
let installed = false;

/** Sets the hooks, once in a thread. They stay: a program may import more while it runs. */
export function installHooks(): LoadedFiles {
  if (!installed) registerHooks({ resolve, load });
  installed = true;
  return files;
}

function resolve(
  specifier: string,
  context: ResolveHookContext,
  next: (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput,
): ResolveFnOutput {
  const { parentURL } = context;
  if (specifier === "tidemark" || specifier.startsWith("tidemark/")) {
    return orProblem(specifier, parentURL, () => next(...ownEntry(specifier, context)));
  }
  const twin = typeScriptTwin(specifier, parentURL);
  const resolved = orProblem(specifier, parentURL, () => next(twin ?? specifier, context));
  if (parentURL !== undefined && !isOwnModule(parentURL)) noteImport(parentURL, resolved.url);
  return resolved;
}

function noteImport(parentUrl: string, url: string): void {
  const noted = imports.get(parentUrl);
  if (noted === undefined) imports.set(parentUrl, new Set([url]));
  else noted.add(url);
}

/** What has to be resolved in place of `tidemark` and `tidemark/…`, so that this copy is found. */
function ownEntry(specifier: string, context: ResolveHookContext): [specifier: string, context: ResolveHookContext] {
  // `require` looks from the file that it stands in, whatever parent it is told of; only a path leads it elsewhere.
  if (context.conditions.includes("require")) return [fileURLToPath(import.meta.resolve(specifier)), context];
  const conditions = RUNS_FROM_SOURCE ? [...context.conditions, SOURCE_CONDITION] : context.conditions;
  return [specifier, { ...context, parentURL: import.meta.url, conditions }];
}

/** Tells a failure in the words of the user's file. */
function orProblem(specifier: string, parentUrl: string | undefined, attempt: () => ResolveFnOutput): ResolveFnOutput {
  try {
    return attempt();
  } catch (error) {
    if (parentUrl === undefined || isOwnModule(parentUrl) || !isUserModule(parentUrl)) throw error;
    throw importProblem(error, specifier, parentUrl);
  }
}

/** `./x.ts` for a user's `./x.js` that does not exist, where `./x.ts` does. */
function typeScriptTwin(specifier: string, parentUrl: string | undefined): string | undefined {
  if (parentUrl === undefined || !/^\.\.?\/.*\.[mc]?js$/.test(specifier) || !isUserModule(parentUrl)) return undefined;
  const twin = specifier.replace(/js$/, "ts");
  const exists = (relative: string): boolean => existsSync(fileURLToPath(new URL(relative, parentUrl)));
  return !exists(specifier) && exists(twin) ? twin : undefined;
}

function load(
  url: string,
  context: LoadHookContext,
  next: (url: string, context?: Partial<LoadHookContext>) => LoadFnOutput,
): LoadFnOutput {
  if (!isUserModule(url)) return next(url, context);
  files.last = url;
  const { pathname } = new URL(url);
  const loaded = next(url, /\.m?ts$/.test(pathname) ? { ...context, format: "module-typescript" } : context);
  // Node leaves the source out where it will read the file itself.
  const source = (loaded.source ?? readFileSync(fileURLToPath(url))) as string | Uint8Array;
  hashes.set(url, createHash("sha256").update(source).digest("hex"));
  if (loaded.format === "commonjs" && pathname.endsWith(".js") && isModuleSyntax(source)) {
    return { ...loaded, source, format: "module" };
  }
  return loaded;
}

/** Whether a text can only be an ES module: as CommonJS it does not even parse. */
function isModuleSyntax(source: string | Uint8Array): boolean {
  try {
    compileFunction(typeof source === "string" ? source : Buffer.from(source).toString("utf8"), [
      "exports",
      "require",
      "module",
      "__filename",
      "__dirname",
    ]);
    return false;
  } catch (error) {
    return error instanceof SyntaxError && ONLY_IN_MODULES.test(error.message);
  }
}
