/**
 * Where in the user's own code a step was applied.
 * L1 The place is the first stack frame outside Tidemark's own folder (`src` or `dist`), Node and node_modules' test runners.
 */

/** This package's own folder as a path: the parent of the folder that this file is in. */
const OWN_FOLDER = pathOf(new URL("..", import.meta.url).href);
/** Composites nest: the user's frame may lie deep. */
const STACK_DEPTH = 64;

/** `file:line:column` of the user's code that is being run, or `undefined` where no frame is the user's. Cost: one stack trace. */
export function userLocation(): string | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_DEPTH;
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = limit;
  for (const line of stack.split("\n")) {
    const place = /((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/.exec(line)?.[1];
    if (place === undefined) continue;
    const path = pathOf(place);
    if (isOwn(path) || path.includes("/node_modules/")) continue;
    return path;
  }
  return undefined;
}

function isOwn(path: string): boolean {
  // Unit tests lie beside the code and play the user's part.
  return path.startsWith(OWN_FOLDER) && !/\.test\.ts:\d+:\d+$/.test(path);
}

function pathOf(place: string): string {
  if (!place.startsWith("file://")) return place;
  const path = place.slice("file://".length);
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
