/** `mapValues`: a function of values as one of pairs. */
import type { KV } from "../fn/do-fn.ts";
import { isAsyncFunction } from "../fn/inspect.ts";
import type { ElementwiseOptions } from "./steps.ts";

/** `fn` over the value of a pair. Async, or with a context, exactly where `fn` is: both change how the step is called. */
export function overValues(fn: unknown, options: ElementwiseOptions | undefined): unknown {
  if (typeof fn !== "function") return fn;
  const call = fn as (value: unknown, context?: unknown) => unknown;
  if (isAsyncFunction(fn) || options?.async === true) {
    return call.length < 2
      ? async ([key, value]: KV<unknown, unknown>) => [key, await call(value)]
      : async ([key, value]: KV<unknown, unknown>, context: unknown) => [key, await call(value, context)];
  }
  return call.length < 2
    ? ([key, value]: KV<unknown, unknown>) => [key, call(value)]
    : ([key, value]: KV<unknown, unknown>, context: unknown) => [key, call(value, context)];
}
