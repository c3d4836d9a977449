/** Random JSON, spelled in all ways, and the slow twin of reading declared fields. */
import fc from "fast-check";
import type { Field, Fields } from "./fields.ts";
import { nullable, optional, problemIn, shapeOf } from "./fields.ts";

/** Picks that fast-check can shrink: when they are used up, the first and simplest is picked. */
export class Picks {
  readonly #numbers: readonly number[];
  #used = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  below(count: number): number {
    return (this.#numbers[this.#used++] ?? 0) % count;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

export const picksArbitrary: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(0xffff), {
  maxLength: 400,
  size: "max",
});

/**
 * Few, so that they repeat; some are parts of others, and of four bytes with their quotes and colon, or fewer. None has a
 * backslash: V8 13.6 takes `"\""` for such a name where it expects one (`{"a":0,"\\":1}`, then `{"a":0,"\"":1}`).
 */
const NAMES = ["a", "ab", "abc", "", "b", "__proto__", "constructor", "0", "é", "서울", "😀", '"', "\n", "event_time"];
const SPACES = ["", "", "", " ", "\t", "\r", "  \t"];
const STRINGS = [
  "",
  "x",
  "plain text of more than twelve characters, and of some words",
  "é",
  "서울 😀",
  "\ud800",
  "\udc00\ud83d",
  'quote " in it',
  "back\\slash",
  "\b\f\n\r\t\u0000\u001f",
  "\u007f\u2028\ufeff",
  "🙂".repeat(5),
  "twelve chars",
  "thirteen char",
];
const NUMBERS = [
  "0",
  "-0",
  "7",
  "-12",
  "1234567890123",
  "999999999999999",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740992",
  "12345678901234567890",
  "0.1",
  "-0.0",
  "1.50",
  "123456.789012345",
  "0.30000000000000004",
  "179769313486231580793e289",
  "1e400",
  "-1e400",
  "1e-400",
  "5e-324",
  "2.2250738585072011e-308",
  "1E+2",
  "1e22",
  "1e23",
  "-1.5e-7",
  "0e0",
  "100e-2",
  "0.000001e6",
  "1e00000000000000000003",
];

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

function space(picks: Picks): string {
  return picks.of(SPACES);
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "/": "\\/",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function stringText(value: string, picks: Picks): string {
  let text = "";
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    const character = value[i] as string;
    const hex = unit.toString(16).padStart(4, "0");
    // Half of a pair has no UTF-8 of its own.
    const pair = isHigh(unit) && isLow(value.charCodeAt(i + 1));
    const must = unit < 0x20 || character === '"' || character === "\\" || (!pair && (isHigh(unit) || isLow(unit)));
    const way = picks.below(12);
    if (way === 1) text += `\\u${hex}`;
    else if (way === 2) text += `\\u${hex.toUpperCase()}`;
    else if (must || way === 3) text += SHORT[character] ?? `\\u${hex}`;
    else if (pair) text += value.slice(i, ++i + 1);
    else text += character;
  }
  return `"${text}"`;
}

/** Any JSON. */
export function anyText(picks: Picks, depth = 0): string {
  const kind = picks.below(depth > 3 ? 5 : 7);
  if (kind === 0) return picks.of(NUMBERS);
  if (kind === 1) return numberText(picks);
  if (kind === 2) return stringText(picks.of(STRINGS), picks);
  if (kind === 3) return picks.of(["true", "false"]);
  if (kind === 4) return "null";
  const parts = Array.from({ length: picks.below(4) }, () => anyText(picks, depth + 1));
  if (kind === 5) return listText(parts, picks);
  return objectText(
    parts.map((part) => [picks.of(NAMES), part]),
    picks,
  );
}

function numberText(picks: Picks): string {
  const digits = (count: number): string => Array.from({ length: count }, () => String(picks.below(10))).join("");
  const whole = digits(1 + picks.below(20)).replace(/^0+(?=.)/, "");
  const fraction = picks.below(2) === 0 ? "" : `.${digits(1 + picks.below(20))}`;
  const exponent =
    picks.below(3) === 0 ? picks.of(["e", "E"]) + picks.of(["", "+", "-"]) + digits(1 + picks.below(3)) : "";
  return picks.of(["", "-"]) + whole + fraction + exponent;
}

function listText(parts: readonly string[], picks: Picks): string {
  return `[${parts.map((part) => space(picks) + part + space(picks)).join(",") || space(picks)}]`;
}

function objectText(entries: readonly (readonly [string, string])[], picks: Picks): string {
  const texts = entries.map(
    ([name, text]) => `${space(picks)}${stringText(name, picks)}${space(picks)}:${space(picks)}${text}${space(picks)}`,
  );
  return `{${texts.join(",") || space(picks)}}`;
}

/** A declaration over the same names. */
export function anyFields(picks: Picks, depth = 0): Fields {
  const entries = Array.from({ length: picks.below(5) }, () => {
    const type = anyType(picks, depth);
    return [picks.of(NAMES), picks.below(3) === 0 ? optional(type) : type] as const;
  });
  return Object.fromEntries(entries);
}

type Type = Parameters<typeof optional>[0];

function anyType(picks: Picks, depth: number): Type {
  const kind = picks.below(depth > 1 ? 6 : 8);
  if (kind === 5) return nullable(anyType(picks, depth + 1));
  if (kind === 6) return [anyType(picks, depth + 1)];
  if (kind === 7) return anyFields(picks, depth + 1);
  return (["string", "number", "integer", "boolean", "json"] as const)[kind] as Type;
}

/** A record that mostly is as declared: some names are missing, repeated, of another type, or not declared. */
export function recordText(fields: Fields, picks: Picks): string {
  const entries: [string, string][] = [];
  for (const name of Object.keys(fields)) {
    const times = picks.of([1, 1, 1, 1, 1, 1, 2, 0]);
    for (let i = 0; i < times; i++) entries.push([name, textOf(fields[name] as Field, picks)]);
  }
  for (let more = picks.below(3); more > 0; more--) {
    const name = picks.of(NAMES);
    const at = picks.below(entries.length + 1);
    entries.splice(at, 0, [name, Object.hasOwn(fields, name) ? textOf(fields[name] as Field, picks) : anyText(picks)]);
  }
  return objectText(entries, picks);
}

function textOf(field: Field, picks: Picks): string {
  if (picks.below(25) === 24) return anyText(picks);
  if (field === "string") return stringText(picks.of(STRINGS), picks);
  if (field === "number") return picks.below(2) === 0 ? picks.of(NUMBERS) : numberText(picks);
  if (field === "integer") return picks.of(NUMBERS.slice(0, 7));
  if (field === "boolean") return picks.of(["true", "false"]);
  if (field === "json") return anyText(picks);
  const [marked] = Object.getOwnPropertySymbols(field);
  if (marked !== undefined) {
    const inner = (field as unknown as Readonly<Record<symbol, Field>>)[marked] as Field;
    return marked.description === "nullable" && picks.below(3) === 0 ? "null" : textOf(inner, picks);
  }
  if (Array.isArray(field))
    return listText(
      Array.from({ length: picks.below(4) }, () => textOf((field as readonly Field[])[0] as Field, picks)),
      picks,
    );
  return recordText(field as Fields, picks);
}

/** The elements of a text by `JSON.parse`, line by line: the slow twin. */
export function elementsOf(fields: Fields, text: string): unknown[] {
  const shape = shapeOf(fields);
  return text.split("\n").flatMap((line) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return [];
    }
    return problemIn(shape, value) === undefined ? [declaredIn(fields, value)] : [];
  });
}

function declaredIn(field: Field, value: unknown): unknown {
  if (typeof field === "string" || value === null || value === undefined) return value;
  const [marked] = Object.getOwnPropertySymbols(field);
  if (marked !== undefined)
    return declaredIn((field as unknown as Readonly<Record<symbol, Field>>)[marked] as Field, value);
  if (Array.isArray(field)) return (value as readonly unknown[]).map((each) => declaredIn(field[0] as Field, each));
  const given = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(field as Fields).map(([name, type]) => [
      name,
      Object.hasOwn(given, name) ? declaredIn(type, given[name]) : undefined,
    ]),
  );
}
