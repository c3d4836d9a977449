/**
 * Reads the command line and calls the command.
 * Path: main.ts -> HERE -> program/ (loads the program) -> run.ts or graph.ts; savepoint.ts needs no program.
 *
 * C1 Flags before PROGRAM are the command's. After it they are the program's first, and the command's where it has none of that name.
 * C2 What a command does not need is not loaded: help, runner and plan come in by import() when they are used.
 * C3 A program with a copy of Tidemark beside it is handed to that copy (program/copy.ts).
 */
import { readFileSync } from "node:fs";
import { TidemarkError } from "../base/errors.ts";
import { otherCommand } from "../program/copy.ts";
import { optionsFrom, readFlags } from "../program/flags.ts";
import { importing } from "../program/importing.ts";
import { loadProgram, programPath, type LoadedProgram } from "../program/load.ts";
import { nearest } from "../base/nearest.ts";
import { optionSpecs } from "../program/option-specs.ts";
import { COMMANDS, isCommandName, type Command, type CommandFlags } from "./commands.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import { humanReporter, jsonReporter, type Reporter, type Write } from "./print.ts";
import { orUncaught } from "./uncaught.ts";

/** Who is told what happens. */
interface Session {
  reporter: Reporter;
}

const toOutput: Write = (text) => void process.stdout.write(text);
const toError: Write = (text) => void process.stderr.write(text);

/** The command, from its arguments to the end of the process. */
export async function main(args: readonly string[]): Promise<void> {
  // A reader that has seen enough, as `head` does, closes the pipe: no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT_CODES.ok[0]);
    throw error;
  });
  const session = { reporter: provisionalReporter(args) };
  const onEmpty = (): void => {
    const error = neverSettled();
    session.reporter.error(error);
    process.exit(exitCodeOf(error));
  };
  process.once("beforeExit", onEmpty);
  let code: number | undefined;
  try {
    code = await dispatch(args, session);
  } catch (error) {
    session.reporter.error(error);
    code = exitCodeOf(error);
  }
  process.off("beforeExit", onEmpty);
  if (code === undefined) return;
  // The job has been closed; a connection that the program left open must not keep the process.
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

/** @returns the exit code; `undefined` when another copy has taken over */
async function dispatch(args: readonly string[], session: Session): Promise<number | undefined> {
  const [name, ...rest] = args;
  if (name === "--version") return print(`${version()}\n`);
  if (name === "--help" || name === "-h") return print((await import("./help.ts")).generalHelp());
  if (name === undefined) {
    toError((await import("./help.ts")).generalHelp());
    return EXIT_CODES.usage[0];
  }
  if (!isCommandName(name)) throw unknownCommand(name);
  if (name === "savepoint") return runSavepoint(rest);
  return runNamed(COMMANDS[name], rest, session);
}

async function runSavepoint(args: readonly string[]): Promise<number | undefined> {
  if (args.includes("--help") || args.includes("-h"))
    return print((await import("./help.ts")).commandHelp("savepoint"));
  const { savepointCommand } = await import("./savepoint.ts");
  let handedOver = false;
  const loadHere = async (path: string): Promise<LoadedProgram | undefined> => {
    handedOver = await isHandedOver(path);
    return handedOver ? undefined : load(path);
  };
  await savepointCommand(args, loadHere, toOutput);
  return handedOver ? undefined : EXIT_CODES.ok[0];
}

/** C3. */
async function isHandedOver(path: string): Promise<boolean> {
  const other = otherCommand(programPath(path));
  if (other !== undefined) await import(other);
  return other !== undefined;
}

async function runNamed(command: Command, args: readonly string[], session: Session): Promise<number | undefined> {
  const hint = { fix: `the program's own options come after it: tidemark ${command.name} PROGRAM [flags]` };
  const before = readFlags(args, [command.flags], hint);
  const [path, ...after] = before.rest;
  if (path === undefined) {
    if (before.values[0]?.["help"] === true) return print((await import("./help.ts")).commandHelp(command.name));
    throw new TidemarkError("USAGE", {
      what: `tidemark ${command.name} is given no program`,
      fix: `write tidemark ${command.name} PROGRAM, as in tidemark ${command.name} trending.ts`,
    });
  }
  if (await isHandedOver(path)) return undefined;
  const loaded = await load(path);
  const specs = optionSpecs(loaded.program.optionsSchema);
  const noFlags = {
    why: "the schema of the program offers no JSON Schema, so its options have no flags",
    fix: `give them as --options '{"name": "value"}'`,
  };
  const given = readFlags(after, [specs ?? [], command.flags], specs === undefined ? noFlags : undefined);
  const flags: CommandFlags = { ...before.values[0], ...given.values[1] };
  session.reporter = reporterFor(flags);
  if (flags.help === true) {
    const { commandHelp } = await import("./help.ts");
    return print(commandHelp(command.name, { path, name: loaded.program.name, specs }));
  }
  if (given.rest.length > 0) throw unexpected(given.rest[0] as string);
  const options = optionsFrom({ flags: given.values[0] ?? {}, object: flags.options }, specs);
  if (command.name === "run") return (await import("./run.ts")).runCommand(loaded, options, flags, session.reporter);
  const { graphCommand } = await import("./graph.ts");
  return print(await orUncaught(() => graphCommand(loaded, options, flags.format ?? "text")));
}

/** Loads a program, during which no job may be started. */
async function load(path: string): Promise<LoadedProgram> {
  importing.active = true;
  try {
    return await orUncaught(() => loadProgram(path));
  } finally {
    importing.active = false;
  }
}

/** Before the command line is understood: errors in it have to be told, too. */
function provisionalReporter(args: readonly string[]): Reporter {
  const has = (flag: string): boolean => args.includes(flag);
  return reporterFor({ json: has("--json"), quiet: has("--quiet"), ...(has("--stack") && { stack: true }) });
}

function reporterFor({
  json = false,
  quiet = false,
  stack = (process.env["DEBUG"] ?? "") !== "",
}: CommandFlags): Reporter {
  return json ? jsonReporter(toOutput, stack) : humanReporter(toError, { quiet, stack });
}

function print(text: string): number {
  toOutput(text);
  return EXIT_CODES.ok[0];
}

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

function unknownCommand(name: string): TidemarkError {
  const meant = nearest(name, Object.keys(COMMANDS));
  const isPath = /\.[mc]?[jt]s$/.test(name);
  return new TidemarkError("USAGE", {
    what: name.startsWith("-") ? `there is no option ${name} before a command` : `there is no command "${name}"`,
    fix: isPath
      ? `write tidemark run ${name}`
      : meant === undefined
        ? "the help lists the commands: tidemark --help"
        : `did you mean ${meant}?`,
  });
}

function unexpected(argument: string): TidemarkError {
  const isTruth = argument === "true" || argument === "false";
  return new TidemarkError("USAGE", {
    what: `the argument "${argument}" belongs to no flag`,
    fix: isTruth ? "write --flag or --no-flag, without a value" : "options are given as flags: --name value",
  });
}

function neverSettled(): TidemarkError {
  return new TidemarkError("JOB_NEVER_SETTLED", {
    what: "nothing is left to wait for, but the program is not done",
    why: "a promise that the program awaits is never settled: at its top level, in build, in a step, or in a source's ready()",
    fix: "look for a promise whose resolve is never called",
  });
}
