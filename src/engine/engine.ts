/**
 * The engine: runs the stages of one job, one turn after another, synchronously.
 *
 * N1 Everything that happens by itself enters by `deliver`; the clock and the readers are arguments, asked when it is their turn
 *    (docs/adr/0006).
 * N2 A turn reads a little from each source, pushes it through, then settles: in the order of the stages each one ends its
 *    bundle, takes its new watermark, fires its timers and passes its watermark on.
 * N3 A watermark leaves a stage after the elements before it.
 * N4 A full stage stops the sources and timers above it; a side input's own sources are not stopped by what waits for it.
 */
import type { Explanation } from "../explain/explanation.ts";
import type { CollectionId, ViewId } from "../graph/graph.ts";
import type { Emitter } from "../host/emitter.ts";
import type { StageHost } from "../host/host.ts";
import type { CallPolicy, Stage } from "../host/stage.ts";
import type { CallEffects, StageRunner } from "../host/stage-runner.ts";
import type { Epoch, SinkJob } from "../fn/sink.ts";
import type { StepChange } from "../host/layouts.ts";
import type { RecordRows, Snapshot, SnapshotSink } from "../host/snapshot.ts";
import { assert } from "../base/assert.ts";
import { decodeFromBytes } from "../coders/coder.ts";
import { valueCoder } from "../coders/value.ts";
import { MAX_TIMESTAMP } from "../model/time.ts";
import { Eviction } from "./eviction.ts";
import { Freezing, type GraphNames } from "./freezing.ts";
import { type Figures, restoreFigures, type SavedFigures, saveFigures } from "./saved-figures.ts";
import { thawStages, thawView } from "./thaw.ts";
import { DirectEdge, EdgeFan, QueuedEdge, type Transcode, TranscodingEdge } from "./edges.ts";
import { type EngineQuery, Explainer } from "./explain.ts";
import { Drops, type EngineMetrics, stageMetrics } from "./metrics.ts";
import { ElementCounts } from "../host/element-counts.ts";
import { UserMetrics } from "../host/user-metrics.ts";
import { SideInputStore } from "./side-input-store.ts";
import { type SourceInput, Sources, type SourceStops } from "./sources.ts";
import { type StageEngine, StageState } from "./stage-state.ts";
import { stepChanges } from "./step-changes.ts";
import { stagesBelow, type Stoppers, stoppers } from "./stoppers.ts";

/** A stage as the engine needs it. */
export interface EngineStage {
  readonly stage: Stage;
  readonly build: (host: StageHost) => StageRunner;
  readonly source?: SourceInput;
  readonly calls?: CallPolicy;
  /** Whether beginning or ending a bundle is async: then elements queue before the stage while it waits. */
  readonly asyncBundles?: boolean;
  /** The views that this stage makes, and for how many ms after its end a window of them is kept. */
  readonly makes?: readonly { readonly view: ViewId; readonly retention: number }[];
}

export interface EngineDeps {
  /** Processing time in milliseconds. */
  readonly now: () => number;
  /** Moves a simulated clock on; needed by test streams that advance processing time. */
  readonly advanceClock?: (byMs: number) => void;
  /** A monotonic stopwatch in milliseconds, for cutting bundles to size; where absent, bundles have a fixed size. */
  readonly stopwatch?: () => number;
  /** Called when an event was delivered and `step` has something to do. */
  readonly onWake: () => void;
  readonly options: unknown;
  /** With checkpoints: the job that its sinks belong to, and names that last. */
  readonly checkpoints?: {
    readonly sinkJob: SinkJob;
    readonly names: GraphNames;
    /** The first that it is going to make. */
    readonly epoch: Epoch;
    rows(step: string): RecordRows;
    /** How many bytes of records may be in memory. */
    readonly stateMemory: number;
  };
  /** Test modes: encodes and decodes everything that passes between stages; queues it and cuts bundles at random. */
  readonly transcode?: Transcode;
  readonly cutBundle?: () => number;
  /** Test mode: has what comes from outside arrive when and in the order that it likes. */
  readonly delay?: (arrive: () => void) => void;
}

/** The one door: all that is not determined. */
export type EngineEvent =
  /** A split of a source has something to read again. */
  | { readonly kind: "sourceReady"; readonly ready: () => void }
  | {
      readonly kind: "call";
      readonly stage: number;
      readonly callId: number;
      readonly attempt: number;
      readonly effects: CallEffects;
    }
  | { readonly kind: "workDone"; readonly stage: number; readonly done: () => void }
  | { readonly kind: "bundle"; readonly stage: number; readonly phase: "begun" | "ended" }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "drain" };

/** What the driver of the engine does next: step again at once, wait for an event, wait until a processing time, or stop. */
export type StepResult = { readonly next: "now" | "event" | "done" | number };

const TIMERS_A_TURN = 50_000;
/** After so many it is asked whether what is below can take more. */
const TIMERS_AT_ONCE = 1_000;

export class Engine {
  readonly #deps: EngineDeps;
  readonly #stages: readonly StageState[];
  readonly #plans: readonly EngineStage[];
  readonly #views = new SideInputStore();
  readonly #userMetrics = new UserMetrics();
  readonly #counts = new ElementCounts();
  readonly #events: EngineEvent[] = [];
  readonly #drops = new Drops();
  #finalizers: (() => void | Promise<void>)[] = [];
  readonly #stoppers: ReadonlyMap<number, Stoppers>;
  readonly #sources: Sources;
  readonly #explainer: Explainer;
  /** Whether more timers are due than one turn may fire. */
  #timersLeft = false;
  #draining = false;
  #closed = false;
  /** Whether somebody waits to freeze it. */
  #resting = false;
  /** With checkpoints: what takes records out of memory. */
  readonly #eviction: Eviction | undefined;

  constructor(plans: readonly EngineStage[], deps: EngineDeps) {
    this.#deps = deps;
    this.#plans = plans;
    this.#stoppers = stoppers(plans);
    const engine: StageEngine = {
      now: deps.now,
      options: deps.options,
      views: this.#views,
      edge: (collection) => this.#edge(collection),
      deliverResult: (stage, callId, attempt, effects) =>
        this.deliver({ kind: "call", stage, callId, attempt, effects }),
      onBundleFinalized: (callback) => this.#finalizers.push(callback),
      trackWork: (stage, work, done) => this.#trackWork(stage, work, done),
      dropped: (step, reason) => this.#drops.add(step, reason),
      sinkJob: deps.checkpoints?.sinkJob,
      counts: this.#counts,
      metrics: this.#userMetrics,
    };
    this.#stages = plans.map((plan) => new StageState(plan.stage, engine, plan.calls));
    this.#sources = new Sources({
      now: deps.now,
      ready: (ready) => this.deliver({ kind: "sourceReady", ready }),
      fail: (error) => this.deliver({ kind: "failed", error }),
      advanceClock: deps.advanceClock,
      stopwatch: deps.stopwatch,
      isQuiescent: () => this.#quiescent(),
    });
    this.#connect();
    this.#explainer = new Explainer({
      stages: this.#stages,
      makers: this.#makers(),
      sources: this.#sources,
      now: deps.now,
    });
    // Last stages first, so that an edge finds the runner it leads to.
    for (let i = plans.length - 1; i >= 0; i--) {
      const state = this.#stages[i] as StageState;
      state.runner = (plans[i] as EngineStage).build(state.host);
    }
    const { checkpoints } = deps;
    if (checkpoints === undefined) return;
    for (const state of this.#stages) state.track(checkpoints.epoch, checkpoints.rows(state.stage.name));
    this.#views.track();
    this.#eviction = new Eviction(this.#stages, checkpoints.stateMemory);
  }

  #connect(): void {
    const producers = new Map<CollectionId, StageState>();
    for (const state of this.#stages) for (const output of state.stage.outputs) producers.set(output, state);
    for (const [index, state] of this.#stages.entries()) {
      const plan = this.#plans[index] as EngineStage;
      for (const input of state.stage.inputs) state.upstream.push(producers.get(input) as StageState);
      for (const { view } of plan.makes ?? []) this.#views.declare(view, () => state.outputWatermark);
      for (const id of stagesBelow(state.stage.id, this.#plans))
        if (canBeBusy(this.#plans[id] as EngineStage)) state.below.push(this.#stages[id] as StageState);
    }
  }

  /** The stage that makes each view. */
  #makers(): ReadonlyMap<ViewId, StageState> {
    const makes = (state: StageState, i: number): [ViewId, StageState][] =>
      (this.#plans[i]?.makes ?? []).map(({ view }) => [view, state]);
    return new Map(this.#stages.flatMap(makes));
  }

  /**
   * Opens every runner and source. Rejects with the first failure; `close` must still be called. Closed while one of them
   * opens, it opens no more, and that one is closed as soon as it is open.
   */
  async open(): Promise<void> {
    for (const state of this.#stages) if (!this.#closed) await state.runner.open();
    for (const [index, plan] of this.#plans.entries()) {
      if (plan.source === undefined || this.#closed) continue;
      const state = this.#stages[index] as StageState;
      await this.#sources.open(state, plan.source, this.#stopsOf(state.stage.id));
    }
  }

  #stopsOf(source: number): SourceStops {
    const { busy, waiting } = this.#stoppers.get(source) as Stoppers;
    const states = (ids: readonly number[]): StageState[] => ids.map((id) => this.#stages[id] as StageState);
    return { busy: states(busy), waiting: states(waiting) };
  }

  #edge(collection: CollectionId): Emitter {
    const targets = this.#stages.filter((state) => state.stage.inputs.includes(collection));
    const { transcode, cutBundle } = this.#deps;
    const edges = targets.map((target): Emitter => {
      const queued = cutBundle !== undefined || this.#plans[target.stage.id]?.asyncBundles === true;
      let edge: Emitter = queued ? new QueuedEdge(target, collection) : new DirectEdge(target, collection);
      if (transcode !== undefined) edge = new TranscodingEdge(collection, transcode, edge);
      return edge;
    });
    return edges.length === 1 ? (edges[0] as Emitter) : new EdgeFan(edges);
  }

  #trackWork(state: StageState, work: Promise<void>, done: () => void): void {
    state.work++;
    work.then(
      () => this.deliver({ kind: "workDone", stage: state.stage.id, done }),
      (error: unknown) => this.deliver({ kind: "failed", error }),
    );
  }

  /** Brings in what happened outside. */
  deliver(event: EngineEvent): void {
    const { delay } = this.#deps;
    if (delay === undefined) this.#arrive(event);
    else delay(() => this.#arrive(event));
  }

  #arrive(event: EngineEvent): void {
    this.#events.push(event);
    this.#deps.onWake();
  }

  #handleEvents(): void {
    for (let i = 0; i < this.#events.length; i++) {
      const event = this.#events[i] as EngineEvent;
      switch (event.kind) {
        case "failed":
          throw event.error;
        case "call": {
          const state = this.#stages[event.stage] as StageState;
          state.begin();
          state.calls?.result(event.callId, event.attempt, event.effects, state.runner);
          break;
        }
        case "workDone":
          (this.#stages[event.stage] as StageState).work--;
          event.done();
          break;
        case "bundle": {
          const state = this.#stages[event.stage] as StageState;
          state.bundlePhase = event.phase === "begun" ? "open" : "closed";
          break;
        }
        case "drain":
          this.#draining = true;
          this.#sources.stop();
          break;
        case "sourceReady":
          event.ready();
          break;
      }
    }
    this.#events.length = 0;
  }

  /** One turn. Throws what user code or the outside world threw: the job has failed then. */
  step(budgetMs: number): StepResult {
    this.#handleEvents();
    const { stopwatch } = this.#deps;
    const start = stopwatch?.() ?? 0;
    let read = 0;
    for (;;) {
      if (this.#fireProcessingTimers() > 0) this.#settle();
      read = this.#timersLeft || this.#mustRest || this.#eviction?.isOverfull === true ? 0 : this.#sources.read();
      this.#settle();
      if (read === 0 || stopwatch === undefined || stopwatch() - start >= budgetMs || this.#events.length > 0) break;
    }
    if (this.#deps.checkpoints === undefined) this.#runFinalizers(this.#takeFinalizers());
    return { next: this.#next(read) };
  }

  /** Asks that no bundle or flush be under way soon, so that the engine can be frozen: nothing new is begun until it has been. */
  rest(): void {
    this.#resting = true;
  }

  /** Whether sources have to wait for that. */
  get #mustRest(): boolean {
    return this.#resting && !this.isAtRest;
  }

  /** Whether it may be frozen: no bundle that begins and ends by promises is under way, nor a flush. */
  get isAtRest(): boolean {
    return this.#stages.every(({ bundlePhase, work }) => bundlePhase === "closed" && work === 0);
  }

  /** Makes a checkpoint of this instant; what it writes goes into `sink` as `encode` of the result is called. */
  freeze(epoch: Epoch, sink: SnapshotSink): Freezing {
    assert(this.isAtRest, "frozen in the middle of a bundle");
    this.#resting = false;
    const { names } = this.#deps.checkpoints as NonNullable<EngineDeps["checkpoints"]>;
    const job = saveFigures(this.#figures, names);
    return new Freezing(epoch, this.#stages, this.#views.takeChanges(), job, this.#takeFinalizers(), names, sink);
  }

  /** What takes records out of memory. With checkpoints only. */
  get eviction(): Eviction {
    return this.#eviction as Eviction;
  }

  /** What becomes of each step's state when it goes on from a checkpoint. */
  changesSince(snapshot: Snapshot): readonly StepChange[] {
    return stepChanges(this.#stages, snapshot);
  }

  /** Goes on where a checkpoint was made. Before `open`. */
  restore(snapshot: Snapshot): void {
    const { names } = this.#deps.checkpoints as NonNullable<EngineDeps["checkpoints"]>;
    thawStages(this.#stages, snapshot, names);
    for (const { makes } of this.#plans)
      for (const { view } of makes ?? []) thawView(view, this.#views, snapshot, names);
    const [body] = snapshot.chunks("job", "");
    const steps = this.#stages.flatMap(({ stage }) => stage.steps);
    if (body !== undefined)
      restoreFigures(decodeFromBytes(valueCoder, body) as SavedFigures, this.#figures, steps, names);
  }

  get #figures(): Figures {
    return { counts: this.#counts, drops: this.#drops, user: this.#userMetrics };
  }

  /** The stages of sinks, by their steps' names. */
  sinks(): ReadonlyMap<string, StageRunner> {
    return new Map(
      this.#stages.flatMap(({ stage, runner }) => (stage.kind === "sink" ? [[stage.name, runner] as const] : [])),
    );
  }

  /** Tells sources which positions are safe, and calls what waited for the checkpoint. */
  async committed({ readings, finalizers }: Freezing): Promise<void> {
    for (const { state, saved } of readings) await state.reading?.committed?.(saved);
    this.#runFinalizers(finalizers);
  }

  /** Has every sink hand on what it holds: the input is over. */
  async flush(): Promise<void> {
    for (const state of this.#stages) await state.runner.flush();
  }

  /** Whether nothing is under way that a scripted source would have to wait for. */
  #quiescent(): boolean {
    const now = this.#deps.now();
    if (this.#stages.some((state) => state.timers.nextProcessingTime() <= now)) return false;
    return this.#stages.every(
      (state) =>
        state.work === 0 &&
        state.bundlePhase === "closed" &&
        !state.open &&
        state.inbox.length === 0 &&
        (state.calls?.size ?? 0) === 0 &&
        !state.hasDueTimers,
    );
  }

  /** @returns how many timers fired, attempts of calls included */
  #fireProcessingTimers(): number {
    const now = this.#deps.now();
    let fired = 0;
    for (const state of this.#stages) {
      if (this.#plans[state.stage.id]?.asyncBundles) continue;
      if (state.timers.nextProcessingTime() <= now && state.stoppedBy === undefined) {
        const since = this.#deps.stopwatch?.() ?? 0;
        state.begin();
        fired += state.timers.fireProcessingTime(now, state.runner, TIMERS_AT_ONCE);
        state.busyMs += (this.#deps.stopwatch?.() ?? 0) - since;
      }
      if (state.calls !== undefined && state.calls.nextTick() <= now) {
        state.begin();
        if (state.calls.tick(now, state.runner)) fired++;
      }
    }
    return fired;
  }

  /** Ends bundles and moves watermarks, stage by stage. */
  #settle(): void {
    this.#timersLeft = false;
    const { stopwatch } = this.#deps;
    let since = stopwatch?.() ?? 0;
    for (const state of this.#stages) {
      if (this.#plans[state.stage.id]?.asyncBundles) this.#settleAsync(state);
      else this.#settleStage(state);
      if (stopwatch !== undefined) {
        const now = stopwatch();
        state.busyMs += now - since;
        since = now;
      }
      if (state.advanceOutput() && this.#plans[state.stage.id]?.makes !== undefined) this.#views.version++;
    }
    for (const [index, state] of this.#stages.entries()) this.#expireViews(index, state);
  }

  #settleStage(state: StageState): void {
    this.#drainInbox(state);
    state.unpark(this.#views.version);
    this.#callsAndFinish(state);
    state.advanceInput(state.nextInputWatermark());
    let fired = this.#fireDue(state, 0);
    if (this.#draining && state.timers.mustDrain) {
      state.begin();
      state.timers.drain(state.runner);
      this.#callsAndFinish(state);
      fired = this.#fireDue(state, fired);
    }
    if (fired >= TIMERS_A_TURN) this.#timersLeft = true;
  }

  /** Event-time timers, and again for what calls that settled at once have set; calls in flight come back by an event. */
  #fireDue(state: StageState, before: number): number {
    let fired = before;
    while (state.hasDueTimers && fired < TIMERS_A_TURN && state.calls?.room !== 0 && state.stoppedBy === undefined) {
      state.begin();
      fired += this.#fireEventTimers(state);
      this.#callsAndFinish(state);
    }
    return fired;
  }

  #fireEventTimers(state: StageState): number {
    const { calls, timers, runner, inputWatermark } = state;
    if (calls !== undefined) return timers.fireEventTime(inputWatermark, runner, calls.room);
    let fired = 0;
    while (fired < TIMERS_A_TURN && state.stoppedBy === undefined) {
      const count = timers.fireEventTime(inputWatermark, runner, TIMERS_AT_ONCE);
      fired += count;
      if (count < TIMERS_AT_ONCE) break;
    }
    return fired;
  }

  /** A stage whose bundles begin and end by promises: everything it does lies between the two, and its watermark waits. */
  #settleAsync(state: StageState): void {
    const { runner, stage } = state;
    const after = (result: void | Promise<void>, phase: "begun" | "ended"): void => {
      Promise.resolve(result).then(
        () => this.deliver({ kind: "bundle", stage: stage.id, phase }),
        (error: unknown) => this.deliver({ kind: "failed", error }),
      );
    };
    if (state.bundlePhase === "closed") {
      if (this.#resting || state.stoppedBy !== undefined) return;
      state.advanceInput(state.nextInputWatermark());
      const mustDrain = this.#draining && state.timers.mustDrain;
      if (!mustDrain && !state.hasWork(this.#deps.now(), this.#views.version)) return;
      state.bundlePhase = "changing";
      state.bundleSince = this.#deps.now();
      state.bundles++;
      after(runner.startBundle(), "begun");
    } else if (state.bundlePhase === "open") {
      state.open = true;
      for (const { collection, value, timestamp, windows, pane } of state.inbox.splice(0)) {
        runner.entry(collection).emit(value, timestamp, windows, pane);
      }
      state.unpark(this.#views.version);
      this.#fireEventTimers(state);
      state.timers.fireProcessingTime(this.#deps.now(), runner, TIMERS_AT_ONCE);
      if (this.#draining && state.timers.mustDrain) state.timers.drain(runner);
      state.calls?.tick(this.#deps.now(), runner);
      state.calls?.begin(runner);
      if ((state.calls?.size ?? 0) > 0) return;
      state.open = false;
      state.bundlePhase = "changing";
      state.bundleSince = this.#deps.now();
      after(runner.finishBundle(), "ended");
    }
  }

  #callsAndFinish(state: StageState): void {
    if (state.calls !== undefined && state.calls.size > 0) {
      state.begin();
      state.calls.begin(state.runner);
    }
    this.#finish(state);
  }

  #finish(state: StageState): void {
    if (!state.open) return;
    state.open = false;
    void state.runner.finishBundle();
  }

  #drainInbox(state: StageState): void {
    const { inbox } = state;
    const cut = this.#deps.cutBundle;
    while (inbox.length > 0) {
      const bundle = inbox.splice(0, Math.max(1, cut?.() ?? inbox.length));
      state.begin();
      for (const { collection, value, timestamp, windows, pane } of bundle)
        state.runner.entry(collection).emit(value, timestamp, windows, pane);
      this.#finish(state);
    }
  }

  #expireViews(index: number, state: StageState): void {
    const made = this.#plans[index]?.makes;
    if (made === undefined) return;
    for (const { view, retention } of made) {
      let least = state.inputWatermark;
      for (const user of this.#stages)
        if (user.stage.views.includes(view)) least = Math.min(least, user.outputWatermark);
      this.#views.expire(view, least, retention);
    }
  }

  #takeFinalizers(): readonly (() => void | Promise<void>)[] {
    const callbacks = this.#finalizers;
    if (callbacks.length > 0) this.#finalizers = [];
    return callbacks;
  }

  #runFinalizers(callbacks: readonly (() => void | Promise<void>)[]): void {
    for (const callback of callbacks) {
      const result = callback();
      if (result instanceof Promise) result.catch((error: unknown) => this.deliver({ kind: "failed", error }));
    }
  }

  #next(read: number): StepResult["next"] {
    if (read > 0 || this.#timersLeft || this.#events.length > 0) return "now";
    if (this.#isDone()) return "done";
    // What settled at the end of this turn can have made a script's next event due, or timers.
    if (this.#sources.hasScripted && this.#quiescent()) return "now";
    let next = Infinity;
    for (const state of this.#stages) {
      // Where what is below is busy, an event comes when it is not.
      const mayFire = state.stoppedBy === undefined;
      if (mayFire && (state.calls?.size ?? 0) === 0 && state.hasDueTimers) return "now";
      const due = mayFire ? state.timers.nextProcessingTime() : Infinity;
      next = Math.min(next, due, state.calls?.nextTick() ?? Infinity);
      if (state.reading !== undefined) next = Math.min(next, state.reading.nextChange());
    }
    const mayRead = this.#sources.mayRead && this.#eviction?.isOverfull !== true;
    if (mayRead || next <= this.#deps.now()) return "now";
    return next === Infinity ? "event" : next;
  }

  #isDone(): boolean {
    for (const state of this.#stages) {
      if (
        state.outputWatermark < MAX_TIMESTAMP ||
        state.work > 0 ||
        state.bundlePhase !== "closed" ||
        (state.calls?.size ?? 0) > 0 ||
        state.parkedCount > 0
      )
        return false;
    }
    return true;
  }

  /** Makes the output of every sink visible. Called once, after `step` said `done` and `flush`. */
  async complete(): Promise<void> {
    for (const state of this.#stages) await state.runner.complete();
  }

  /** Closes everything that was opened. Throws the first failure after trying all. */
  async close(): Promise<void> {
    this.#closed = true;
    let first: { error: unknown } | undefined;
    const attempt = async (close: () => void | Promise<void>): Promise<void> => {
      try {
        await close();
      } catch (error) {
        first ??= { error };
      }
    };
    for (const closer of this.#sources.closers()) await attempt(closer);
    for (const state of this.#stages) await attempt(() => state.runner.close());
    if (first) throw first.error;
  }

  /** Whether anything was dropped. */
  get hasDropped(): boolean {
    return this.#drops.any;
  }

  /** What was dropped, without the cost of all figures. */
  dropped(): EngineMetrics["dropped"] {
    return this.#drops.all();
  }

  /** Whether a bundle that begins and ends by promises is under way. */
  get hasOpenBundles(): boolean {
    return this.#stages.some(({ bundlePhase }) => bundlePhase !== "closed");
  }

  /** Whether an async call is under way: its result may come at any time. */
  get isCalling(): boolean {
    return this.#stages.some((state) => state.calls?.isCalling === true);
  }

  /** Tells calls in flight that nobody waits for them any more. */
  abandonCalls(reason: unknown): void {
    for (const { calls } of this.#stages) calls?.abandon(reason);
  }

  /** Why what waits has not fired. Changes nothing. */
  explain(query: EngineQuery): Explanation {
    return this.#explainer.explain(query);
  }

  /** The names of sources that have been quiet for so long, or say nothing of event time. */
  quietSources(forMs: number): readonly string[] {
    return this.#sources.quiet(forMs);
  }

  /** Figures for each stage, and what was dropped. */
  metrics(): EngineMetrics {
    return {
      stages: this.#stages.map(stageMetrics),
      elements: this.#counts.all(),
      dropped: this.#drops.all(),
      user: this.#userMetrics.values(),
    };
  }
}

/** Whether a stage may have to wait for something outside the engine before it takes more. */
function canBeBusy({ stage, calls, asyncBundles }: EngineStage): boolean {
  return stage.kind === "sink" || calls !== undefined || asyncBundles === true;
}
