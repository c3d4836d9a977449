/**
 * Where in the user's own code an error came up, or a call was made: the one reader of stacks.
 *
 * F1 The user's is what is neither Node's, nor a package's, nor Tidemark's. Unit tests beside Tidemark's code play the user's part.
 */
import { fileURLToPath } from "node:url";

/** The folder of this copy's code: `src` or `dist`. */
const CODE_URL = new URL("..", import.meta.url).href;
/** Composites nest: the user's frame may lie deep. */
const STACK_DEPTH = 64;

/** Whether a module belongs to this copy of Tidemark. */
export function isOwnModule(url: string | undefined): boolean {
  return url !== undefined && url.startsWith(CODE_URL) && !url.endsWith(".test.ts");
}

/** Whether a module is the user's own. */
export function isUserModule(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/") && !isOwnModule(url);
}

/** A frame that ends in `file:///a/b.ts:3:7`, in brackets where the function has a name. */
const FRAME = /^\s+at (?:.*\()?(?:async )?((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*):(\d+:\d+)\)?$/;
/** What Node puts on top of the stack of a text that does not parse. */
const TOP = /^((?:file:\/\/|\/|[A-Za-z]:\\).*):(\d+)\n/;

/** `path:line:column` of the innermost frame that is the user's. */
export function userFrame(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  for (const line of (error.stack ?? "").split("\n")) {
    const [, file, place] = FRAME.exec(line) ?? [];
    if (file !== undefined && isUserModule(urlOf(file))) return `${pathOf(file)}:${place}`;
  }
  return undefined;
}

/** `path:line:column` of the user's code that is being run, or `undefined` where no frame is the user's. Cost: one stack trace. */
export function userLocation(): string | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_DEPTH;
  const here = new Error("here");
  Error.stackTraceLimit = limit;
  return userFrame(here);
}

/** `path:line` of the text that Node could not parse, or `undefined` where it does not say. */
export function parsePlace(error: unknown): string | undefined {
  const [, file, line] = (error instanceof Error && TOP.exec(error.stack ?? "")) || [];
  return file === undefined ? undefined : `${pathOf(file)}:${line}`;
}

/** Frames of CommonJS files are paths, those of ES modules URLs. */
function urlOf(file: string): string {
  return file.startsWith("file:") ? file : `file://${file}`;
}

function pathOf(file: string): string {
  return file.startsWith("file:") ? fileURLToPath(file) : file;
}
