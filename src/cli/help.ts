/** Help texts, printed from the same data that the command line is read by. Loaded only when help is asked for. */
import { typeName, type OptionSpec } from "../program/option-specs.ts";
import { isSwitch } from "../program/flags.ts";
import { COMMANDS, type CommandName } from "./commands.ts";
import { EXIT_CODES } from "./exit-codes.ts";

const DESCRIPTION = "Streaming data pipelines for TypeScript.";

/** The columns of a line where no terminal says how many it has. */
const COLUMNS = 80;
/** A flag that takes more has its description below it, so that one long name does not push all others to the right. */
const TERM_COLUMNS_MAX = 30;

/** What is listed: a flag or command, and what it does. */
type Row = readonly [term: string, text: string];

/** The help of the whole command. */
export function generalHelp(): string {
  const commands = Object.values(COMMANDS).map(({ name, description }): Row => [name, description]);
  const flags: readonly Row[] = [
    ["--version", "print the version"],
    ["-h, --help", "print this help"],
  ];
  return page([
    "Usage: tidemark COMMAND PROGRAM [flags]",
    DESCRIPTION,
    ...sections([
      ["Commands:", commands],
      ["Flags:", flags],
    ]),
    exitCodes(),
  ]);
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
  const { description, note: more, takes, flags } = COMMANDS[name];
  const specs = program?.specs ?? [];
  const taken = new Set(specs.map(({ flag }) => flag));
  const note =
    takes !== undefined
      ? "A copy is complete, and a job can go on from it: --checkpoint-dir NEW_DIR."
      : program === undefined
        ? `The options of a program are listed by: tidemark ${name} PROGRAM --help`
        : program.specs === undefined
          ? `The schema of this program offers no JSON Schema, so its options have no flags: give them as --options '{json}'`
          : program.specs.length === 0
            ? "This program takes no options."
            : "Lists are given by repeating their flag.";
  return page([
    `Usage: tidemark ${name} ${takes ?? program?.path ?? "PROGRAM"} [flags]`,
    program === undefined ? `tidemark ${name}: ${description}.` : `Program "${program.name}".`,
    ...sections([
      ["Options of the program:", specs.map(rowOf)],
      ["Flags of the command:", flags.filter(({ flag }) => !taken.has(flag)).map(rowOf)],
    ]),
    more === undefined ? note : `${note}\n${more}`,
    exitCodes(),
  ]);
}

function rowOf(spec: OptionSpec): Row {
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
  return [`${short === undefined ? "" : `-${short}, `}--${name}${value}`, text];
}

function exitCodes(): string {
  const rows = Object.values(EXIT_CODES).map(([code, meaning]): Row => [String(code), meaning]);
  return sections([["Exit codes:", rows]]).join("");
}

function page(parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}

/** A title and its rows, in two columns that all sections share; sections without rows are left out. */
function sections(all: readonly (readonly [title: string, rows: readonly Row[]])[]): readonly string[] {
  const widths = all.flatMap(([, rows]) => rows.map(([term]) => term.length)).filter((w) => w <= TERM_COLUMNS_MAX);
  const indent = " ".repeat(Math.max(0, ...widths) + 4);
  const linesOf = ([term, text]: Row): readonly string[] => {
    const lines = wrap(text, (process.stdout.columns ?? COLUMNS) - indent.length).map((line) => indent + line);
    const own = `  ${term}`;
    if (own.length > indent.length - 2) return [own, ...lines];
    return [own.padEnd(indent.length) + (lines[0] ?? "").slice(indent.length), ...lines.slice(1)];
  };
  return all
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => [title, ...rows.flatMap(linesOf)].map((line) => line.trimEnd()).join("\n"));
}

/** Lines of at most `columns`, cut between words; a word that is longer stands alone. */
function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
