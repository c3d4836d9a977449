/** Connectors to the outside: one folder for each system. */
export * as ndjson from "./ndjson/ndjson.ts";
export * as postgres from "./sql/postgres.ts";
export * as sqlite from "./sql/sqlite.ts";
export * as text from "./text/text.ts";
