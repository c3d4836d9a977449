/**
 * Coded errors: the one way in which Tidemark says that something is wrong.
 *
 * E1 Every error carries a stable `code` and says what happened; also why, and how to fix it, wherever Tidemark can know.
 * E2 Whoever acts on an error (retry, dead letter, exit code) reads its fields, never its text.
 * E3 Context known only further out (step, key, window) is added by `withContext`, which never overwrites.
 */
import type { ErrorCode } from "./error-codes.ts";

/** Who has to act: the user (program, options, data), the outside world (disk, network), or Tidemark itself. */
export type ErrorDomain = "user" | "external" | "internal";

/** Where in the pipeline an error happened. All fields are for people: previews, not live values. */
export interface ErrorContext {
  /** Path name of the step, as in `Trending/Tags`. */
  readonly step?: string;
  /** The window, as `[start, end)` in ISO time, or `global`. */
  readonly window?: string;
  /** The key, shortened. */
  readonly key?: string;
  /** The element, shortened. */
  readonly element?: string;
  /** File and line of the user's own code, when known. */
  readonly at?: string;
  /** What else the job was waiting for, and why, in words: lines. */
  readonly waiting?: string;
}

export interface ErrorText {
  readonly what: string;
  readonly why?: string;
  readonly fix?: string;
}

export interface TidemarkErrorOptions extends ErrorText, ErrorContext {
  readonly domain?: ErrorDomain;
  readonly cause?: unknown;
}

/**
 * An error with a stable code. Its message says what happened, where in the pipeline it was, and, where Tidemark can know, why and
 * how to fix it.
 *
 * @example
 * ```ts
 * const error = new TidemarkError("OPTIONS_INVALID", { what: "--every is not a number", fix: "write --every 5" });
 * error.code; // -> "OPTIONS_INVALID"
 * error.domain; // -> "user"
 * error.withContext({ step: "Tags" }).context; // -> { step: "Tags" }
 * ```
 */
export class TidemarkError extends Error {
  override readonly name = "TidemarkError";
  readonly code: ErrorCode;
  readonly domain: ErrorDomain;
  readonly what: string;
  readonly why: string | undefined;
  readonly fix: string | undefined;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, options: TidemarkErrorOptions) {
    const { what, why, fix, domain = "user", cause, ...context } = options;
    super(
      renderMessage(code, { what, ...(why && { why }), ...(fix && { fix }) }, context),
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.domain = domain;
    this.what = what;
    this.why = why;
    this.fix = fix;
    this.context = context;
  }

  /** The same error with more context; fields that are already known stay. */
  withContext(context: ErrorContext): TidemarkError {
    const merged = { ...context, ...this.context };
    const error = new TidemarkError(this.code, {
      what: this.what,
      ...(this.why !== undefined && { why: this.why }),
      ...(this.fix !== undefined && { fix: this.fix }),
      domain: this.domain,
      ...(this.cause !== undefined && { cause: this.cause }),
      ...merged,
    });
    if (this.stack !== undefined) error.stack = `${error.name}: ${error.message}\n${stackFrames(this.stack)}`;
    return error;
  }
}

/**
 * Whether `error` is a TidemarkError, of the given code where one is given.
 *
 * @example
 * ```ts
 * try {
 *   fixedWindows(0);
 * } catch (error) {
 *   isTidemarkError(error, "WINDOW_INVALID"); // -> true
 * }
 * ```
 */
export function isTidemarkError(error: unknown, code?: ErrorCode): error is TidemarkError {
  return error instanceof TidemarkError && (code === undefined || error.code === code);
}

function stackFrames(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
}

function renderMessage(code: ErrorCode, text: ErrorText, context: ErrorContext): string {
  const lines = [`[${code}] ${text.what}`];
  if (text.why) lines.push(`  why: ${text.why}`);
  if (text.fix) lines.push(`  fix: ${text.fix}`);
  if (context.step) lines.push(`  step: ${context.step}`);
  if (context.key !== undefined) lines.push(`  key: ${context.key}`);
  if (context.window !== undefined) lines.push(`  window: ${context.window}`);
  if (context.element !== undefined) lines.push(`  element: ${context.element}`);
  if (context.at) lines.push(`  at: ${context.at}`);
  if (context.waiting) lines.push("  waiting:", ...context.waiting.split("\n").map((line) => `    ${line}`));
  return lines.join("\n");
}
