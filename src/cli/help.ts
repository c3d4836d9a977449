/**
 * Help texts. Loaded only when help is asked for: commander takes as long to load as a small program.
 */
import { Command, Option } from "commander";
import { typeName, type OptionSpec } from "../program/option-specs.ts";
import { isSwitch } from "../program/flags.ts";
import { COMMANDS, type CommandName } from "./commands.ts";
import { EXIT_CODES } from "./exit-codes.ts";

const DESCRIPTION = "Streaming data pipelines for TypeScript.";

/** The help of the whole command. */
export function generalHelp(): string {
  const command = bare("tidemark").usage("COMMAND PROGRAM [flags]").description(DESCRIPTION);
  for (const { name, description } of Object.values(COMMANDS)) {
    command.addCommand(bare(name).usage("PROGRAM [flags]").description(description));
  }
  command.option("--version", "print the version").option("-h, --help", "print this help");
  return `${command.helpInformation()}\n${exitCodes()}`;
}

/** What help needs to know of a program. */
export interface ProgramHelp {
  /** As the user wrote it. */
  readonly path: string;
  readonly name: string;
  /** `undefined` where its schema offers no JSON Schema. */
  readonly specs: readonly OptionSpec[] | undefined;
}

/** The help of one command, with the options of a program where one is given. */
export function commandHelp(name: CommandName, program?: ProgramHelp): string {
  const { description, flags } = COMMANDS[name];
  const command = bare(`tidemark ${name} ${program?.path ?? "PROGRAM"}`).usage("[flags]");
  command.description(program === undefined ? `tidemark ${name}: ${description}.` : `Program "${program.name}".`);
  const specs = program?.specs ?? [];
  if (specs.length > 0) command.optionsGroup("Options of the program:");
  for (const spec of specs) command.addOption(optionOf(spec));
  command.optionsGroup("Flags of the command:");
  const taken = new Set(specs.map(({ flag }) => flag));
  for (const spec of flags) if (!taken.has(spec.flag)) command.addOption(optionOf(spec));
  const note =
    program === undefined
      ? `The options of a program are listed by: tidemark ${name} PROGRAM --help`
      : program.specs === undefined
        ? `The schema of this program offers no JSON Schema, so its options have no flags: give them as --options '{json}'`
        : program.specs.length === 0
          ? "This program takes no options."
          : "Lists are given by repeating their flag.";
  return `${command.helpInformation()}\n${note}\n\n${exitCodes()}`;
}

/** A command without what commander adds by itself. */
function bare(name: string): Command {
  return new Command(name)
    .helpOption(false)
    .helpCommand(false)
    .configureOutput({ getOutHasColors: () => false });
}

function optionOf(spec: OptionSpec): Option {
  const { flag, short, type, repeated, required, description = "" } = spec;
  const words = [description];
  if (required) words.push("(required)");
  // A switch that is on by default is there to be turned off.
  const isOn = isSwitch(spec) && spec.defaultValue === true;
  if (isOn) words.push("(on by default)");
  else if (spec.defaultValue !== undefined) words.push(`(default: ${JSON.stringify(spec.defaultValue)})`);
  const name = isOn ? `no-${flag}` : flag;
  const value = isSwitch(spec) ? "" : ` <${typeName(type)}>${repeated ? " …" : ""}`;
  const text = words.filter((word) => word !== "").join(" ");
  return new Option(`${short === undefined ? "" : `-${short}, `}--${name}${value}`, text);
}

function exitCodes(): string {
  const lines = Object.values(EXIT_CODES).map(([code, meaning]) => `  ${String(code).padEnd(4)} ${meaning}`);
  return `Exit codes:\n${lines.join("\n")}\n`;
}
