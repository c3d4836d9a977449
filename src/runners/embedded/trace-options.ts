/** Which elements a run tells of. */
import { checkOptionNames } from "../../base/option-names.ts";
import type { Trace } from "../../exec/stage-trace.ts";
import type { TraceEvent } from "../../explain/trace.ts";
import type { PipelineGraph } from "../../graph/graph.ts";
import { stepIdsOf } from "./step-names.ts";

/** The journey of elements through a step: what comes in, what its panes wait for, what is due, dropped and put out. */
export interface TraceOptions {
  /** The path name of a step, or of a composite with all its steps. */
  readonly step: string;
  /** Only what has this key: a text, or for other keys what messages show of them. Default: everything. */
  readonly key?: string | undefined;
  /** Called as it happens; it must not change anything of the job. */
  readonly onEvent: (event: TraceEvent) => void;
}

/** @throws STEP_UNKNOWN, OPTION_UNKNOWN */
export function traceOf(graph: PipelineGraph, options: TraceOptions): Trace {
  checkOptionNames("trace", options, { step: true, key: true, onEvent: true });
  return { steps: new Set(stepIdsOf(graph, options.step)), key: options.key, tell: options.onEvent };
}
