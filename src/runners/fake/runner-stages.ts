/**
 * The stages that the runner executes itself: sources, grouping, and the gathering of side inputs. Grouping is exec's, over keys
 * and values that are bytes: there is one implementation of panes and triggers.
 */
import { decodeFromBytes, encodeToBytes } from "../../coders/coder.ts";
import { StageProgram } from "../../exec/stage-program.ts";
import type { Late } from "../../fn/set-aside.ts";
import type { CollectionId, PipelineGraph, Step, StepId } from "../../graph/graph.ts";
import type { Emitter } from "../../host/emitter.ts";
import type { StageHost } from "../../host/host.ts";
import type { Stage } from "../../host/stage.ts";
import type { StageRunner } from "../../host/stage-runner.ts";
import { BYTE_LISTS, programPair, runnerValue, shapeOf } from "../../portability/wire-coders.ts";

/** The graph as a runner sees it: keys are bytes, and no coder of the program is known. */
export function runnerGraph(graph: PipelineGraph): PipelineGraph {
  const steps = graph.steps.map((step): Step =>
    step.spec.kind === "groupByKey" ? { ...step, spec: { kind: "groupByKey" } } : step,
  );
  const collections = graph.collections.map((collection) => ({ ...collection, coder: undefined }));
  return { ...graph, steps, collections };
}

/** Builds a stage of the runner's own. */
export function runnerStage(graph: PipelineGraph, stage: Stage, host: StageHost): StageRunner {
  const output = (collection: CollectionId): Emitter => {
    const out = host.output(collection);
    const toBytes = toBytesOf(graph, stage, collection);
    if (toBytes === undefined) return out;
    return { emit: (value, timestamp, windows, pane) => out.emit(toBytes(value), timestamp, windows, pane) };
  };
  return new StageProgram(runnerGraph(graph), stage, { ...host, output }, { strict: false, asyncBundles: false });
}

/** How what a stage puts out becomes bytes; `undefined` where it is bytes already. */
function toBytesOf(
  graph: PipelineGraph,
  stage: Stage,
  collection: CollectionId,
): ((value: unknown) => unknown) | undefined {
  if (stage.kind === "source") return (value) => runnerValue(graph, collection, value);
  const step = graph.steps[stage.steps[0] as StepId] as Step;
  if (step.outputs["late"] === collection) {
    const input = step.inputs[0] as CollectionId;
    return (value) => {
      const late = value as Late<readonly [Uint8Array, Uint8Array]>;
      const element = programPair(graph, input, (coder, bytes) => decodeFromBytes(coder, bytes, "outer"), late.element);
      return runnerValue(graph, collection, { ...late, element });
    };
  }
  if (shapeOf(graph, collection) !== "pair") return undefined;
  // Grouped once more: the list is a value like any other.
  return (value) => {
    const [key, list] = value as readonly [Uint8Array, readonly Uint8Array[]];
    return [key, encodeToBytes(BYTE_LISTS, list, "outer")];
  };
}
