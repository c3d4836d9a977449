/** Errors of user code and of sinks, with the step, window, key, element and the user's own line. */
import { type ErrorDomain, type ErrorText, isTidemarkError, TidemarkError } from "../base/errors.ts";
import { userFrame } from "../base/frames.ts";
import { preview } from "../base/preview.ts";
import { formatWindow, type Window } from "../model/window.ts";

export interface FailureContext {
  readonly step: string;
  readonly element?: unknown;
  readonly windows?: readonly Window[];
  readonly key?: unknown;
  readonly hasKey?: boolean;
  /** False for a step that has no `.deadLetter()`. Without an element there is nothing to set aside anyway. */
  readonly deadLetters?: boolean;
}

/** What user code threw, as a coded error. An error that already names another step goes on unchanged. */
export function stepFailure(error: unknown, context: FailureContext): TidemarkError {
  const setAside = context.element !== undefined && context.deadLetters !== false;
  return failure("STEP_FAILED", error, context, () => ({
    what: `step "${context.step}" threw ${error instanceof Error ? `${error.name}: ${error.message}` : preview(error)}`,
    why: "an error in a function of the program fails the job, so that no element is lost unseen",
    fix: setAside ? "mend the function, or send failing elements aside with .deadLetter()" : "mend the function",
  }));
}

/** What a sink threw, as a coded error: most often the outside world's doing, a full disk or a lost connection. */
export function sinkFailure(error: unknown, context: FailureContext): TidemarkError {
  return failure("JOB_FAILED", error, context, () => ({
    what: `the sink of step "${context.step}" failed: ${error instanceof Error ? error.message : preview(error)}`,
    why: "what a sink cannot write would be lost, so the job ends",
    fix: "see to what the sink writes to, and start the job again",
    domain: "external",
  }));
}

function failure(
  code: "STEP_FAILED" | "JOB_FAILED",
  error: unknown,
  context: FailureContext,
  text: () => ErrorText & { readonly domain?: ErrorDomain },
): TidemarkError {
  if (isTidemarkError(error) && (error.context.step ?? context.step) !== context.step) return error;
  const at = userFrame(error);
  const details = {
    step: context.step,
    ...("element" in context && { element: preview(context.element) }),
    ...(context.windows && { window: context.windows.map(formatWindow).join(", ") }),
    ...(context.hasKey && { key: preview(context.key) }),
    ...(at !== undefined && { at }),
  };
  if (isTidemarkError(error)) return error.withContext(details);
  return new TidemarkError(code, { ...text(), ...details, cause: error });
}

/** For a step that was planned as synchronous and returned a promise. */
export function undeclaredAsync(step: string, result: Promise<unknown>): TidemarkError {
  silence(result);
  return new TidemarkError("ASYNC_NOT_DECLARED", {
    what: `the function of step "${step}" returned a promise`,
    why: "a plain function is called in a synchronous chain, where nobody waits for a promise",
    fix: "write it as an `async` function, or pass { async: true } to the step",
    step,
  });
}

/** For user code that must be synchronous (CombineFn, partition …) and returned a promise. */
function asyncNotAllowed(step: string, what: string, result: Promise<unknown>): TidemarkError {
  silence(result);
  return new TidemarkError("ASYNC_NOT_ALLOWED", {
    what: `${what} of step "${step}" returned a promise`,
    why: "it is called inside the engine's synchronous turn",
    fix: "do the async work in a map or a DoFn before this step",
    step,
  });
}

/** Refuses a promise where user code must be synchronous, and gives back anything else. */
export function synchronous<T>(value: T, step: string, what: string): T {
  if (value instanceof Promise) throw asyncNotAllowed(step, what, value);
  return value;
}

/** The promise itself is the mistake; what becomes of it must not end the process. */
function silence(result: Promise<unknown>): void {
  result.catch(() => {});
}
