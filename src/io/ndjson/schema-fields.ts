/**
 * Declared fields from a Standard Schema, and its check of what has been read.
 * Path: ndjson.ts -> HERE.
 *
 * S1 Only what the schema would drop itself is left unread: an object that lets other properties through, or counts them, is
 *    read whole, as `json`; where that is the record itself, there are no fields.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { TidemarkError } from "../../base/errors.ts";
import { isRecord, type JsonSchema, jsonSchemaOf, resolved } from "../../program/json-schema.ts";
import type { FieldNode, Kind, ObjectShape } from "./fields.ts";
import { RecordRefused } from "./invalid-lines.ts";

/** What the JSON Schema of an object may say for its properties to be all that matters. */
const OBJECT_WORDS: ReadonlySet<string> = new Set([
  "$comment",
  "$defs",
  "$id",
  "$schema",
  "default",
  "definitions",
  "deprecated",
  "description",
  "examples",
  "id",
  "properties",
  "readOnly",
  "required",
  "title",
  "type",
  "writeOnly",
]);

/**
 * The fields that a schema declares.
 * @param validated whether the schema checks the records afterwards: whole numbers of any size are then its matter
 * @returns undefined where it offers no JSON Schema, or one that is not an object of properties only
 */
export function shapeOfSchema(schema: StandardSchemaV1, validated: boolean): ObjectShape | undefined {
  const root = jsonSchemaOf(schema);
  if (root === undefined) return undefined;
  return new SchemaReader(root, validated).shape(resolved(root, root), []);
}

class SchemaReader {
  readonly #root: JsonSchema;
  readonly #validated: boolean;

  constructor(root: JsonSchema, validated: boolean) {
    this.#root = root;
    this.#validated = validated;
  }

  /** @param around the objects that this one is in: one that is in itself is not taken apart */
  shape(schema: JsonSchema, around: readonly JsonSchema[]): ObjectShape | undefined {
    const { type, properties, required } = schema;
    if (type !== "object" || !isRecord(properties) || around.includes(schema)) return undefined;
    if (Object.keys(schema).some((word) => !OBJECT_WORDS.has(word))) return undefined;
    const names = Object.keys(properties);
    const wanted: readonly unknown[] = Array.isArray(required) ? required : [];
    if (!wanted.every((name) => Object.hasOwn(properties, String(name)))) return undefined;
    return {
      names,
      nodes: names.map((name) => this.#node(properties[name], [...around, schema])),
      optional: names.map((name) => !wanted.includes(name)),
    };
  }

  #node(given: unknown, around: readonly JsonSchema[]): FieldNode {
    const schema = isRecord(given) ? resolved(given, this.#root) : {};
    const { type, items } = schema;
    if (Array.isArray(type))
      return this.#either(
        type.map((name: unknown) => ({ ...schema, type: name })),
        around,
      );
    const alternatives = schema["anyOf"] ?? schema["oneOf"];
    if (Array.isArray(alternatives)) return this.#either(alternatives, around);
    switch (type) {
      case "string":
      case "number":
      case "boolean":
        return scalar(type);
      case "integer":
        return scalar(this.#validated ? "number" : "integer");
      case "array":
        if (!isRecord(items) || "prefixItems" in schema) return scalar("json");
        return { kind: "list", nullable: false, shape: undefined, item: this.#node(items, around) };
      case "object": {
        const shape = this.shape(schema, around);
        return shape === undefined ? scalar("json") : { kind: "object", nullable: false, shape, item: undefined };
      }
      default:
        return scalar("json");
    }
  }

  /** A type or null; any other choice is read as it comes. */
  #either(alternatives: readonly unknown[], around: readonly JsonSchema[]): FieldNode {
    const types = alternatives.filter((each) => !isRecord(each) || each["type"] !== "null");
    if (types.length !== 1) return scalar("json");
    return { ...this.#node(types[0], around), nullable: types.length < alternatives.length };
  }
}

function scalar(kind: Kind): FieldNode {
  return { kind, nullable: false, shape: undefined, item: undefined };
}

/** Checks a value by a schema. @returns what the schema makes of it */
export function checkedBy<T>(schema: StandardSchemaV1<unknown, T>): (value: unknown) => T {
  const standard = schema["~standard"];
  return (value) => {
    const result = standard.validate(value);
    if (result instanceof Promise) throw asyncSchema();
    if (result.issues === undefined) return result.value;
    throw new RecordRefused(result.issues.map(textOf).join("; "));
  };
}

function textOf({ path, message }: StandardSchemaV1.Issue): string {
  const names = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  return names.length === 0 ? message : `${names.join(".")}: ${message}`;
}

function asyncSchema(): TidemarkError {
  return new TidemarkError("ASYNC_NOT_ALLOWED", {
    what: "the schema of ndjson.read validates asynchronously",
    why: "records are read without waiting",
    fix: "give a schema that answers at once, and make what has to wait a step of its own",
  });
}
