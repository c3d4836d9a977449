/** The JSON Schema that a Standard Schema offers of its input. */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The draft that libraries are asked for. */
const TARGET = "draft-2020-12";

/** @returns undefined where the schema offers none */
export function jsonSchemaOf(schema: StandardSchemaV1): JsonSchema | undefined {
  const { vendor, jsonSchema } = schema["~standard"] as StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props>;
  if (typeof jsonSchema?.input !== "function") return undefined;
  // zod refuses a whole schema for one date in it, unless it is told to leave such properties open.
  const open = vendor === "zod" ? { libraryOptions: { unrepresentable: "any" } } : {};
  try {
    return jsonSchema.input({ target: TARGET, ...open });
  } catch {
    return undefined;
  }
}

/** Follows `#/$defs/name`. */
export function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema {
  let found = schema;
  for (const seen = new Set<JsonSchema>(); typeof found["$ref"] === "string" && !seen.has(found);) {
    seen.add(found);
    const name = /^#\/(?:\$defs|definitions)\/(.+)$/.exec(found["$ref"])?.[1];
    const definitions = root["$defs"] ?? root["definitions"];
    const target = name !== undefined && isRecord(definitions) ? definitions[name] : undefined;
    if (!isRecord(target)) break;
    found = target;
  }
  return found;
}

export function isRecord(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
