/** The stages of a graph as the engine drives them in this process, and what it needs to know of the graph beside them. */
import { decodeFromBytes, encodeToBytes } from "../../coders/coder.ts";
import { valueCoder } from "../../coders/value.ts";
import { windowCoder } from "../../coders/windows.ts";
import type { Transcode } from "../../engine/edges.ts";
import type { EngineStage } from "../../engine/engine.ts";
import type { GraphNames } from "../../engine/freezing.ts";
import { stepFailure } from "../../exec/errors.ts";
import { listCoder } from "../../exec/record-formats.ts";
import { StageProgram } from "../../exec/stage-program.ts";
import type { Trace } from "../../exec/stage-trace.ts";
import type { Collection, CollectionId, PipelineGraph, Step, StepId, ViewNode } from "../../graph/graph.ts";
import { viewRetention } from "../../graph/views.ts";
import type { Stage } from "../../host/stage.ts";
import { callPolicy } from "../../optimize/call-policy.ts";
import { hasAsyncBundles, makesCalls } from "../../optimize/stages.ts";

/** @param built told of the program of the stage when the engine has it made */
export function engineStage(
  graph: PipelineGraph,
  stage: Stage,
  { strict, trace }: { readonly strict: boolean; readonly trace: Trace | undefined },
  built: (program: StageProgram) => void,
): EngineStage {
  const first = graph.steps[stage.steps[0] as StepId] as Step;
  const asyncBundles = hasAsyncBundles(first);
  return {
    stage,
    build: (host) => {
      const program = new StageProgram(graph, stage, host, { strict, asyncBundles, trace });
      built(program);
      return program;
    },
    asyncBundles,
    ...(makesCalls(first) && stage.kind === "calls" && { calls: callPolicy(first) }),
    ...sourceAndViews(graph, stage),
  };
}

/** What the engine drives beside the steps of a stage: the source that begins it, and the views that it makes. */
export function sourceAndViews(graph: PipelineGraph, stage: Stage): Pick<EngineStage, "source" | "makes"> {
  const specs = stage.steps.map((id) => (graph.steps[id] as Step).spec);
  const [first] = specs;
  const isSource = first?.kind === "impulse" || first?.kind === "read" || first?.kind === "testStream";
  const makes = specs.flatMap((spec) =>
    spec.kind === "view" ? [{ view: spec.viewId, retention: viewRetention(graph, spec.viewId) }] : [],
  );
  return { ...(isSource && { source: first }), ...(makes.length > 0 && { makes }) };
}

/** For the test mode in which everything that passes between stages is encoded. */
export function transcoder(graph: PipelineGraph): Transcode {
  return (collection, value, windows) => {
    const { coder, windowing, producer } = graph.collections[collection] as Collection;
    const { windowFn } = windowing;
    const used = coder ?? valueCoder;
    try {
      return {
        value: decodeFromBytes(used, encodeToBytes(used, value)),
        windows: windows.map((window) =>
          windowFn.fromData(decodeFromBytes(valueCoder, encodeToBytes(valueCoder, windowFn.toData(window)))),
        ),
      };
    } catch (error) {
      throw stepFailure(error, {
        step: (graph.steps[producer] as Step).name,
        element: value,
        windows,
        deadLetters: false,
      });
    }
  };
}

/** What checkpoints call the parts of a graph by. */
export function namesOf(graph: PipelineGraph): GraphNames {
  const step = (id: StepId): string => (graph.steps[id] as Step).name;
  const coders = graph.collections.map(({ coder, windowing }) => ({
    value: coder ?? valueCoder,
    window: windowCoder(windowing.windowFn),
  }));
  return {
    step,
    collection(id) {
      const { producer, tag } = graph.collections[id] as Collection;
      return `${step(producer)}.${tag}`;
    },
    element: (id) => coders[id] as (typeof coders)[number],
    view(id) {
      const { step: maker, windowing } = graph.views[id] as ViewNode;
      const input = graph.collections[graph.steps[maker]?.inputs[0] as CollectionId];
      return { step: step(maker), window: windowCoder(windowing.windowFn), contents: listCoder(input?.coder) };
    },
  };
}
