/**
 * Which copy of Tidemark a program gets.
 *
 * C1 One process uses one copy: two would each have their own classes, and would not know each other's values.
 * C2 A program that has a copy installed beside it is run by that copy; any other by this one.
 */
import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** This copy's folder, the one with its package.json. Files of `src` and `dist` lie equally deep. */
const PACKAGE_FOLDER = realpathSync(fileURLToPath(new URL("../..", import.meta.url)));

/** Whether this copy runs from its sources. */
export const RUNS_FROM_SOURCE: boolean = import.meta.url.endsWith(".ts");

/**
 * The command of the copy that is installed beside a program.
 * @param path of the program, absolute
 * @returns its URL; `undefined` where there is no copy but this one
 */
export function otherCommand(path: string): string | undefined {
  let manifest: string;
  try {
    manifest = realpathSync(createRequire(pathToFileURL(path)).resolve("tidemark/package.json"));
  } catch {
    return undefined;
  }
  if (dirname(manifest) === PACKAGE_FOLDER) return undefined;
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly bin?: { readonly tidemark?: string } };
  return bin?.tidemark === undefined ? undefined : pathToFileURL(join(dirname(manifest), bin.tidemark)).href;
}
