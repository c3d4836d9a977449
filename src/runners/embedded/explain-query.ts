/** What a program asks of a running job, in the engine's terms. */
import { checkOptionNames } from "../../base/option-names.ts";
import { keyCoderFor } from "../../coders/key.ts";
import type { DeterministicCoder } from "../../coders/coder.ts";
import type { EngineQuery } from "../../engine/explain.ts";
import type { PipelineGraph, Step, StepId } from "../../graph/graph.ts";
import type { Stage } from "../../host/stage.ts";
import type { Window } from "../../model/window.ts";
import { stepIdsOf } from "./step-names.ts";

/** Which waiting is asked about; what is absent does not matter. */
export interface ExplainQuery {
  /** The path name of a step, or of a composite with all its steps. */
  readonly step?: string;
  readonly window?: Window;
  /** Compared as `step` compares keys; without a step, as the first step with a key coder does. */
  readonly key?: unknown;
}

/** @throws STEP_UNKNOWN, OPTION_UNKNOWN, KEY_NOT_DETERMINISTIC */
export function engineQuery(
  graph: PipelineGraph,
  stages: readonly Stage[],
  query: ExplainQuery,
  everything: boolean,
): EngineQuery {
  checkOptionNames("explain", query, { step: true, window: true, key: true });
  const { step, window } = query;
  const asked = step === undefined ? stages : stagesOf(graph, stages, step);
  const isNarrow = step !== undefined || window !== undefined || "key" in query;
  return {
    ...(step !== undefined && { stages: asked.map(({ id }) => id) }),
    windowId: window?.id,
    ...("key" in query && byKey(graph, asked, query.key)),
    everything: everything || isNarrow,
  };
}

function byKey(graph: PipelineGraph, stages: readonly Stage[], key: unknown): Pick<EngineQuery, "mapKey" | "toMapKey"> {
  const firsts = stages.map(({ steps }) => graph.steps[steps[0] as StepId] as Step);
  const coded = firsts.find(({ spec }) => "keyCoder" in spec)?.spec as { keyCoder?: unknown } | undefined;
  const { toMapKey } = keyCoderFor(coded?.keyCoder as DeterministicCoder<unknown> | undefined);
  return { mapKey: toMapKey(key), toMapKey };
}

/** Stages that begin with a step of the name; where none does, those that it is fused onto: it waits with them. */
function stagesOf(graph: PipelineGraph, stages: readonly Stage[], name: string): readonly Stage[] {
  const ids = stepIdsOf(graph, name);
  const own = stages.filter(({ steps }) => ids.includes(steps[0] as StepId));
  return own.length > 0 ? own : stages.filter(({ steps }) => steps.some((id) => ids.includes(id)));
}
