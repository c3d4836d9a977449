/** Where in the user's own code an error came up. */
import { fileURLToPath } from "node:url";

/** The folder of Tidemark's code: `src` or `dist`. */
const CODE_URL = new URL("..", import.meta.url).href;

/** Whether a module is the user's own: neither Node's, nor a package's, nor Tidemark's. */
export function isUserModule(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/") && !url.startsWith(CODE_URL);
}

/** A frame that ends in `file:///a/b.ts:3:7`, in brackets where the function has a name. */
const FRAME = /^\s+at (?:.*\()?(?:async )?((?:file:\/\/|\/|[A-Za-z]:\\)[^()]*):(\d+:\d+)\)?$/;
/** What Node puts on top of the stack of a text that does not parse. */
const TOP = /^((?:file:\/\/|\/|[A-Za-z]:\\).*):(\d+)\n/;

/** `path:line:column` of the innermost frame that is neither Node's, nor a package's, nor Tidemark's. */
export function userFrame(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  for (const line of (error.stack ?? "").split("\n")) {
    const [, file, place] = FRAME.exec(line) ?? [];
    if (file !== undefined && isUserModule(urlOf(file))) return `${pathOf(file)}:${place}`;
  }
  return undefined;
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
