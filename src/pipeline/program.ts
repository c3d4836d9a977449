/**
 * Programs: what a user's module exports by default. A program is data and functions; importing it does nothing.
 *
 * P1 `build` may be called any number of times, and builds the same graph from the same raw options.
 * P2 Options travel as their raw input and are validated where the graph is built.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { TidemarkError } from "../base/errors.ts";
import type { PipelineGraph } from "../graph/graph.ts";
import { GraphBuilder } from "./builder.ts";
import { describe } from "./checks.ts";
import { Pipeline } from "./pipeline.ts";
import { STEP_RESULTS } from "./results.ts";

/** Marks programs, also those made by another copy of this module. */
const PROGRAM: unique symbol = Symbol.for("tidemark.program") as never;

/** The raw options of a program without a schema: none. */
export type NoOptions = void | Readonly<Record<string, never>>;
type NoSchema = StandardSchemaV1<NoOptions, undefined>;

/** A pipeline built for given options. */
export interface BuiltProgram {
  readonly graph: PipelineGraph;
  /** The options as the schema gave them back. */
  readonly options: unknown;
}

/** What a user's module exports by default. */
export interface Program<RawOptions = unknown> {
  readonly name: string;
  /** The URL of the user's module; without it a program runs in one thread only. */
  readonly url: string | undefined;
  readonly optionsSchema: StandardSchemaV1 | undefined;
  /**
   * Validates the options and builds the graph.
   * @throws OPTIONS_INVALID, PIPELINE_EMPTY, and what is refused while steps are applied
   */
  build(rawOptions: RawOptions): Promise<BuiltProgram>;
}

/** What `pipeline` is given. */
export interface ProgramDefinition<S extends StandardSchemaV1> {
  /** For people, checkpoints and metrics. */
  readonly name: string;
  /** Any Standard Schema (zod, valibot, arktype …). */
  readonly options?: S;
  /** Accept triggers that may finish and lose what comes after. Default false. */
  readonly allowUnsafeTriggers?: boolean;
  /**
   * What steps or composites of earlier versions are called now, as in `{ "Count": "CountTags" }`: with it a job goes on from the
   * checkpoints of those. Entries may stay for ever. Default none.
   */
  readonly transformNameMapping?: Readonly<Record<string, string>>;
  /** Applies the steps to `p`. What it returns is not looked at; a promise is awaited. */
  build(p: Pipeline, options: StandardSchemaV1.InferOutput<S>): unknown;
}

/** A module's `import.meta`. */
export interface ModuleMeta {
  readonly url: string;
}

/**
 * Defines a program. Nothing is built yet.
 * @param meta the module's `import.meta`, as in `export default pipeline(import.meta, …)`; without it the program runs in one
 * thread only
 * @throws PIPELINE_INVALID
 *
 * @example
 * ```ts
 * import { z } from "zod";
 *
 * const shout = pipeline(import.meta, {
 *   name: "shout",
 *   options: z.object({ input: z.string(), output: z.string() }),
 *   build(p, options) {
 *     p.apply(text.read(options.input))
 *       .map("Upper", (line) => line.toUpperCase())
 *       .apply(text.write(options.output));
 *   },
 * });
 * await writeFile("in.txt", "hey\n");
 * await run(shout, { input: "in.txt", output: "out.txt" }).wait();
 * await readFile("out.txt", "utf8"); // -> "HEY\n"
 * await run(shout, { input: "in.txt" }).wait(); // throws OPTIONS_INVALID
 * ```
 */
export function pipeline<S extends StandardSchemaV1 = NoSchema>(
  meta: ModuleMeta,
  definition: ProgramDefinition<S>,
): Program<StandardSchemaV1.InferInput<S>>;
export function pipeline<S extends StandardSchemaV1 = NoSchema>(
  definition: ProgramDefinition<S>,
): Program<StandardSchemaV1.InferInput<S>>;
export function pipeline(first: unknown, second?: unknown): Program<never> {
  const meta = second === undefined ? undefined : (first as ModuleMeta);
  const definition = checkDefinition(second ?? first);
  const { name, options: schema, allowUnsafeTriggers = false, transformNameMapping = {} } = definition;
  const program = {
    [PROGRAM]: true,
    name,
    url: meta?.url,
    optionsSchema: schema,
    async build(rawOptions: unknown): Promise<BuiltProgram> {
      const options = await validateOptions(name, schema, rawOptions);
      const builder = new GraphBuilder(name, { allowUnsafeTriggers, transformNameMapping, results: STEP_RESULTS });
      await definition.build(new Pipeline(builder), options);
      return Object.freeze({ graph: builder.freeze(), options });
    },
  };
  return Object.freeze(program);
}

/**
 * Whether `value` is what `pipeline(...)` returns.
 *
 * @example
 * ```ts
 * isProgram(pipeline({ name: "empty", build() {} })); // -> true
 * isProgram({ name: "empty" }); // -> false
 * ```
 */
export function isProgram(value: unknown): value is Program {
  return typeof value === "object" && value !== null && PROGRAM in value;
}

function checkDefinition(value: unknown): ProgramDefinition<StandardSchemaV1> {
  const definition = value as Partial<ProgramDefinition<StandardSchemaV1>> | null | undefined;
  const problem =
    typeof definition !== "object" || definition === null
      ? `it is ${describe(definition)}`
      : typeof definition.name !== "string" || definition.name === ""
        ? "it has no name"
        : typeof definition.build !== "function"
          ? "it has no build(p, options)"
          : definition.options !== undefined && definition.options["~standard"] === undefined
            ? "its options are not a Standard Schema"
            : undefined;
  if (problem === undefined) return definition as ProgramDefinition<StandardSchemaV1>;
  throw new TidemarkError("PIPELINE_INVALID", {
    what: `pipeline(...) cannot use this definition: ${problem}`,
    fix: 'write pipeline(import.meta, { name: "trending", build(p, options) { … } }), with options by zod or another Standard Schema',
  });
}

async function validateOptions(
  program: string,
  schema: StandardSchemaV1 | undefined,
  rawOptions: unknown,
): Promise<unknown> {
  const raw = rawOptions ?? {};
  if (schema === undefined) {
    const names = typeof raw === "object" ? Object.keys(raw) : [describe(raw)];
    if (names.length === 0) return undefined;
    throw optionsInvalid(program, [`${names.join(", ")}: the program takes no options`]);
  }
  const result = await schema["~standard"].validate(raw);
  if (result.issues === undefined) return result.value;
  throw optionsInvalid(program, result.issues.map(formatIssue));
}

function optionsInvalid(program: string, issues: readonly string[]): TidemarkError {
  return new TidemarkError("OPTIONS_INVALID", {
    what: `the options of "${program}" are not valid:\n${issues.map((issue) => `    ${issue}`).join("\n")}`,
    fix: "correct them; `tidemark run PROGRAM --help` lists the options of a program",
  });
}

function formatIssue(issue: StandardSchemaV1.Issue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}
