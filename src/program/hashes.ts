/**
 * The three hashes by which two processes know that they run the same job: of the program's files, its options, its graph.
 *
 * H1 Each sees its own part only: a change of one part alters one hash.
 * H2 They are the same on every machine: no absolute path, no order of properties, no identity of an object goes in.
 * H3 Functions go into the graph by name only; that they do the same is what the hash of the files says.
 */
import { createHash } from "node:crypto";
import { dirname, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { TidemarkError } from "../base/errors.ts";
import type { PipelineGraph, Step } from "../graph/graph.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import type { LoadedProgram } from "./load.ts";

/** A step, and the hash of what it is. */
export interface StepHash {
  readonly step: string;
  readonly hash: string;
}

/** The three hashes of a job; the graph's step by step, so that a difference can be named. */
export interface ProgramHashes {
  readonly module: string;
  readonly options: string;
  readonly steps: readonly StepHash[];
}

/** @throws OPTIONS_INVALID when the raw options are not JSON */
export function programHashes(
  { files, url }: Pick<LoadedProgram, "files" | "url">,
  rawOptions: unknown,
  graph: PipelineGraph,
): ProgramHashes {
  return { module: moduleHash(files, url), options: optionsHash(rawOptions), steps: stepHashes(graph) };
}

/**
 * The hash of a program's own files.
 * @param files by URL, the SHA-256 of each
 * @param url of the program's module: paths count from its folder
 */
export function moduleHash(files: ReadonlyMap<string, string>, url: string): string {
  const folder = dirname(fileURLToPath(url));
  const entries = [...files].map(([file, hash]) => {
    const { search } = new URL(file);
    return [relative(folder, fileURLToPath(file)).split(sep).join("/") + search, hash];
  });
  return sha256(canonicalJson(entries.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1))));
}

/** The hash of raw options. Left out and empty are the same. @throws OPTIONS_INVALID when they are not JSON */
export function optionsHash(rawOptions: unknown): string {
  return sha256(canonicalJson(rawOptions ?? {}));
}

/** The hash of a graph: of names, kinds, edges, windowings, state, and coders' names. */
export function graphHash(graph: PipelineGraph): string {
  return sha256(canonicalJson([graph.name, stepHashes(graph)]));
}

/** One hash for each step, in order: what a message about two graphs needs to name where they part. */
export function stepHashes(graph: PipelineGraph): readonly StepHash[] {
  return graph.steps.map((step) => ({ step: step.name, hash: sha256(canonicalJson(shapeOfStep(graph, step))) }));
}

/** The name of the first step in which two graphs differ, or `undefined`. */
export function firstDifference(mine: readonly StepHash[], theirs: readonly StepHash[]): string | undefined {
  for (let i = 0; i < Math.max(mine.length, theirs.length); i++) {
    const [a, b] = [mine[i], theirs[i]];
    if (a?.step !== b?.step || a?.hash !== b?.hash) return (a ?? b)?.step;
  }
  return undefined;
}

function shapeOfStep(graph: PipelineGraph, step: Step): unknown {
  const nameOf = (id: number | undefined): string | undefined => graph.steps[id ?? -1]?.name;
  const outputs = Object.entries(step.outputs).map(([tag, id]) => {
    const collection = graph.collections[id];
    return [tag, collection?.bounded, collection?.coder?.name, collection && shapeOfWindowing(collection.windowing)];
  });
  return {
    name: step.name,
    spec: plain(specOf(step)),
    inputs: step.inputs.map((id) => [nameOf(graph.collections[id]?.producer), graph.collections[id]?.tag]),
    sideInputs: Object.entries(step.sideInputs).map(([name, id]) => [name, nameOf(graph.views[id]?.step)]),
    outputs,
  };
}

function shapeOfWindowing({ windowFn, ...windowing }: WindowingStrategy): unknown {
  return { ...windowing, windowFn: windowFn.name };
}

/** What of a spec is shape: not where its data lies, nor what it was given as values. */
function specOf({ spec }: Step): unknown {
  switch (spec.kind) {
    case "read":
      return { ...spec, source: kindOf(spec.source.name), bounded: spec.source.bounded };
    case "write":
      return { ...spec, sink: kindOf(spec.sink.name) };
    case "testStream":
      return { kind: spec.kind };
    case "view":
      // Its number is a position; its default is a value.
      return { kind: spec.kind, view: spec.view, hasDefault: spec.defaultValue !== undefined };
    case "parDo": {
      const { state, timers, outputs, allowedTimestampSkew } = spec.doFn;
      return { ...spec, doFn: { state, timers, outputs, allowedTimestampSkew } };
    }
    case "combinePerKey":
      return { ...spec, combineFn: undefined };
    default:
      return spec;
  }
}

/** `text` of `text(data/*.txt)`: what is in brackets comes from options. */
function kindOf(name: string): string {
  return name.split("(", 1)[0] as string;
}

/** Plain data: functions and what has methods (coders, CombineFns) by name. */
function plain(value: unknown): unknown {
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (hasMethods(value)) return `object ${(value as { readonly name?: string }).name ?? ""}`;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

function hasMethods(value: object): boolean {
  return ["encode", "addInput"].some((method) => typeof (value as Record<string, unknown>)[method] === "function");
}

/**
 * JSON with properties in order of their names, and without those that are `undefined`.
 * @throws OPTIONS_INVALID for what has no JSON: functions, bigints, NaN
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const names = Object.keys(value).sort();
    const entries = names.map((name) => [name, (value as Record<string, unknown>)[name]] as const);
    const members = entries.flatMap(([name, member]) =>
      member === undefined ? [] : [`${JSON.stringify(name)}:${canonicalJson(member)}`],
    );
    return `{${members.join(",")}}`;
  }
  const finite = typeof value !== "number" || Number.isFinite(value);
  const text = typeof value === "bigint" || !finite ? undefined : JSON.stringify(value);
  if (text !== undefined) return text;
  throw new TidemarkError("OPTIONS_INVALID", {
    what: `raw options hold ${typeof value === "function" ? "a function" : String(value)}`,
    why: "they travel to workers and checkpoints as JSON",
    fix: "give JSON values, and let the schema make of them what the program needs",
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
