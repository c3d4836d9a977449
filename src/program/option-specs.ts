/**
 * A program's options as flags, from the JSON Schema that its Standard Schema offers.
 * Path: a schema -> HERE -> flags.ts reads the command line by them; the help lists them.
 *
 * S1 A property becomes one flag; its type says how the text is read, and nothing else: the schema itself validates.
 * S2 A property of no known type takes its text as it is.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isRecord, type JsonSchema, jsonSchemaOf, resolved } from "./json-schema.ts";

/** How the text of a flag becomes a value. */
export type OptionType =
  | { readonly kind: "text" }
  | { readonly kind: "number"; readonly whole: boolean }
  | { readonly kind: "boolean" }
  | { readonly kind: "choice"; readonly values: readonly unknown[] }
  /** Objects, and lists of them. */
  | { readonly kind: "json" }
  /** The first that fits. */
  | { readonly kind: "oneOf"; readonly types: readonly OptionType[] };

/** One option, of a program or of the command line itself. */
export interface OptionSpec {
  /** The name of the property. */
  readonly property: string;
  /** The flag without its dashes: `max-items` for `maxItems`. */
  readonly flag: string;
  /** One letter, for `-h`. */
  readonly short?: string;
  readonly type: OptionType;
  /** A list: the flag may be given several times. */
  readonly repeated: boolean;
  readonly required: boolean;
  readonly description?: string;
  /** Present where there is one. */
  readonly defaultValue?: unknown;
}

const TEXT: OptionType = { kind: "text" };
const JSON_TEXT: OptionType = { kind: "json" };

/**
 * The options of a schema.
 * @returns one for each property, in the schema's order; none without a schema; `undefined` where the schema offers no
 * JSON Schema, or one that is not a list of properties: such options are given as JSON
 */
export function optionSpecs(schema: StandardSchemaV1 | undefined): readonly OptionSpec[] | undefined {
  if (schema === undefined) return [];
  const root = jsonSchemaOf(schema);
  if (root === undefined) return undefined;
  const object = resolved(root, root);
  const properties = object["properties"];
  if (object["type"] !== "object" || !isRecord(properties)) return undefined;
  const required = Array.isArray(object["required"]) ? (object["required"] as readonly unknown[]) : [];
  return Object.entries(properties).map(([property, given]) => {
    const found = isRecord(given) ? resolved(given, root) : {};
    const { type, repeated } = listOrType(found, root);
    const description = isRecord(given) ? (given["description"] ?? found["description"]) : undefined;
    return {
      property,
      flag: flagOf(property),
      type,
      repeated,
      required: required.includes(property),
      ...(typeof description === "string" && { description }),
      ...("default" in found && { defaultValue: found["default"] }),
    };
  });
}

/** `maxItems` and `max_items` as `max-items`. */
function flagOf(property: string): string {
  return property
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
}

function listOrType(schema: JsonSchema, root: JsonSchema): { type: OptionType; repeated: boolean } {
  const items = schema["items"];
  if (schema["type"] !== "array" || !isRecord(items)) return { type: typeOf(schema, root), repeated: false };
  const type = typeOf(resolved(items, root), root);
  // A list of objects is easier to write as one piece of JSON.
  return hasJson(type) ? { type: JSON_TEXT, repeated: false } : { type, repeated: true };
}

function hasJson(type: OptionType): boolean {
  return type.kind === "json" || (type.kind === "oneOf" && type.types.some(hasJson));
}

function typeOf(schema: JsonSchema, root: JsonSchema): OptionType {
  const { enum: values, type } = schema;
  if ("const" in schema) return { kind: "choice", values: [schema["const"]] };
  if (Array.isArray(values)) return { kind: "choice", values: values.filter((value) => value !== null) };
  const alternatives = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(alternatives)) {
    const schemas = alternatives.filter(isRecord).map((alternative) => resolved(alternative, root));
    return either(schemas.filter((found) => found["type"] !== "null").map((found) => typeOf(found, root)));
  }
  if (Array.isArray(type)) {
    return either(type.filter((name) => name !== "null").map((name) => typeOf({ ...schema, type: name }, root)));
  }
  switch (type) {
    case "number":
    case "integer":
      return { kind: "number", whole: type === "integer" };
    case "boolean":
      return { kind: "boolean" };
    case "object":
    case "array":
      return JSON_TEXT;
    default:
      return TEXT;
  }
}

/** One type for several: choices become one, and text takes everything. */
function either(types: readonly OptionType[]): OptionType {
  const [first] = types;
  if (first === undefined || types.some(({ kind }) => kind === "text")) return TEXT;
  if (types.length === 1) return first;
  const choices = types.flatMap((type) => (type.kind === "choice" ? type.values : []));
  const rest = types.filter(({ kind }) => kind !== "choice");
  const choice: OptionType = { kind: "choice", values: choices };
  if (rest.length === 0) return choice;
  return { kind: "oneOf", types: choices.length === 0 ? rest : [choice, ...rest] };
}

/** How a type is shown in help and messages: `number`, `text|json`, `"red"|"blue"`. */
export function typeName(type: OptionType): string {
  switch (type.kind) {
    case "text":
      return "text";
    case "number":
      return type.whole ? "whole number" : "number";
    case "boolean":
      return "true|false";
    case "choice":
      return type.values.map(String).join("|");
    case "json":
      return "json";
    case "oneOf":
      return type.types.map(typeName).join("|");
  }
}
