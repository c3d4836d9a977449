/**
 * Calls: invocations of user code that are transactions. Async, retried, timed or dead-lettered steps run through here.
 * Path: an entry of the stage -> the host's queue -> `invoke` -> … the promise settles … -> `settle` -> the step's outputs.
 *
 * V1 Between `invoke` and `settle` nothing of a call can be seen: outputs, state and timers are kept in its effects.
 * V2 A call that failed leaves nothing; the host tries it again from the start, or gives it up to the dead letters.
 * V3 Calls of one key never overlap, so a call's draft of its state is nobody else's.
 */
import { TidemarkError } from "../base/errors.ts";
import type { DeadLetter } from "../fn/set-aside.ts";
import type { DoFn } from "../fn/do-fn.ts";
import type { TimeDomain } from "../fn/timer.ts";
import type { Metrics } from "../fn/metrics.ts";
import type { Emitter } from "../host/emitter.ts";
import type { Invocation, StageHost } from "../host/host.ts";
import type { KeyedRecord } from "../host/records.ts";
import type { CallEffects } from "../host/stage-runner.ts";
import { NO_FIRING, type Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import {
  type ContextParts,
  DoFnContext,
  endedRecord,
  makeTimers,
  type Outlets,
  type SideInputReader,
  type TimerBinding,
} from "./do-fn-context.ts";
import { stepFailure } from "./errors.ts";
import { checkPair, type LateOutput, mapKeyOf } from "./grouping.ts";
import { type DraftCells, draftCells, draftRecord } from "./draft-cells.ts";
import { BufferEmitter, type CallContext, emitAll, type StepInfo } from "./operators.ts";
import type { StateRecords } from "./state-records.ts";
import { type StateBinding, UNTRACKED } from "./state-cells.ts";
import type { StateRecord } from "./state-record.ts";

interface TimerChange {
  readonly family: string;
  readonly tag: string;
  readonly set?: { readonly domain: TimeDomain; readonly at: Timestamp; readonly holdAt: Timestamp };
}

/** What one call did, waiting to be applied. */
interface Effects extends CallEffects {
  readonly outputs: ReadonlyMap<string, BufferEmitter>;
  readonly finalizers: readonly Finalizer[];
  readonly state?: {
    readonly record: StateRecord;
    /** What the call made of the record. */
    readonly cells: DraftCells;
    readonly timers: readonly TimerChange[];
  };
}

type Finalizer = () => void | Promise<void>;

/** Where a call writes. */
interface Draft {
  readonly buffers: Map<string, BufferEmitter>;
  readonly finalizers: Finalizer[];
}

/** One call of user code, for one window or for all that are given. */
type Call = (
  invocation: Invocation,
  windows: readonly Window[],
  draft: Draft,
) => Effects["state"] | Promise<Effects["state"]>;

/** How user code is called. */
interface Body {
  readonly call: Call;
  /** Whether it cannot tell its windows apart, and is called once for all of them. */
  readonly together: boolean;
}

/** The calls of one step. */
export class CallStep implements Emitter {
  readonly #step: StepInfo;
  readonly #host: StageHost;
  readonly #outlets: Outlets;
  readonly #body: Body;
  readonly #keyed: boolean;
  readonly #records: StateRecords | undefined;
  readonly #late: LateOutput;

  constructor(
    step: StepInfo,
    host: StageHost,
    outlets: Outlets,
    late: LateOutput,
    body: Body,
    records: StateRecords | undefined,
  ) {
    this.#step = step;
    this.#host = host;
    this.#outlets = outlets;
    this.#late = late;
    this.#body = body;
    this.#records = records;
    this.#keyed = records !== undefined;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    if (!this.#keyed) {
      this.#host.calls.submit(value, timestamp, windows, pane, undefined);
      return;
    }
    checkPair(this.#step, value);
    const records = this.#records as StateRecords;
    const mapKey = mapKeyOf(this.#step, value, windows);
    for (const window of windows) {
      const expiry = records.expiry(window);
      // From here on it holds the watermark, so that its window does not expire before its call.
      if (this.#host.inputWatermark() > expiry) this.#late.drop(value, timestamp, window, expiry, "expired");
      else this.#host.calls.submit(value, timestamp, [window], pane, mapKey);
    }
  }

  invoke(invocation: Invocation): CallEffects | Promise<CallEffects> {
    const draft: Draft = { buffers: new Map(), finalizers: [] };
    const failed = (error: unknown): Effects => ({
      outputs: new Map(),
      finalizers: [],
      error: this.#failure(error, invocation),
    });
    const done = (state: Effects["state"]): Effects => ({
      outputs: draft.buffers,
      finalizers: draft.finalizers,
      ...(state && { state }),
    });
    const { call, together } = this.#body;
    const states: ReturnType<Call>[] = [];
    try {
      if (together) states.push(call(invocation, invocation.windows, draft));
      else for (const window of invocation.windows) states.push(call(invocation, [window], draft));
    } catch (error) {
      // A call for another window that is under way already has failed with this one, whatever it comes to.
      for (const state of states) if (state instanceof Promise) state.catch(() => {});
      return failed(error);
    }
    if (!states.some((state) => state instanceof Promise)) return done(states[0] as Effects["state"]);
    return Promise.all(states.map(async (state) => state)).then((all) => done(all[0]), failed);
  }

  #failure(error: unknown, invocation: Invocation): TidemarkError {
    return stepFailure(error, {
      step: this.#step.name,
      element: invocation.value,
      windows: invocation.windows,
      ...(this.#keyed && {
        key: invocation.timer ? invocation.timer.record.key : (invocation.value as readonly unknown[])[0],
        hasKey: true,
      }),
    });
  }

  settle(invocation: Invocation, effects: CallEffects): void {
    if (effects.error !== undefined) {
      this.#deadLetter(invocation, effects.error);
      if (invocation.timer !== undefined) this.#records?.release(invocation.timer.record as StateRecord);
      return;
    }
    const { outputs, state, finalizers } = effects as Effects;
    if (state !== undefined) this.#applyState(state);
    for (const finalizer of finalizers) this.#host.onBundleFinalized(finalizer);
    for (const [tag, buffer] of outputs) buffer.drainTo(this.#outlets[tag] as Emitter);
  }

  #deadLetter(invocation: Invocation, error: unknown): void {
    const outlet = this.#outlets["deadLetter"];
    // A timer's callback has no element that could be set aside.
    if (outlet === undefined || invocation.timer !== undefined) throw error;
    outlet.emit(
      deadLetter(invocation.value, error, this.#step.name, invocation.attempt),
      invocation.timestamp,
      invocation.windows,
      invocation.pane,
    );
  }

  #applyState({ record, cells, timers }: NonNullable<Effects["state"]>): void {
    const records = this.#records as StateRecords;
    // A call of the window's expiry comes after the window: its state has no place any more.
    if (!records.isOpen(record.window)) return;
    records.willChange(record);
    cells.applyTo(record);
    for (const { family, tag, set } of timers) {
      if (set === undefined) this.#host.timers.clear(record, family, tag);
      else this.#host.timers.set(record, family, tag, set.domain, set.at, set.holdAt);
    }
    records.keep(record);
  }
}

/** What `.deadLetter()` gives for an element that was given up. */
export function deadLetter(element: unknown, error: unknown, step: string, attempts: number): DeadLetter<unknown> {
  const inner = error instanceof TidemarkError && error.code === "STEP_FAILED" ? (error.cause ?? error) : error;
  const { name, message, stack } =
    inner instanceof Error ? inner : { name: "Error", message: String(inner), stack: undefined };
  return {
    element,
    error: {
      name,
      message,
      ...(inner instanceof TidemarkError && { code: inner.code }),
      ...(stack !== undefined && { stack }),
    },
    step,
    attempts,
  };
}

function bufferFor(buffers: Map<string, BufferEmitter>, tag: string): BufferEmitter {
  let buffer = buffers.get(tag);
  if (buffer === undefined) {
    buffer = new BufferEmitter();
    buffers.set(tag, buffer);
  }
  return buffer;
}

/** Calls of a function given to `map`, `flatMap` or `filter`. @param looks whether it can see its window */
export function functionBody(
  kind: "map" | "flatMap" | "filter",
  step: StepInfo,
  fn: (element: unknown, context: CallContext) => unknown,
  { sideInputs, metrics }: { readonly sideInputs: SideInputReader; readonly metrics: Metrics },
  looks: boolean,
): Body {
  const call: Call = (invocation, windows, { buffers }) => {
    const { value, timestamp, pane } = invocation;
    const window = windows[0] as Window;
    sideInputs.moveTo(window);
    const { signal } = invocation;
    const result = fn(value, { timestamp, window, pane, signal, metrics, sideInputs: { ...sideInputs.values } });
    const take = (settled: unknown): undefined => {
      const buffer = bufferFor(buffers, "main");
      if (kind === "map") buffer.emit(settled, timestamp, windows, pane);
      else if (kind === "filter") {
        if (settled) buffer.emit(value, timestamp, windows, pane);
      } else if (settled !== undefined && settled !== null)
        emitAll(step, settled, value, timestamp, windows, pane, buffer);
      return undefined;
    };
    return isThenable(result) ? Promise.resolve(result).then(take) : take(result);
  };
  return { call, together: !looks };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** Calls of a DoFn: `process`, timer callbacks and expiry, with or without state. */
export function doFnBody(
  parts: ContextParts,
  outletTags: readonly string[],
  records: StateRecords | undefined,
  strict: boolean,
): Body {
  const { doFn, host } = parts;
  const call: Call = (invocation, [window], { buffers, finalizers }) => {
    const at = window as Window;
    const record = records === undefined ? undefined : recordOf(parts.step, records, invocation, at);
    const outlets = Object.fromEntries(outletTags.map((tag) => [tag, bufferFor(buffers, tag)]));
    parts.sideInputs.moveTo(at);
    const sideInputs: SideInputReader = { values: { ...parts.sideInputs.values }, moveTo: () => {} };
    const context = new DoFnContext({ ...parts, outlets, sideInputs }, (callback) => finalizers.push(callback));
    context.timestamp = invocation.timestamp;
    context.window = at;
    context.windows = [at];
    context.pane = invocation.pane;
    context.signal = invocation.signal;
    context.active = true;
    const draft = record && bindDraft(parts, record, context, host, strict);
    const end = (): void => {
      context.active = false;
      draft?.end();
    };
    const take = (settled: unknown): Effects["state"] => {
      end();
      if (settled !== undefined && settled !== null) {
        const { value, timestamp } = invocation;
        emitAll(parts.step, settled, value, timestamp, [at], context.pane, bufferFor(buffers, "main"));
      }
      return draft && { record, cells: draft.cells, timers: draft.timers };
    };
    const failed = (error: unknown): never => {
      end();
      throw error;
    };
    let result: unknown;
    try {
      result = callMethod(doFn, invocation, context);
    } catch (error) {
      return failed(error);
    }
    return isThenable(result) ? Promise.resolve(result).then(take, failed) : take(result);
  };
  return { call, together: false };
}

function recordOf(step: StepInfo, records: StateRecords, invocation: Invocation, window: Window): StateRecord {
  if (invocation.timer) return invocation.timer.record as StateRecord;
  const key = (invocation.value as readonly unknown[])[0];
  return records.peek(key, step.toMapKey(key), window);
}

function bindDraft(
  parts: ContextParts,
  record: StateRecord,
  context: DoFnContext,
  host: StageHost,
  strict: boolean,
): { cells: DraftCells; timers: TimerChange[]; end: () => void } {
  const specs = parts.doFn.state ?? {};
  const draft = draftRecord(record);
  const timers: TimerChange[] = [];
  context.key = record.key;
  const binding: StateBinding = {
    record: draft,
    step: parts.step.name,
    now: () => host.now(),
    records: UNTRACKED,
    // `keep` sees to it.
    ttlWritten: () => {},
    strict,
  };
  const cells = draftCells(specs, binding);
  context.state = cells.cells;
  const handles: TimerBinding = {
    record: draft,
    context,
    timers: {
      set: (_record: KeyedRecord, family, tag, domain, at, holdAt) =>
        timers.push({ family, tag, set: { domain, at, holdAt } }),
      clear: (_record: KeyedRecord, family, tag) => timers.push({ family, tag }),
    },
  };
  context.timers = makeTimers(parts.doFn.timers ?? {}, parts, handles);
  const end = (): void => {
    binding.record = endedRecord(parts.step.name);
    handles.record = binding.record;
  };
  return { cells, timers, end };
}

/** The family under which the engine queues the call of `onWindowExpiration`. */
export const EXPIRY_FAMILY = " expiry";

function callMethod(doFn: DoFn<unknown, unknown>, invocation: Invocation, context: DoFnContext): unknown {
  const { timer } = invocation;
  if (timer === undefined) return doFn.process(invocation.value, context as never);
  context.firedAt = timer.at;
  context.isFiring = true;
  context.tag = timer.tag;
  context.pane = NO_FIRING;
  if (timer.family === EXPIRY_FAMILY) return doFn.onWindowExpiration?.(context as never);
  const callbacks = doFn.onTimer as Record<string, (context: DoFnContext) => unknown> | undefined;
  return callbacks?.[timer.family]?.call(doFn, context);
}
