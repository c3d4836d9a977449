/** `tidemark savepoint`: what folders of checkpoints hold, how they differ, copies of them, and whether a program can go on from one. */
import { TidemarkError } from "../base/errors.ts";
import { changeLines, type StepChange } from "../host/layouts.ts";
import { copyFolder, type FolderFacts, jobOf, lookInto, otherJob } from "../platform/checkpoint-folder.ts";
import {
  differences,
  type RecordFacts,
  recordsIn,
  type StepContents,
  type StepDifference,
  stepsIn,
  withNewest,
} from "../platform/checkpoint-contents.ts";
import { buildProgram } from "../program/build.ts";
import { readFlags } from "../program/flags.ts";
import type { LoadedProgram } from "../program/load.ts";
import { changesSince, refuseLosses } from "../runners/embedded/upgrade.ts";
import { formatTimestamp } from "../model/time.ts";
import { type CommandFlags, COMMANDS } from "./commands.ts";

const ACTIONS = { ls: 1, copy: 2, show: 1, diff: 2, check: 2 } as const;
type Action = keyof typeof ACTIONS;
const SHOWN = 100;

/**
 * @param load loads a program, for `check`; undefined where another copy of Tidemark has taken over
 * @returns what is printed @throws USAGE, and what the folder and the program give rise to
 */
export async function savepointCommand(
  args: readonly string[],
  load: (path: string) => Promise<LoadedProgram | undefined>,
  print: (text: string) => void,
): Promise<void> {
  const [action = "", ...rest] = args;
  const { values, rest: places } = readAll(rest);
  const flags = values as CommandFlags;
  if (!isAction(action) || places.length !== ACTIONS[action]) throw senseless(action, args);
  const [place, other] = places as [string, string];
  const told = (facts: unknown, text: () => string): void =>
    print(flags.json === true ? `${JSON.stringify(facts, (_, value: unknown) => jsonOf(value))}\n` : text());
  switch (action) {
    case "ls": {
      const facts = lookInto(place);
      return told(facts, () => describe(facts));
    }
    case "copy":
      copyFolder(place, other);
      if (flags.json !== true) print(`copied to ${other}: start the job with --checkpoint-dir ${other}\n`);
      return;
    case "show": {
      const facts = show(place, flags);
      return told(facts, () => shownText(facts));
    }
    case "diff": {
      const facts = diff(place, other);
      return told(facts, () => differencesText(facts));
    }
    case "check": {
      const program = await load(place);
      if (program !== undefined) await check(program, other, flags, told);
    }
  }
}

function isAction(action: string): action is Action {
  return Object.hasOwn(ACTIONS, action);
}

function senseless(action: string, args: readonly string[]): TidemarkError {
  return new TidemarkError("USAGE", {
    what: action === "" ? "tidemark savepoint is told nothing" : `tidemark savepoint ${args.join(" ")} makes no sense`,
    fix: `write tidemark savepoint ${(COMMANDS.savepoint.takes as string).replaceAll(" | ", ", or tidemark savepoint ")}`,
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

/** What is shown of one checkpoint. */
interface Shown {
  readonly kind: string;
  readonly epoch: number;
  readonly steps: readonly StepContents[];
  /** Of the step that was asked for, the first that were asked for. */
  readonly records: readonly RecordFacts[];
  readonly more: number;
}

function show(folder: string, { step, key, limit = SHOWN }: CommandFlags): Shown {
  const shown = withNewest(folder, (snapshot, { kind, epoch }): Shown => {
    const steps = stepsIn(snapshot);
    if (step === undefined) return { kind, epoch, steps, records: [], more: 0 };
    const one = steps.filter((each) => each.step === step);
    if (one.length === 0) throw noStep(step, steps);
    const records: RecordFacts[] = [];
    let more = 0;
    for (const record of recordsIn(snapshot, step)) {
      if (key !== undefined && !isKey(record.key, key)) continue;
      if (records.length < limit) records.push(record);
      else more++;
    }
    return { kind, epoch, steps: one, records, more };
  });
  return shown ?? { kind: "nothing", epoch: 0, steps: [], records: [], more: 0 };
}

function noStep(step: string, steps: readonly StepContents[]): TidemarkError {
  return new TidemarkError("STEP_UNKNOWN", {
    what: `the checkpoint has no stage that begins with step "${step}"`,
    fix: `there are ${steps.map((one) => `"${one.step}"`).join(", ")}`,
  });
}

/** Keys are given as text, or as JSON. */
function isKey(key: unknown, asked: string): boolean {
  return key === asked || textOf(key) === asked;
}

function shownText({ kind, epoch, steps, records, more }: Shown): string {
  const lines = [kind === "nothing" ? "no checkpoint is complete yet" : `${kind} ${epoch}`];
  for (const { step, input, output, layout, reading } of steps) {
    lines.push(`  ${step}: watermark ${formatTimestamp(input)} in, ${formatTimestamp(output)} out`);
    if (layout !== undefined) lines.push(`    keeps ${layout}`);
    if (reading !== undefined) lines.push(`    read up to ${textOf(reading)}`);
  }
  for (const record of records) lines.push(`  ${recordText(record)}`);
  if (more > 0) lines.push(`  and ${more} more: --limit ${records.length + more} shows all`);
  return `${lines.join("\n")}\n`;
}

function recordText({ key, window, contents, timers }: RecordFacts): string {
  const held = Object.entries(contents).map(([name, value]) => `${name} ${textOf(value)}`);
  const set = timers.map(({ family, tag, domain, at }) => {
    const name = tag === "" ? family : `${family} "${tag}"`;
    return `timer ${name} at ${domain === "event" ? formatTimestamp(at) : new Date(at).toISOString()}`;
  });
  return `key ${textOf(key)} in ${textOf(window)}: ${[...held, ...set].join("; ")}`;
}

/** Plain data in one line; maps and sets as their items. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => jsonOf(each)) ?? "nothing";
}

function jsonOf(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Map || value instanceof Set) return [...value];
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return value;
}

/** How two folders differ; the first `SHOWN` records of each step. */
function diff(before: string, after: string): readonly StepDifference[] {
  const found = withNewest(before, (left) => withNewest(after, (right) => differences(left, right, SHOWN)));
  if (found !== undefined) return found;
  throw new TidemarkError("CHECKPOINT_NOT_FOUND", {
    what: `one of ${before} and ${after} has no complete checkpoint`,
    fix: "name two folders of which each has one: tidemark savepoint ls DIR",
  });
}

function differencesText(steps: readonly StepDifference[]): string {
  if (steps.length === 0) return "no difference\n";
  const lines = steps.flatMap(({ step, layouts, onlyBefore, onlyAfter, changed, same, first }) => [
    `${step}: ${onlyAfter} new, ${onlyBefore} gone, ${changed} changed, ${same} the same`,
    ...(layouts === undefined ? [] : [`  - keeps ${layouts[0]}`, `  + keeps ${layouts[1]}`]),
    ...first.flatMap(({ before, after }) => [
      ...(before === undefined ? [] : [`  - ${recordText(before)}`]),
      ...(after === undefined ? [] : [`  + ${recordText(after)}`]),
    ]),
  ]);
  return `${lines.join("\n")}\n`;
}

/** Says what the program would keep, add, drop or read as something else. @throws CHECKPOINT_INCOMPATIBLE as starting it would */
async function check(
  { program }: LoadedProgram,
  folder: string,
  { options = {} }: CommandFlags,
  told: (facts: unknown, text: () => string) => void,
): Promise<void> {
  const { graph } = await buildProgram(program, options);
  const job = jobOf(folder);
  if (job !== graph.name) throw otherJob(folder, job, graph.name);
  const changes = withNewest(folder, (snapshot) => changesSince(graph, snapshot)) ?? [];
  told(changes, () => changesText(changes));
  refuseLosses(changes.filter(({ loses }) => loses));
}

function changesText(changes: readonly StepChange[]): string {
  const lines = changes.flatMap((one) => changeLines(one));
  const kept = changes.filter(({ change }) => change === "kept").length;
  return [kept === 1 ? "1 step is kept" : `${kept} steps are kept`, ...lines, ""].join("\n");
}
