/** The commands and their own flags, as data: the command line is read by it, the help is printed from it. */
import type { OptionSpec, OptionType } from "../program/option-specs.ts";

export type CommandName = "run" | "graph" | "savepoint";

/** One command. */
export interface Command {
  readonly name: CommandName;
  readonly description: string;
  /** What follows its name, where that is no program. */
  readonly takes?: string;
  /** What else its help says. */
  readonly note?: string;
  readonly flags: readonly OptionSpec[];
}

/** The command's own flags as they were given; what is absent was not given. */
export interface CommandFlags {
  readonly options?: unknown;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly progress?: boolean;
  readonly drain?: boolean;
  readonly trace?: string;
  readonly "checkpoint-dir"?: string;
  readonly "checkpoint-every"?: number;
  readonly "state-memory"?: number;
  readonly "allow-dropped-state"?: readonly string[];
  readonly step?: string;
  readonly key?: string;
  readonly limit?: number;
  readonly format?: "text" | "mermaid";
  readonly stack?: boolean;
  readonly help?: boolean;
}

const SWITCH: OptionType = { kind: "boolean" };

function flag(name: keyof CommandFlags, type: OptionType, description: string, more?: Partial<OptionSpec>): OptionSpec {
  return { property: name, flag: name, type, repeated: false, required: false, description, ...more };
}

const COMMON: readonly OptionSpec[] = [
  flag("options", { kind: "json" }, "the program's options as one JSON object; flags go over it"),
  flag("stack", SWITCH, "print the stack of an error (also with DEBUG set)"),
  flag("help", SWITCH, "print this help; after PROGRAM, with the program's own options", { short: "h" }),
];

export const COMMANDS: Readonly<Record<CommandName, Command>> = {
  run: {
    name: "run",
    description: "run a program in this process until it is done",
    note: "While it runs, the key ? and SIGUSR2 have it say what is stuck, and why.",
    flags: [
      flag("json", SWITCH, "print what happens as JSON, one event a line, on standard output"),
      flag("quiet", SWITCH, "print errors and warnings only"),
      flag("progress", SWITCH, "print a line each second; the default on a terminal"),
      flag("drain", SWITCH, "on Ctrl-C or SIGTERM read no more and fire what is pending, rather than stop"),
      flag(
        "checkpoint-dir",
        { kind: "text" },
        "keep checkpoints in this folder; a job that finds its own there goes on from them, and Ctrl-C stops it with one",
      ),
      flag("checkpoint-every", { kind: "number", whole: true }, "milliseconds from one checkpoint to the next", {
        defaultValue: 1000,
      }),
      flag(
        "state-memory",
        { kind: "number", whole: true },
        "MiB of state in memory; more lies in the checkpoint folder",
        {
          defaultValue: 512,
        },
      ),
      flag(
        "allow-dropped-state",
        { kind: "text" },
        "go on without the state of this step, where this version of the program cannot take it over",
        { repeated: true },
      ),
      flag("trace", { kind: "text" }, "tell the journey of elements through a step, or of one key: STEP or STEP:KEY"),
      ...COMMON,
    ],
  },
  graph: {
    name: "graph",
    description: "print the stages and steps that a program is run as",
    flags: [
      flag("format", { kind: "choice", values: ["text", "mermaid"] }, "how to print it", { defaultValue: "text" }),
      ...COMMON,
    ],
  },
  savepoint: {
    name: "savepoint",
    description: "what folders of checkpoints hold, how they differ, and whether a program can go on from one",
    takes: "ls DIR | show DIR | diff DIR DIR | check PROGRAM DIR | copy DIR NEW_DIR",
    note: "A folder can be read, and copied, while its job runs.",
    flags: [
      flag("json", SWITCH, "print what there is as JSON"),
      flag("step", { kind: "text" }, "show: the records of this step"),
      flag("key", { kind: "text" }, "show: those of this key alone, as text or as JSON"),
      flag("limit", { kind: "number", whole: true }, "show: at most so many records", { defaultValue: 100 }),
      ...COMMON.map((one) => (one.flag === "options" ? { ...one, description: `check: ${one.description}` } : one)),
    ],
  },
};

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}
