/** How the calls of a step are made, from what the program asked for. */
import { exponentialBackoff, type CallOptions } from "../fn/call-options.ts";
import type { Step } from "../graph/graph.ts";
import type { CallPolicy } from "../host/stage.ts";
import { isStateful } from "./stages.ts";

const CONCURRENCY = 16;

/** The policy of a step for which `makesCalls` is true. */
export function callPolicy(step: Step): CallPolicy {
  const options: CallOptions = "call" in step.spec ? step.spec.call : {};
  const backoff = options.retry?.backoff ?? exponentialBackoff();
  return Object.freeze({
    concurrency: options.concurrency ?? CONCURRENCY,
    ordered: options.ordered ?? false,
    perKey: isStateful(step),
    attempts: options.retry?.attempts ?? 1,
    backoff: typeof backoff === "number" ? () => backoff : backoff,
    timeoutMs: options.timeout,
    deadLetter: step.outputs["deadLetter"] !== undefined,
  });
}
