/** What can be told of user code without calling it. */
import type { DoFn } from "./do-fn.ts";

/** Whether `fn` was written as an async function or async generator, in whatever realm (a test runner may load it in another). */
export function isAsyncFunction(fn: unknown): boolean {
  if (typeof fn !== "function") return false;
  const tag = Object.prototype.toString.call(fn);
  return tag === "[object AsyncFunction]" || tag === "[object AsyncGeneratorFunction]";
}

/** Whether `doFn` keeps something for each key: state, timers, or windows that it is told the end of. */
export function isKeyedDoFn(doFn: DoFn<never, unknown>): boolean {
  return hasMembers(doFn.state) || hasMembers(doFn.timers) || doFn.onWindowExpiration !== undefined;
}

function hasMembers(record: object | undefined): boolean {
  return record !== undefined && Object.keys(record).length > 0;
}
