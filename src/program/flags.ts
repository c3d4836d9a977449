/**
 * Reads flags from the command line, each by the type of its option.
 *
 * F1 A flag that is not declared, has no value or a wrong one, is an error that says what was meant; nothing is guessed.
 * F2 A name that several groups declare belongs to the first of them.
 */
import { parseArgs } from "node:util";
import { TidemarkError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { typeName, type OptionSpec, type OptionType } from "./option-specs.ts";

/** What the command line said. */
export interface ReadFlags {
  /** For each group, values by property. */
  readonly values: readonly Readonly<Record<string, unknown>>[];
  /** The first argument that is no flag, and all that follow. */
  readonly rest: readonly string[];
}

/** What `optionsFrom` puts together. */
export interface GivenOptions {
  /** Values by property, from flags. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** What `--options` holds. */
  readonly object: unknown;
}

interface Found {
  readonly spec: OptionSpec;
  readonly group: number;
}

/**
 * Reads flags up to the first argument that is no flag.
 * @param groups the options that flags may set; of equal names the earlier group's counts
 * @param hint added to the error for a flag that no group has
 * @throws OPTION_UNKNOWN, OPTION_INVALID
 */
export function readFlags(
  args: readonly string[],
  groups: readonly (readonly OptionSpec[])[],
  hint?: { readonly why?: string; readonly fix: string },
): ReadFlags {
  const known = byName(groups);
  const values: Record<string, unknown>[] = groups.map(() => ({}));
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: parserOptions(known),
  });
  for (const token of tokens) {
    if (token.kind === "positional") return { values, rest: args.slice(token.index) };
    if (token.kind === "option-terminator") return { values, rest: args.slice(token.index + 1) };
    const found = known.get(token.name) ?? negated(token.name, token.value, known);
    if (found === undefined) throw unknown(token.rawName, known, hint);
    const { spec, group } = found;
    const value = valueOf(spec, token);
    setValue(values[group] as Record<string, unknown>, spec, value);
  }
  return { values, rest: [] };
}

function byName(groups: readonly (readonly OptionSpec[])[]): Map<string, Found> {
  const known = new Map<string, Found>();
  groups.forEach((specs, group) => {
    for (const spec of specs) {
      // The property's own spelling is understood too.
      for (const name of [spec.flag, spec.property, spec.short]) {
        if (name !== undefined && !known.has(name)) known.set(name, { spec, group });
      }
    }
  });
  return known;
}

function parserOptions(known: ReadonlyMap<string, Found>): Record<string, { type: "boolean" | "string" }> {
  const entries = [...known].map(
    ([name, { spec }]) => [name, { type: isSwitch(spec) ? "boolean" : "string" }] as const,
  );
  return Object.fromEntries(entries) as Record<string, { type: "boolean" | "string" }>;
}

/** A flag that needs no value. */
export function isSwitch(spec: OptionSpec): boolean {
  return spec.type.kind === "boolean" && !spec.repeated;
}

/** `--no-x` for a switch `x`. */
function negated(name: string, value: string | undefined, known: ReadonlyMap<string, Found>): Found | undefined {
  const found = name.startsWith("no-") && value === undefined ? known.get(name.slice("no-".length)) : undefined;
  return found !== undefined && isSwitch(found.spec) ? found : undefined;
}

interface FlagToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function valueOf(spec: OptionSpec, token: FlagToken): unknown {
  const { rawName, value, inlineValue } = token;
  const type = spec.type.kind;
  if (isSwitch(spec) && value === undefined) return !token.name.startsWith("no-") || token.name === spec.flag;
  // `--input --output x` forgets a value; `--offset -5` does not.
  const forgotten = value === undefined || (inlineValue === false && /^--?[A-Za-z]/.test(value));
  if (forgotten) {
    throw new TidemarkError("OPTION_INVALID", {
      what: `${rawName} is given without a value`,
      fix: `write ${rawName} <${typeName(spec.type)}>${value === undefined ? "" : `; a value that begins with a dash as ${rawName}=${value}`}`,
    });
  }
  const converted = convert(spec.type, value);
  if (converted !== undefined) return converted.value;
  const meant = spec.type.kind === "choice" ? nearest(value, spec.type.values.map(String)) : undefined;
  throw new TidemarkError("OPTION_INVALID", {
    what: `${rawName} is given ${JSON.stringify(value)}, which is not ${type === "json" ? "JSON" : `of <${typeName(spec.type)}>`}`,
    fix: meant === undefined ? `write ${rawName} <${typeName(spec.type)}>` : `did you mean ${rawName} ${meant}?`,
  });
}

function setValue(values: Record<string, unknown>, spec: OptionSpec, value: unknown): void {
  const { property, flag, repeated } = spec;
  if (!Object.hasOwn(values, property)) {
    values[property] = repeated ? [value] : value;
  } else if (repeated) {
    (values[property] as unknown[]).push(value);
  } else {
    throw new TidemarkError("OPTION_INVALID", { what: `--${flag} is given twice`, fix: "give it once" });
  }
}

/** The value of a text, or nothing where the text is not of the type. */
function convert(type: OptionType, text: string): { readonly value: unknown } | undefined {
  switch (type.kind) {
    case "text":
      return { value: text };
    case "number": {
      const value = text.trim() === "" ? Number.NaN : Number(text);
      return Number.isFinite(value) && (!type.whole || Number.isInteger(value)) ? { value } : undefined;
    }
    case "boolean":
      return text === "true" || text === "false" ? { value: text === "true" } : undefined;
    case "choice": {
      const value = type.values.find((choice) => String(choice) === text);
      return value === undefined ? undefined : { value };
    }
    case "json":
      return parseJson(text);
    case "oneOf":
      for (const each of type.types) {
        const converted = convert(each, text);
        if (converted !== undefined) return converted;
      }
      return undefined;
  }
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function unknown(
  rawName: string,
  known: ReadonlyMap<string, Found>,
  hint: { readonly why?: string; readonly fix: string } | undefined,
): TidemarkError {
  const flags = [...new Set([...known.values()].map(({ spec }) => spec.flag))];
  const meant = nearest(rawName.replace(/^-+/, ""), flags);
  return new TidemarkError("OPTION_UNKNOWN", {
    what: `there is no option ${rawName}`,
    ...(hint?.why !== undefined && { why: hint.why }),
    fix: meant !== undefined ? `did you mean --${meant}?` : (hint?.fix ?? "the help lists the options: --help"),
  });
}

/**
 * A program's raw options: those of `--options`, and over them those of flags.
 * @param specs the program's options; `undefined` where only its schema knows them
 * @throws OPTION_INVALID when `--options` is not a JSON object; OPTION_MISSING naming every required option that is not given
 */
export function optionsFrom(given: GivenOptions, specs: readonly OptionSpec[] | undefined): Record<string, unknown> {
  const options = { ...recordOf(given.object), ...given.flags };
  const missing = (specs ?? []).filter(({ property, required }) => required && !Object.hasOwn(options, property));
  if (missing.length === 0) return options;
  const flags = missing.map(({ flag, type }) =>
    type.kind === "boolean" ? `--${flag}` : `--${flag} <${typeName(type)}>`,
  );
  throw new TidemarkError("OPTION_MISSING", {
    what: `the program needs ${flags.join(", ")}`,
    fix: "add what is missing; --help after the program says what each option means",
  });
}

function recordOf(object: unknown): Record<string, unknown> {
  if (object === undefined) return {};
  if (typeof object === "object" && object !== null && !Array.isArray(object)) return object as Record<string, unknown>;
  throw new TidemarkError("OPTION_INVALID", {
    what: `--options is given ${JSON.stringify(object)}, which is not a JSON object`,
    fix: `write --options '{"name": "value"}', in single quotes for the shell`,
  });
}
