/** `tidemark savepoint`: what a folder of checkpoints holds, and copies of it. */
import { TidemarkError } from "../base/errors.ts";
import { readFlags } from "../program/flags.ts";
import { copyFolder, type FolderFacts, lookInto } from "../platform/checkpoint-folder.ts";
import { type CommandFlags, COMMANDS } from "./commands.ts";

/** @returns what is printed @throws USAGE, and what the folder gives rise to */
export function savepointCommand(args: readonly string[]): string {
  const [action = "", ...rest] = args;
  const { values, rest: folders } = readAll(rest);
  const flags = values as CommandFlags;
  if (action === "ls" && folders.length === 1) {
    const facts = lookInto(folders[0] as string);
    return flags.json === true ? `${JSON.stringify(facts)}\n` : describe(facts);
  }
  if (action === "copy" && folders.length === 2) {
    const [from, to] = folders as [string, string];
    copyFolder(from, to);
    return flags.json === true ? "" : `copied to ${to}: start the job with --checkpoint-dir ${to}\n`;
  }
  throw new TidemarkError("USAGE", {
    what: action === "" ? "tidemark savepoint is told nothing" : `tidemark savepoint ${args.join(" ")} makes no sense`,
    fix: "write tidemark savepoint ls DIR, or tidemark savepoint copy DIR NEW_DIR",
  });
}

/** Flags may stand between the folders. */
function readAll(args: readonly string[]): { values: Readonly<Record<string, unknown>>; rest: readonly string[] } {
  const folders: string[] = [];
  let values: Readonly<Record<string, unknown>> = {};
  for (let left = args; left.length > 0;) {
    const read = readFlags(left, [COMMANDS.savepoint.flags]);
    values = { ...values, ...read.values[0] };
    if (read.rest.length > 0) folders.push(read.rest[0] as string);
    left = read.rest.slice(1);
  }
  return { values, rest: folders };
}

function describe({ job, ended, bytes, checkpoints }: FolderFacts): string {
  const lines = [`job "${job}"${ended ? ", which has ended" : ""}: ${size(bytes)}`];
  if (checkpoints.length === 0) lines.push("no checkpoint is complete yet");
  for (const { epoch, kind, createdMs, problem, steps } of checkpoints) {
    lines.push("", `${kind} ${epoch}, ${new Date(createdMs).toISOString()}${problem === "" ? "" : `: ${problem}`}`);
    for (const { step, records, layout, sealedBytes } of steps) {
      const parts = [
        ...(layout === undefined ? [] : [`${records} ${records === 1 ? "record" : "records"} of ${layout}`]),
        ...(sealedBytes === 0 ? [] : [`${size(sealedBytes)} of output`]),
      ];
      if (parts.length > 0) lines.push(`  ${step}: ${parts.join("; ")}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
