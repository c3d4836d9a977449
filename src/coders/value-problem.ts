/**
 * Says which part of a value cannot be encoded, and why.
 *
 * Place: valueCoder and keys refuse without looking for a reason, since that is the fast path; HERE the value is walked
 * again, slowly, to name the place.
 * N1 Knows the same rules as the writers in value.ts and key.ts: what they refuse, this finds.
 */
import { GlobalWindow, IntervalWindow } from "../model/window.ts";
import { BINARY_TAGS, DEPTH_MAX } from "./value-format.ts";
import { isWellFormed } from "./well-formed.ts";

/** The first part of a value that cannot be encoded. */
export interface Problem {
  /** As in `value.user.callback`. */
  readonly path: string;
  /** After "is": as in `a function`. */
  readonly what: string;
  readonly fix: string;
}

/** What a value is for: keys refuse more. */
export type Purpose = "value" | "key";

const GIVE_A_CODER = "keep plain data in the value, or give a coder that knows this type";
const GET_CONTENT = "await it before the value leaves your function";
const CUT_TEXT = "cut text by code points ([...text]), or call text.toWellFormed() first";
const PLAIN_PROTOTYPES: ReadonlySet<unknown> = new Set([
  null,
  Object.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
  Date.prototype,
]);

/** The first problem of `value` in the order of encoding, or `undefined`. Cost: O(size of the value). */
export function findProblem(purpose: Purpose, value: unknown): Problem | undefined {
  return search(purpose, value, purpose, []);
}

function search(path: string, value: unknown, purpose: Purpose, ancestors: readonly object[]): Problem | undefined {
  switch (typeof value) {
    case "function":
      return { path, what: value.name === "" ? "a function" : `the function ${value.name}`, fix: GIVE_A_CODER };
    case "symbol":
      return { path, what: `the symbol ${String(value)}`, fix: GIVE_A_CODER };
    case "string":
      return purpose === "key" && !isWellFormed(value)
        ? { path, what: "text with half a surrogate pair", fix: CUT_TEXT }
        : undefined;
    case "object":
      return value === null ? undefined : searchObject(path, value, purpose, ancestors);
    default:
      return undefined;
  }
}

function searchObject(
  path: string,
  value: object,
  purpose: Purpose,
  ancestors: readonly object[],
): Problem | undefined {
  if (ancestors.includes(value))
    return { path, what: "cyclic: it contains itself", fix: "refer to it by an id instead" };
  if (ancestors.length > DEPTH_MAX) {
    return {
      path: `${path.slice(0, 40)}…`,
      what: `nested more than ${DEPTH_MAX} levels deep`,
      fix: "keep long chains as arrays",
    };
  }
  const problem = wrongKind(path, value);
  if (problem !== undefined) return problem;
  const inner = [...ancestors, value];
  for (const [place, part] of partsOf(path, value)) {
    const found = search(place, part, purpose, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

function wrongKind(path: string, value: object): Problem | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (value instanceof Promise) return { path, what: "a promise", fix: GET_CONTENT };
  if (prototype === IntervalWindow.prototype || prototype === GlobalWindow.prototype || BINARY_TAGS.has(prototype))
    return undefined;
  if (!PLAIN_PROTOTYPES.has(prototype)) {
    return { path, what: `an instance of ${className(prototype)}`, fix: GIVE_A_CODER };
  }
  const [symbol] = prototype === null || prototype === Object.prototype ? Object.getOwnPropertySymbols(value) : [];
  if (symbol !== undefined)
    return { path, what: `an object with the symbol ${String(symbol)} as a key`, fix: "use text as keys" };
  const hole = Array.isArray(value) ? value.findIndex((_, i) => !(i in value)) : -1;
  if (hole >= 0)
    return { path: `${path}[${hole}]`, what: "a hole in a sparse array", fix: "use a Map, or fill the array" };
  return undefined;
}

function className(prototype: unknown): string {
  const constructor: unknown = (prototype as { readonly constructor?: unknown }).constructor;
  return typeof constructor === "function" && constructor.name !== ""
    ? `the class ${constructor.name}`
    : "a class without a name";
}

function* partsOf(path: string, value: object): Generator<readonly [path: string, part: unknown]> {
  if (Array.isArray(value)) {
    for (const [i, item] of (value as readonly unknown[]).entries()) yield [`${path}[${i}]`, item];
  } else if (value instanceof Map) {
    for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
      yield [`${path} (key ${show(key)})`, key];
      yield [`${path}.get(${show(key)})`, item];
    }
  } else if (value instanceof Set) {
    let i = 0;
    for (const item of value as ReadonlySet<unknown>) yield [`${path} (item ${i++})`, item];
  } else if (PLAIN_PROTOTYPES.has(Object.getPrototypeOf(value))) {
    for (const [name, item] of Object.entries(value)) {
      const place = /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
      yield [`${path} (name ${JSON.stringify(name)})`, name];
      yield [place, item];
    }
  }
}

function show(key: unknown): string {
  if (typeof key === "string") return JSON.stringify(key);
  return typeof key === "object" && key !== null ? "an object" : String(key);
}
