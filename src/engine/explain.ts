/**
 * Finds who holds back what has not fired: from a stage's pending panes, timers, elements and calls, up along the watermarks, to
 * the owner of the hold. Owners are looked for when somebody asks: holds do not know them.
 * Path: a job's `explain` -> HERE, which asks each stage's runner what it keeps -> explain/words.ts.
 *
 * E1 Asked between two turns; changes nothing, and calls nothing of the program.
 * E2 A chain follows the least watermark; where several are least, what the stage itself holds comes before its inputs.
 * Cost: a look at each timer, call and parked element of the stages on the way, and at the keys of pending windows.
 */
import { preview } from "../base/preview.ts";
import { type Explanation, type HoldCause, type HoldLink, isStuck, type Waiting } from "../explain/explanation.ts";
import type { ViewId } from "../graph/graph.ts";
import { PENDING_MAX, type Pending, type PendingQuery } from "../host/pending.ts";
import type { MapKey } from "../host/records.ts";
import type { Need } from "../model/need.ts";
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import { formatWindow, type Window } from "../model/window.ts";
import type { UnsettledCall } from "./calls.ts";
import { Script } from "./script.ts";
import { SourceReading } from "./source.ts";
import type { Sources } from "./sources.ts";
import type { Parked, StageState } from "./stage-state.ts";
import type { SetTimer } from "./timers.ts";

/** What is asked for; what is absent does not matter. */
export interface EngineQuery extends PendingQuery {
  readonly stages?: readonly number[] | undefined;
  /** How a key is compared, where `mapKey` is given. */
  readonly toMapKey?: (key: unknown) => MapKey;
  /** Also what will go on within a moment, and, where nothing else waits, why the job has not ended. */
  readonly everything: boolean;
}

/** What an explainer looks at. */
export interface Explained {
  readonly stages: readonly StageState[];
  readonly makers: ReadonlyMap<ViewId, StageState>;
  readonly sources: Sources;
  now(): number;
}

type Chain = HoldLink[];

export class Explainer {
  readonly #engine: Explained;

  constructor(engine: Explained) {
    this.#engine = engine;
  }

  explain(query: EngineQuery): Explanation {
    const now = this.#engine.now();
    const waiting: Waiting[] = [];
    let more = 0;
    const { stages, everything } = query;
    for (const state of this.#engine.stages) {
      if (stages !== undefined && !stages.includes(state.stage.id)) continue;
      const pending = state.runner.pending?.(query);
      const all = [
        ...(pending?.first ?? []).map((one) => this.#pending(state, one)),
        ...this.#parked(state, query),
        ...this.#calls(state, query),
        ...this.#busy(state, query),
      ];
      const told = everything ? all : all.filter((one) => isStuck(one, now));
      if (told.length > 0) more += pending?.more ?? 0;
      waiting.push(...told);
    }
    if (waiting.length === 0 && everything && stages === undefined) waiting.push(...this.#end());
    return { now, waiting, more };
  }

  #pending(state: StageState, pending: Pending): Waiting {
    const { what, window, key, others, need, timer } = pending;
    const chain: Chain = [];
    return {
      step: state.stage.name,
      what,
      window: formatWindow(window),
      // The elements of a view have no key.
      ...(state.stage.kind !== "view" && { key: preview(key) }),
      ...(timer !== undefined && { timer }),
      others,
      need,
      watermark: state.inputWatermark,
      cause: this.#causeOf(state, pending, chain),
      chain,
    };
  }

  #causeOf(state: StageState, { need, window, key, firstEnd }: Pending, chain: Chain): HoldCause {
    const step = state.stage.name;
    const after = watermarkIn(need);
    if (after === undefined) {
      const timer = heldBy(state, key, window, need);
      return timer === undefined ? { kind: "trigger", step } : this.#timer(state, timer);
    }
    // What is due and has not fired waits for calls of its window, or for timers of the machine's clock.
    if (state.inputWatermark > after) return this.#whileDue(state, window) ?? { kind: "reading", step };
    const cause = this.#input(state, chain);
    const grown = firstEnd !== undefined && state.inputWatermark > firstEnd;
    const waiting = { cause, need } as Waiting;
    if (!grown || isStuck(waiting, this.#engine.now())) return cause;
    return { kind: "session", step, firstEnd, watermark: state.inputWatermark };
  }

  #whileDue(state: StageState, window: Window): HoldCause | undefined {
    const call = oldest(state, ({ invocation }) => invocation.windows.some(({ id }) => id === window.id));
    if (call !== undefined) return callCause(state, call);
    for (const timer of state.timers.all())
      if (timer.record !== undefined && timer.domain === "processing" && timer.holdAt <= MAX_TIMESTAMP)
        return timerCause(state, timer);
    const stopper = state.stoppedBy;
    return stopper && this.#full(stopper, []);
  }

  /** Why the input watermark of a stage is no further. */
  #input(state: StageState, chain: Chain): HoldCause {
    const { stage, inputWatermark } = state;
    if (chain.at(-1)?.step !== stage.name) chain.push({ step: stage.name, side: "input", watermark: inputWatermark });
    if (state.inbox.length > 0 || state.bundlePhase !== "closed") return this.#bundle(state);
    let least = Infinity;
    let cause = (): HoldCause => ({ kind: "reading", step: stage.name });
    const consider = (at: number, owner: () => HoldCause): void => {
      if (at >= least) return;
      least = at;
      cause = owner;
    };
    for (const parked of state.parked())
      for (const { hold } of parked) consider(hold.at, () => this.#view(state, parked[0] as Parked, chain).cause);
    for (const call of state.calls?.unsettled() ?? [])
      consider(call.hold, () => callCause(state, this.#blocking(state, call)));
    const { reading } = state;
    if (reading !== undefined)
      consider(reading instanceof SourceReading ? reading.lastWatermark : reading.watermark(), () =>
        this.#source(state, chain),
      );
    for (const upstream of state.upstream) consider(upstream.outputWatermark, () => this.#output(upstream, chain));
    // Not moved yet, though nothing holds it: it does in the next turn.
    return least > inputWatermark ? { kind: "reading", step: stage.name } : cause();
  }

  /** Why the output watermark of a stage is no further. */
  #output(state: StageState, chain: Chain): HoldCause {
    chain.push({ step: state.stage.name, side: "output", watermark: state.outputWatermark });
    let least = state.inputWatermark;
    let cause = (): HoldCause => this.#input(state, chain);
    for (const call of state.calls?.unsettled() ?? []) {
      if (call.outputHold >= least) continue;
      least = call.outputHold;
      cause = () => callCause(state, this.#blocking(state, call));
    }
    for (const timer of state.timers.all()) {
      if (timer.holdAt >= least) continue;
      least = timer.holdAt;
      cause = () => this.#timer(state, timer);
    }
    return cause();
  }

  #timer(state: StageState, timer: SetTimer): HoldCause {
    const { record, window, at, holdAt } = timer;
    const step = state.stage.name;
    const isDue = timer.domain === "processing" ? at <= this.#engine.now() : at < state.inputWatermark;
    const stopper = isDue ? state.stoppedBy : undefined;
    if (stopper !== undefined) return this.#full(stopper, []);
    if (record !== undefined && state.stage.lane === "state") return timerCause(state, timer);
    if (record === undefined && state.inputWatermark > at)
      return this.#whileDue(state, window) ?? { kind: "reading", step };
    const need = record && state.runner.pending?.({ windowId: window.id, mapKey: record.mapKey }).first[0]?.need;
    const key = record !== undefined && state.stage.kind !== "view" ? preview(record.key) : undefined;
    return {
      kind: "state",
      step,
      window: formatWindow(window),
      ...(key !== undefined && { key }),
      holdAt,
      until: at,
      ...(need && { need }),
    };
  }

  /** What an attempt is being made of, where `call` itself is queued. */
  #blocking(state: StageState, call: UnsettledCall): UnsettledCall {
    return call.since < Infinity || call.retryAt < Infinity ? call : (oldest(state) ?? call);
  }

  #bundle(state: StageState): HoldCause {
    const call = oldest(state);
    if (call !== undefined) return callCause(state, call);
    return { kind: "bundle", step: state.stage.name, since: Math.min(state.bundleSince, this.#engine.now()) };
  }

  /** What an element that is parked waits for. */
  #view(state: StageState, { windows }: Parked, chain: Chain): { readonly need: Need; readonly cause: HoldCause } {
    const missing = state.runner.missingViews?.(windows[0] as Window)[0];
    const maker = missing && this.#engine.makers.get(missing.view);
    if (missing === undefined || maker === undefined)
      return { need: { kind: "met" }, cause: { kind: "reading", step: state.stage.name } };
    const { window } = missing;
    const after = window.maxTimestamp;
    const need: Need = { kind: "sideInput", step: maker.stage.name, window: formatWindow(window), after };
    return { need, cause: this.#output(maker, chain) };
  }

  #source(state: StageState, chain: Chain): HoldCause {
    const { reading, stage } = state;
    const step = stage.name;
    if (reading instanceof Script)
      return { kind: "script", step, watermark: reading.watermark(), eventsLeft: reading.eventsLeft };
    if (!(reading instanceof SourceReading)) return { kind: "reading", step };
    const { source, policy, splits } = reading.facts();
    if (policy.kind === "processing") return { kind: "clock", step };
    const { idleAfter, whenAllIdle = "hold" } = source.quiet ?? {};
    const facts = {
      step,
      source: source.name,
      splits: splits.length,
      timestamps: policy.kind,
      ...(idleAfter !== undefined && { idleAfter }),
      whenAllIdle,
    };
    const live = splits.filter(({ ended }) => !ended);
    const counted = live.filter(({ isIdle }) => !isIdle);
    if (live.length > 0 && counted.length === 0) {
      if (whenAllIdle === "followClock") return { kind: "clock", step };
      return { kind: "allIdle", ...facts, quietSince: Math.max(...live.map(({ quietSince = 0 }) => quietSince)) };
    }
    const stopped = this.#engine.sources.stoppedBy(state);
    if (stopped !== undefined) return this.#full(stopped, chain);
    let holder = counted[0];
    for (const split of counted) if (holder !== undefined && split.watermark < holder.watermark) holder = split;
    if (holder === undefined || (holder.pollable && !holder.tellsNoTime)) return { kind: "reading", step };
    const { watermark, latest, given, quietSince, tellsNoTime } = holder;
    return {
      kind: "split",
      ...facts,
      split: splits.indexOf(holder) + 1,
      watermark,
      given,
      ...(latest > MIN_TIMESTAMP && { latest }),
      ...(quietSince !== undefined && { quietSince }),
      tellsNoTime,
    };
  }

  #full(state: StageState, chain: Chain): HoldCause {
    const call = oldest(state);
    if (call !== undefined) return callCause(state, call);
    if (state.keepsWaiting)
      for (const parked of state.parked()) return this.#view(state, parked[0] as Parked, chain).cause;
    if (state.bundlePhase !== "closed") return this.#bundle(state);
    return { kind: "full", step: state.stage.name, since: Math.min(state.fullSince, this.#engine.now()) };
  }

  #parked(state: StageState, query: EngineQuery): readonly Waiting[] {
    const all: Waiting[] = [];
    for (const parked of state.parked()) {
      if (query.windowId !== undefined && parked[0]?.windows[0]?.id !== query.windowId) continue;
      const asked = parked.filter(({ value }) => isOfKey(value, query));
      const first = asked[0];
      if (first === undefined || all.length === PENDING_MAX) continue;
      const chain: Chain = [];
      all.push({
        step: state.stage.name,
        what: "element",
        window: formatWindow(first.windows[0] as Window),
        ...shown(state, first.value),
        others: asked.length - 1,
        ...this.#view(state, first, chain),
        watermark: state.inputWatermark,
        chain,
      });
    }
    return all;
  }

  #calls(state: StageState, query: EngineQuery): readonly Waiting[] {
    const isAsked = ({ invocation, key }: UnsettledCall): boolean =>
      (query.windowId === undefined || invocation.windows.some(({ id }) => id === query.windowId)) &&
      (query.mapKey === undefined || (key !== undefined && query.toMapKey?.(key) === query.mapKey));
    const call = oldest(state, isAsked);
    if (call === undefined) return [];
    let others = -1;
    for (const one of state.calls?.unsettled() ?? []) if (isAsked(one)) others++;
    const { invocation, key } = call;
    return [
      {
        step: state.stage.name,
        what: invocation.timer === undefined ? "element" : "timer",
        window: formatWindow(invocation.windows[0] as Window),
        ...(invocation.timer === undefined
          ? { element: preview(invocation.value) }
          : { timer: invocation.timer.family }),
        ...(key !== undefined && { key: preview(key) }),
        others,
        need: { kind: "call" },
        watermark: state.inputWatermark,
        chain: [],
        cause: callCause(state, this.#blocking(state, call)),
      },
    ];
  }

  /** Of a whole stage: its sink takes no more, or its bundle takes time. */
  #busy(state: StageState, { windowId, mapKey }: EngineQuery): readonly Waiting[] {
    if (windowId !== undefined || mapKey !== undefined || state.calls !== undefined) return [];
    const of = { step: state.stage.name, watermark: state.inputWatermark, chain: [] };
    if (state.bundlePhase !== "closed") {
      const others = Math.max(0, state.inbox.length - 1);
      return [{ ...of, what: "element", others, need: { kind: "bundle" }, cause: this.#bundle(state) }];
    }
    if (!state.full) return [];
    return [{ ...of, what: "write", others: 0, need: { kind: "flush" }, cause: this.#full(state, []) }];
  }

  /** Why the job has not ended: the first stage that is not at the end of time, and what holds it. */
  #end(): readonly Waiting[] {
    const last = this.#engine.stages.findLast(({ outputWatermark }) => outputWatermark < MAX_TIMESTAMP);
    if (last === undefined) return [];
    const chain: Chain = [];
    const cause = this.#output(last, chain);
    const of = { step: last.stage.name, watermark: last.inputWatermark };
    return [{ ...of, what: "end", others: 0, need: { kind: "end" }, chain, cause }];
  }
}

/** The time that the watermark has to pass, in a need that it can meet. */
function watermarkIn(need: Need): Timestamp | undefined {
  switch (need.kind) {
    case "watermark":
    case "expiry":
      return need.after;
    case "any":
    case "all":
      for (const part of need.needs) {
        const after = watermarkIn(part);
        if (after !== undefined) return after;
      }
      return undefined;
    case "each":
      return watermarkIn(need.need);
    default:
      return undefined;
  }
}

/** The timer that a pane or a callback waits for, or that holds the watermark for a pane whose window is over. */
function heldBy(state: StageState, key: unknown, window: Window, need: Need): SetTimer | undefined {
  const isOver = state.inputWatermark > window.maxTimestamp;
  for (const timer of state.timers.all()) {
    const { record, domain, at, holdAt } = timer;
    if (record === undefined || record.key !== key || record.window.id !== window.id) continue;
    const isDue = state.stage.lane === "state" && need.kind === "clock" && domain === "processing" && at === need.due;
    if (isDue || (isOver && domain === "event" && holdAt <= MAX_TIMESTAMP)) return timer;
  }
  return undefined;
}

/** The call that has been running longest; where none is, the one that came first. */
function oldest({ calls }: StageState, isAsked?: (call: UnsettledCall) => boolean): UnsettledCall | undefined {
  let found: UnsettledCall | undefined;
  for (const call of calls?.unsettled() ?? [])
    if (isAsked?.(call) !== false && (found === undefined || call.since < found.since)) found = call;
  return found;
}

function callCause(state: StageState, { invocation, key, since, retryAt, timeoutMs }: UnsettledCall): HoldCause {
  const { attempt, timer, value, windows } = invocation;
  return {
    kind: "call",
    step: state.stage.name,
    ...(timer === undefined && { element: preview(value) }),
    ...(key !== undefined && { key: preview(key) }),
    window: windows.map(formatWindow).join(", "),
    ...(since < Infinity && { since }),
    attempt,
    ...(retryAt < Infinity && { retryAt }),
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
  };
}

function timerCause(state: StageState, { record, window, family, tag, domain, at, holdAt }: SetTimer): HoldCause {
  const key = preview(record?.key);
  const of = { step: state.stage.name, window: formatWindow(window), key, timer: family, tag, domain, at };
  return { kind: "timer", ...of, ...(holdAt <= MAX_TIMESTAMP && { holdAt }) };
}

function isOfKey(value: unknown, { mapKey, toMapKey }: EngineQuery): boolean {
  return mapKey === undefined || (Array.isArray(value) && toMapKey?.(value[0]) === mapKey);
}

/** An element of a keyed stage by its key, another one by itself. */
function shown({ stage }: StageState, value: unknown): { readonly key: string } | { readonly element: string } {
  return stage.lane !== undefined && Array.isArray(value) ? { key: preview(value[0]) } : { element: preview(value) };
}
