/**
 * The operators of a fused chain: plain steps pushed through element by element.
 * Path: an entry of the stage -> HERE -> a collection's emitter, or the stage's keyed, view or sink step.
 *
 * O1 One call per element and step; nothing is allocated but what user code makes.
 * O2 An error is given its step where it is thrown, once; operators upstream let it pass.
 */
import type { Metrics } from "../fn/metrics.ts";
import type { StepId } from "../graph/graph.ts";
import type { ElementCount } from "../host/element-counts.ts";
import type { Emitter } from "../host/emitter.ts";
import type { MapKey } from "../host/records.ts";
import type { Pane } from "../model/pane.ts";
import { isTimestamp, type Timestamp, timestampProblem } from "../model/time.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { Window } from "../model/window.ts";
import { TidemarkError } from "../base/errors.ts";
import { stepFailure, synchronous, undeclaredAsync } from "./errors.ts";
import { preview } from "../base/preview.ts";

/** What the operators of one step share. */
export interface StepInfo {
  readonly id: StepId;
  readonly name: string;
  /** What stands for a key of the step in a Map: by content, or by the key coder that the program gave. */
  readonly toMapKey: (key: unknown) => MapKey;
  /** Whether plain text stands for itself, and need be checked once only. */
  readonly textIsMapKey: boolean;
}

/** Takes elements that nobody uses. */
export class Nowhere implements Emitter {
  emit(): void {}
}

/** One collection, several users: each gets every element. */
export class FanOut implements Emitter {
  readonly #targets: readonly Emitter[];

  constructor(targets: readonly Emitter[]) {
    this.#targets = targets;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    const targets = this.#targets;
    for (let i = 0; i < targets.length; i++) (targets[i] as Emitter).emit(value, timestamp, windows, pane);
  }
}

/** One emitter for any number of targets. */
export function fanOut(targets: readonly Emitter[]): Emitter {
  return targets.length === 1 ? (targets[0] as Emitter) : targets.length === 0 ? new Nowhere() : new FanOut(targets);
}

/** The side inputs and the element's place, as functions with a second parameter see them. One object, reused. */
export interface CallContext {
  timestamp: Timestamp;
  window: Window;
  pane: Pane;
  /** Of an async call: aborted when its time is out or the job ends. */
  readonly signal: AbortSignal;
  readonly sideInputs: Readonly<Record<string, unknown>>;
  readonly metrics: Metrics;
}

type PlainFn = (element: unknown, context: CallContext) => unknown;

/** `map`. */
export class MapOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #fn: (element: unknown) => unknown;
  readonly #out: Emitter;

  constructor(step: StepInfo, fn: (element: unknown) => unknown, out: Emitter) {
    this.#step = step;
    this.#fn = fn;
    this.#out = out;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    let result: unknown;
    const fn = this.#fn;
    try {
      result = fn(value);
      if (result instanceof Promise) throw undeclaredAsync(this.#step.name, result);
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, element: value, windows });
    }
    this.#out.emit(result, timestamp, windows, pane);
  }
}

/** `flatMap`: the function's result is anything iterable, or nothing. */
export class FlatMapOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #fn: (element: unknown) => unknown;
  readonly #out: Emitter;
  readonly #count: ElementCount;

  constructor(step: StepInfo, fn: (element: unknown) => unknown, out: Emitter, count: ElementCount) {
    this.#step = step;
    this.#fn = fn;
    this.#out = out;
    this.#count = count;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    let result: unknown;
    const fn = this.#fn;
    try {
      result = fn(value);
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, element: value, windows });
    }
    const out = this.#out;
    if (Array.isArray(result)) {
      for (let i = 0; i < result.length; i++) out.emit(result[i], timestamp, windows, pane);
      this.#count.elements += result.length;
    } else if (result !== null && result !== undefined) {
      this.#count.elements += emitAll(this.#step, result, value, timestamp, windows, pane, out);
    }
  }
}

/** Emits the elements of an iterable; an error inside a generator is the step's. @returns how many */
export function emitAll(
  step: StepInfo,
  result: unknown,
  element: unknown,
  timestamp: Timestamp,
  windows: readonly Window[],
  pane: Pane,
  out: Emitter,
): number {
  if (result instanceof Promise)
    throw stepFailure(undeclaredAsync(step.name, result), { step: step.name, element, windows });
  const iterator = iteratorOf(step, result, element, windows);
  for (let count = 0; ; count++) {
    let next: IteratorResult<unknown>;
    try {
      next = iterator.next();
    } catch (error) {
      throw stepFailure(error, { step: step.name, element, windows });
    }
    if (next.done === true) return count;
    out.emit(next.value, timestamp, windows, pane);
  }
}

function iteratorOf(step: StepInfo, result: unknown, element: unknown, windows: readonly Window[]): Iterator<unknown> {
  // A string is iterable by letters, which nobody means.
  if (typeof result === "object" || typeof result === "function") {
    const make = (result as Iterable<unknown>)[Symbol.iterator];
    if (typeof make === "function") return make.call(result);
  }
  const isAsync = typeof result === "object" && Symbol.asyncIterator in (result as object);
  throw stepFailure(
    new TidemarkError("NOT_ITERABLE", {
      what: `the function of step "${step.name}" returned ${isAsync ? "an async iterable" : preview(result)}, which is not an iterable of elements`,
      fix: isAsync
        ? "make it an async function that gathers its outputs and returns them as an array"
        : "return an array of outputs, or use map for exactly one",
    }),
    { step: step.name, element, windows },
  );
}

/** `filter`. */
export class FilterOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #fn: (element: unknown) => unknown;
  readonly #out: Emitter;
  readonly #count: ElementCount;

  constructor(step: StepInfo, fn: (element: unknown) => unknown, out: Emitter, count: ElementCount) {
    this.#step = step;
    this.#fn = fn;
    this.#out = out;
    this.#count = count;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    let keep: unknown;
    const fn = this.#fn;
    try {
      keep = fn(value);
      if (keep instanceof Promise) throw undeclaredAsync(this.#step.name, keep);
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, element: value, windows });
    }
    if (!keep) return;
    this.#count.elements++;
    this.#out.emit(value, timestamp, windows, pane);
  }
}

/** Lets a function with a context look at its element window by window: an element in several is handed on once for each. */
export class ContextOperator implements Emitter {
  readonly #context: CallContext;
  readonly #inner: Emitter;

  /** @param inner an operator whose function reads `context` */
  constructor(context: CallContext, inner: Emitter) {
    this.#context = context;
    this.#inner = inner;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    const context = this.#context;
    context.timestamp = timestamp;
    context.pane = pane;
    if (windows.length === 1) {
      context.window = windows[0] as Window;
      this.#inner.emit(value, timestamp, windows, pane);
      return;
    }
    for (let i = 0; i < windows.length; i++) {
      context.window = windows[i] as Window;
      this.#inner.emit(value, timestamp, [windows[i] as Window], pane);
    }
  }
}

/** Binds a function to the one context object of its step. */
export function withContext(fn: PlainFn, context: CallContext): (element: unknown) => unknown {
  return (element) => fn(element, context);
}

/** Sends what the function throws aside, instead of failing the job. Outputs of the failed call do not appear. */
export class GuardedOperator implements Emitter {
  readonly #inner: Emitter;
  readonly #buffer: BufferEmitter;
  readonly #out: Emitter;
  readonly #failed: (
    error: unknown,
    value: unknown,
    timestamp: Timestamp,
    windows: readonly Window[],
    pane: Pane,
  ) => void;

  /** @param inner the step's operator, which emits into `buffer` */
  constructor(
    inner: Emitter,
    buffer: BufferEmitter,
    out: Emitter,
    failed: (error: unknown, value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane) => void,
  ) {
    this.#inner = inner;
    this.#buffer = buffer;
    this.#out = out;
    this.#failed = failed;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    const buffer = this.#buffer;
    try {
      this.#inner.emit(value, timestamp, windows, pane);
    } catch (error) {
      buffer.clear();
      this.#failed(error, value, timestamp, windows, pane);
      return;
    }
    buffer.drainTo(this.#out);
  }
}

/** Keeps elements in order until they are handed on. */
export class BufferEmitter implements Emitter {
  #items: { value: unknown; timestamp: Timestamp; windows: readonly Window[]; pane: Pane }[] = [];

  get size(): number {
    return this.#items.length;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    this.#items.push({ value, timestamp, windows, pane });
  }

  clear(): void {
    this.#items = [];
  }

  drainTo(out: Emitter): void {
    const items = this.#items;
    this.#items = [];
    for (const { value, timestamp, windows, pane } of items) out.emit(value, timestamp, windows, pane);
  }
}

/** `windowInto`. */
export class WindowOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #windowFn: WindowFn;
  readonly #out: Emitter;
  readonly #inNone: () => void;

  /** @param inNone counts an element that is in no window */
  constructor(step: StepInfo, windowFn: WindowFn, out: Emitter, inNone: () => void) {
    this.#step = step;
    this.#windowFn = windowFn;
    this.#out = out;
    this.#inNone = inNone;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    let assigned: readonly Window[];
    try {
      assigned = synchronous(this.#windowFn.assign(timestamp, value, windows), this.#step.name, "the WindowFn");
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, element: value, windows, deadLetters: false });
    }
    // Sliding windows whose period is longer than their size leave gaps, where an element is in no window.
    if (assigned.length > 0) this.#out.emit(value, timestamp, assigned, pane);
    else this.#inNone();
  }
}

/** `withTimestamps`. */
export class TimestampOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #fn: (element: unknown) => Timestamp;
  readonly #allowedTimestampSkew: number;
  readonly #out: Emitter;

  constructor(step: StepInfo, fn: (element: unknown) => Timestamp, allowedTimestampSkew: number, out: Emitter) {
    this.#step = step;
    this.#fn = fn;
    this.#allowedTimestampSkew = allowedTimestampSkew;
    this.#out = out;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    let moved: Timestamp;
    try {
      moved = synchronous(this.#fn(value), this.#step.name, "the function");
      checkTimestamp(this.#step.name, moved);
      checkSkew(this.#step.name, timestamp, moved, this.#allowedTimestampSkew);
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, element: value, windows, deadLetters: false });
    }
    this.#out.emit(value, moved, windows, pane);
  }
}

/** Refuses what is no instant. */
export function checkTimestamp(step: string, timestamp: unknown): asserts timestamp is Timestamp {
  if (isTimestamp(timestamp)) return;
  throw new TidemarkError("TIMESTAMP_INVALID", { ...timestampProblem(`step "${step}"`, timestamp), step });
}

/** Refuses an output that lies further before its element than the step allows. */
export function checkSkew(step: string, from: Timestamp, to: Timestamp, allowed: number): void {
  if (to >= from - allowed) return;
  throw new TidemarkError("TIMESTAMP_SKEW", {
    what: `step "${step}" moved a timestamp back by ${from - to} ms, from ${from} to ${to}`,
    why: `its allowedTimestampSkew is ${allowed} ms; an older timestamp could be behind the watermark and late everywhere after`,
    fix: `raise allowedTimestampSkew to ${from - to} or more, or have the source give the timestamp`,
    step,
  });
}

/** `partition`: one output for each part. */
export class PartitionOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #fn: (element: unknown, parts: number) => number;
  readonly #parts: readonly Emitter[];

  constructor(step: StepInfo, fn: (element: unknown, parts: number) => number, parts: readonly Emitter[]) {
    this.#step = step;
    this.#fn = fn;
    this.#parts = parts;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    let part: number;
    try {
      part = synchronous(this.#fn(value, this.#parts.length), this.#step.name, "the partition function");
      if (this.#parts[part] === undefined) {
        throw new TidemarkError("PARTITION_OUT_OF_RANGE", {
          what: `the partition function of step "${this.#step.name}" returned ${preview(part)}`,
          why: `there are ${this.#parts.length} parts, numbered from 0`,
          fix: `return a whole number from 0 to ${this.#parts.length - 1}`,
        });
      }
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, element: value, windows, deadLetters: false });
    }
    (this.#parts[part] as Emitter).emit(value, timestamp, windows, pane);
  }
}
