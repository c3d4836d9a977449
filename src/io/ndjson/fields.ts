/**
 * Which fields of a record are read, and of what type each is: as a user declares them, and as readers use them.
 * Path: ndjson.ts, schema-fields.ts -> HERE -> record-reader.ts reads by them.
 *
 * F1 The type of the elements follows from the declaration, and is checked, never made to fit.
 */
import { TidemarkError } from "../../base/errors.ts";

/** A value without parts. `integer` is a whole number within ±(2^53 − 1); `json` is any value, as `JSON.parse` gives it. */
export type ScalarField = "string" | "number" | "integer" | "boolean" | "json";

const OPTIONAL: unique symbol = Symbol("optional");
const NULLABLE: unique symbol = Symbol("nullable");

/** What `ndjson.optional` gives. */
export interface OptionalField<F> {
  readonly [OPTIONAL]: F;
}

/** What `ndjson.nullable` gives. */
export interface NullableField<F> {
  readonly [NULLABLE]: F;
}

/** The type of a value: a scalar, the fields of an object, `[item]` for an array of items, or `nullable` of one of them. */
export type FieldType = ScalarField | Fields | readonly [FieldType] | NullableField<FieldType>;

/** A field of an object: there in every record, unless it is `optional`. */
export type Field = FieldType | OptionalField<FieldType>;

/** The declared fields of an object, by name. */
export interface Fields {
  readonly [name: string]: Field;
}

interface ScalarTypes {
  readonly string: string;
  readonly number: number;
  readonly integer: number;
  readonly boolean: boolean;
  readonly json: unknown;
}

type ValueOf<F> = F extends keyof ScalarTypes
  ? ScalarTypes[F]
  : F extends OptionalField<infer G>
    ? ValueOf<G> | undefined
    : F extends NullableField<infer G>
      ? ValueOf<G> | null
      : F extends readonly [infer G]
        ? readonly ValueOf<G>[]
        : { readonly [Name in keyof F]: ValueOf<F[Name]> };

/** The elements that are read by a declaration of fields: an optional field that is missing is `undefined`. */
export type RecordOf<F extends Fields> = { readonly [Name in keyof F]: ValueOf<F[Name]> };

/**
 * A field that records may leave out: the element then has `undefined` there. A null is not left out; for both write
 * `optional(nullable("string"))`.
 *
 * @example
 * ```ts
 * await writeFile("a.ndjson", '{"id":1,"note":"hi"}\n{"id":2}\n');
 * p.apply(ndjson.read("a.ndjson", { fields: { id: "integer", note: ndjson.optional("string") } }))
 *   .map(({ id, note }) => [id, note ?? "none"]); // -> [1, "hi"], [2, "none"]
 * ```
 */
export function optional<const F extends FieldType>(type: F): OptionalField<F> {
  return { [OPTIONAL]: type };
}

/**
 * A value that may be null instead.
 *
 * @example
 * ```ts
 * await writeFile("a.ndjson", '{"at":[1,null]}\n{"at":null}\n');
 * p.apply(ndjson.read("a.ndjson", { fields: { at: ndjson.nullable([ndjson.nullable("number")]) } }))
 *   .map(({ at }) => at?.length ?? 0); // -> 2, 0
 * ```
 */
export function nullable<const F extends FieldType>(type: F): NullableField<F> {
  return { [NULLABLE]: type };
}

/** What a value is: a scalar, or one with parts. */
export type Kind = ScalarField | "object" | "list";

/** A checked type of a value. */
export interface FieldNode {
  readonly kind: Kind;
  readonly nullable: boolean;
  /** Of an object. */
  readonly shape: ObjectShape | undefined;
  /** Of a list. */
  readonly item: FieldNode | undefined;
}

/** The checked fields of an object. */
export interface ObjectShape {
  readonly names: readonly string[];
  readonly nodes: readonly FieldNode[];
  readonly optional: readonly boolean[];
}

const NAMES: Readonly<Record<Kind, string>> = {
  string: "a string",
  number: "a number",
  integer: "a whole number within ±(2^53 − 1)",
  boolean: "a boolean",
  json: "any value",
  object: "an object",
  list: "an array",
};

function isScalar(type: unknown): type is ScalarField {
  return type === "string" || type === "number" || type === "integer" || type === "boolean" || type === "json";
}

/**
 * Checks a declaration.
 * @throws TRANSFORM_INVALID with the path of what is no field
 */
export function shapeOf(fields: Fields): ObjectShape {
  if (!isPlainObject(fields)) throw noField("fields", fields);
  return objectShape(fields, "", 0);
}

const DEPTH_MAX = 100;

function objectShape(fields: Fields, path: string, depth: number): ObjectShape {
  const names = Object.keys(fields);
  if (depth > DEPTH_MAX) throw noField(path, "an object that contains itself");
  const given = names.map((name) => fields[name] as Field);
  return {
    names,
    nodes: given.map((field, i) => {
      const own = path === "" ? (names[i] as string) : `${path}.${names[i]}`;
      return nodeOf(isMarked(field, OPTIONAL) ? field[OPTIONAL] : field, own, depth);
    }),
    optional: given.map((field) => isMarked(field, OPTIONAL)),
  };
}

function nodeOf(type: unknown, path: string, depth: number): FieldNode {
  if (isScalar(type)) return { kind: type, nullable: false, shape: undefined, item: undefined };
  if (isMarked(type, NULLABLE)) return { ...nodeOf(type[NULLABLE], path, depth), nullable: true };
  if (Array.isArray(type) && type.length === 1)
    return { kind: "list", nullable: false, shape: undefined, item: nodeOf(type[0], `${path}[]`, depth + 1) };
  if (!isPlainObject(type) || isMarked(type, OPTIONAL)) throw noField(path, type);
  return { kind: "object", nullable: false, shape: objectShape(type as Fields, path, depth + 1), item: undefined };
}

function isMarked<Mark extends symbol>(field: unknown, mark: Mark): field is { readonly [M in Mark]: unknown } {
  return typeof field === "object" && field !== null && mark in field;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function noField(path: string, given: unknown): TidemarkError {
  const shown = isMarked(given, OPTIONAL) ? "optional(…)" : (JSON.stringify(given) ?? String(given));
  return new TidemarkError("TRANSFORM_INVALID", {
    what: `ndjson.read is given a declaration of fields in which ${path} is ${shown}`,
    why: 'a type is "string", "number", "integer", "boolean", "json", an object of fields, or [type] for an array; only a field of an object can be optional',
    fix: 'write { fields: { user: "string", tags: ["string"], place: { lat: "number" }, note: ndjson.optional("string") } }',
  });
}

/**
 * Why a value that `JSON.parse` gave is not as declared: the slow twin of reading by a declaration, for messages.
 * @returns undefined where it is
 */
export function problemIn(shape: ObjectShape, value: unknown, path = ""): string | undefined {
  if (!isPlainObject(value)) return `${path === "" ? "the record" : path} is ${nameOf(value)}, not an object`;
  for (const [i, name] of shape.names.entries()) {
    const own = path === "" ? name : `${path}.${name}`;
    if (Object.hasOwn(value, name)) {
      const problem = problemOf(shape.nodes[i] as FieldNode, value[name], own);
      if (problem !== undefined) return problem;
    } else if (shape.optional[i] !== true) return `${own} is missing`;
  }
  return undefined;
}

function problemOf(node: FieldNode, value: unknown, path: string): string | undefined {
  if (value === null && node.nullable) return undefined;
  if (node.shape !== undefined) return problemIn(node.shape, value, path);
  if (node.item !== undefined && Array.isArray(value)) {
    for (const [i, each] of value.entries()) {
      const problem = problemOf(node.item, each, `${path}[${i}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  return isOf(node.kind, value) ? undefined : `${path} is ${nameOf(value)}, not ${NAMES[node.kind]}`;
}

function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "integer":
      return Number.isSafeInteger(value);
    case "boolean":
      return typeof value === "boolean";
    case "json":
      return true;
    case "object":
    case "list":
      return false;
  }
}

const SHOWN_CHARACTERS = 40;

function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  const shown = typeof value === "string" ? JSON.stringify(value) : `${value as number}`;
  return shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}…` : shown;
}
