/**
 * Builds the running form of a stage: its special step, if any, with the fused chain behind it.
 * This is all that a host sees of user code.
 */
import type { AnyCombine } from "../fn/combine-fn.ts";
import { assert, unreachable } from "../base/assert.ts";
import type { Coder, DeterministicCoder } from "../coders/coder.ts";
import { valueCoderOf } from "../coders/composites.ts";
import { keyCoderFor } from "../coders/key.ts";
import { valueCoder } from "../coders/value.ts";
import type { DoFn } from "../fn/do-fn.ts";
import type { Epoch } from "../fn/sink.ts";
import type { Collection, CollectionId, PipelineGraph, Step, StepId } from "../graph/graph.ts";
import type { Emitter } from "../host/emitter.ts";
import type { Invocation, StageHost } from "../host/host.ts";
import type { MissingView, PendingList, PendingQuery } from "../host/pending.ts";
import type { TimerEntry } from "../host/records.ts";
import type { Stage } from "../host/stage.ts";
import type { CallEffects, StageRunner } from "../host/stage-runner.ts";
import { NO_FIRING } from "../model/pane.ts";
import { MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import { GLOBAL_WINDOW, type Window } from "../model/window.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { CallStep, deadLetter, doFnBody, functionBody } from "./calls.ts";
import { callTimers } from "./call-timers.ts";
import { CombineWithSideInputs } from "./combine-side-inputs.ts";
import { type ContextParts, NEVER_ABORTED, type Outlets } from "./do-fn-context.ts";
import { GeneralLane } from "./general-lane.ts";
import { checkPair, LateOutput, LIST_COMBINE } from "./grouping.ts";
import {
  BufferEmitter,
  type CallContext,
  ContextOperator,
  fanOut,
  FilterOperator,
  FlatMapOperator,
  GuardedOperator,
  MapOperator,
  PartitionOperator,
  type StepInfo,
  TimestampOperator,
  WindowOperator,
  withContext,
} from "./operators.ts";
import { CombinePartOperator, PrecombineOperator } from "./combine-parts.ts";
import { NOTHING_PENDING } from "./pending.ts";
import { CountingEmitter, isCountedByItself } from "./counted.ts";
import { DoFnLifecycle } from "./do-fn-lifecycle.ts";
import { ParDoOperator, StatefulOperator } from "./pardo.ts";
import { stateFormat } from "./state-format.ts";
import { generalLaneFormat, listCoder, sliceLaneFormat, windowLaneFormat } from "./record-formats.ts";
import { StateRecords } from "./state-records.ts";
import { SideInputGate, StepSideInputs } from "./side-inputs.ts";
import { SinkStep } from "./sink-step.ts";
import { ViewStep } from "./view-step.ts";
import { FreezingEmitter } from "./strict.ts";
import { StrictGroupingCombine, strictList } from "./strict-combine.ts";
import { StepTrace, type Trace } from "./stage-trace.ts";
import { SliceLane } from "./slice-lane.ts";
import { triggerToString } from "../windowing/triggers.ts";
import { WindowLane } from "./window-lane.ts";

/** What the operators of a step share. */
function infoOf({ id, name, spec }: Step): StepInfo {
  const { toMapKey, textIsMapKey } = keyCoderFor(keyCoderOfSpec({ spec }));
  return { id, name, toMapKey, textIsMapKey };
}

function keyCoderOfSpec({ spec }: Pick<Step, "spec">): DeterministicCoder<unknown> | undefined {
  return "keyCoder" in spec ? (spec.keyCoder as DeterministicCoder<unknown> | undefined) : undefined;
}

/** A part of the stage that the host drives beside pushing elements. All members optional. */
interface Driven {
  open?(): void | Promise<void>;
  startBundle?(): void | Promise<void>;
  fireWindow?(window: Window, at: Timestamp): void;
  fireTimer?(timer: TimerEntry): void;
  pending?(query: PendingQuery): PendingList;
  finishBundle?(): void | Promise<void>;
  invoke?(invocation: Invocation): CallEffects | Promise<CallEffects>;
  settle?(invocation: Invocation, effects: CallEffects): void;
  flush?(): void | Promise<void>;
  complete?(): void | Promise<void>;
  close?(failed: boolean): void | Promise<void>;
  save?(): unknown;
  restored?(saved: never): void;
}

export interface StageProgramOptions {
  /** Whether what is kept is checked to be encodable, and it and shared elements are frozen. */
  readonly strict: boolean;
  /** Whether the stage's bundles may begin and end by promises. */
  readonly asyncBundles: boolean;
  readonly trace?: Trace | undefined;
}

/** Builds stages of one graph. */
export class StageProgram implements StageRunner {
  readonly #graph: PipelineGraph;
  readonly #stage: Stage;
  readonly #host: StageHost;
  readonly #strict: boolean;
  readonly #asyncBundles: boolean;
  readonly #driven: Driven[] = [];
  /** Steps of this stage by the collection that they read. */
  readonly #consumers = new Map<CollectionId, readonly Emitter[]>();
  /** Where the collections go that steps of this stage make. */
  readonly #emitters = new Map<CollectionId, Emitter>();
  readonly #sideInputs = new Map<StepId, StepSideInputs>();
  readonly #traced = new Map<StepId, StepTrace>();
  #failed = false;

  constructor(graph: PipelineGraph, stage: Stage, host: StageHost, options: StageProgramOptions) {
    this.#graph = graph;
    this.#stage = stage;
    this.#host = options.trace === undefined ? host : this.#traceSteps(options.trace, host);
    this.#strict = options.strict;
    this.#asyncBundles = options.asyncBundles;
    // Last steps first, so that everything that uses a step's outputs exists when the step is built.
    for (const stepId of [...stage.steps].reverse()) {
      const step = graph.steps[stepId] as Step;
      const operator = this.#aroundTraced(step, this.#build(step));
      for (const input of step.inputs) this.#consumers.set(input, [operator, ...(this.#consumers.get(input) ?? [])]);
    }
    this.#driven.reverse();
  }

  /** The host as traced steps see it: what they drop is told. */
  #traceSteps(trace: Trace, host: StageHost): StageHost {
    for (const id of this.#stage.steps)
      if (trace.steps.has(id)) this.#traced.set(id, new StepTrace(this.#graph.steps[id] as Step, trace, host));
    if (this.#traced.size === 0) return host;
    const dropped: StageHost["dropped"] = (id, reason) => {
      host.dropped(id, reason);
      this.#traced.get(id)?.dropped(reason);
    };
    return { ...host, dropped };
  }

  /** Of the step that timers and calls are for, where it is traced. */
  #firstTraced(): StepTrace | undefined {
    return this.#traced.size === 0 ? undefined : this.#traced.get(this.#stage.steps[0] as StepId);
  }

  #aroundTraced(step: Step, operator: Emitter): Emitter {
    const trace = this.#traced.get(step.id);
    if (trace === undefined || step.inputs.length === 0) return operator;
    const keeps = this.#isFirst(step) && this.#stage.lane !== undefined && this.#stage.lane !== "state";
    return trace.around(operator, keeps ? infoOf(step).toMapKey : undefined);
  }

  /** Where the elements of a collection go: steps of this stage, and other stages. */
  #emitterOf(collection: CollectionId | undefined): Emitter {
    if (collection === undefined) return fanOut([]);
    let emitter = this.#emitters.get(collection);
    if (emitter === undefined) {
      const targets = [...(this.#consumers.get(collection) ?? [])];
      if (this.#stage.outputs.includes(collection)) targets.push(this.#host.output(collection));
      emitter = this.#shared(fanOut(targets), this.#usersOf(collection));
      const { producer, tag } = this.#graph.collections[collection] as Collection;
      const step = this.#graph.steps[producer] as Step;
      if (!(tag === "main" && isCountedByItself(step)) || this.#makesCalls(step))
        emitter = new CountingEmitter(this.#host.counts.of(collection), emitter);
      emitter = this.#traced.get(producer)?.outlet(tag, emitter) ?? emitter;
      this.#emitters.set(collection, emitter);
    }
    return emitter;
  }

  entry(collection: CollectionId): Emitter {
    // A source's own output enters here too: the host pushes what it reads.
    if (this.#isOwn(collection)) return this.#emitterOf(collection);
    const targets = this.#consumers.get(collection) ?? [];
    return this.#shared(fanOut(targets), targets.length);
  }

  /** In all stages. */
  #usersOf(collection: CollectionId): number {
    return this.#graph.steps.flatMap(({ inputs }) => inputs).filter((input) => input === collection).length;
  }

  /** What several users see is changed by none of them. */
  #shared(emitter: Emitter, users: number): Emitter {
    return this.#strict && users > 1 ? new FreezingEmitter(emitter, users) : emitter;
  }

  #isOwn(collection: CollectionId): boolean {
    return this.#stage.steps.includes(this.#graph.collections[collection]?.producer as number);
  }

  /** Only a stage's first step may be special; the steps fused behind it are plain. */
  #isFirst(step: Step): boolean {
    return step.id === this.#stage.steps[0];
  }

  #makesCalls(step: Step): boolean {
    return this.#stage.kind === "calls" && this.#isFirst(step);
  }

  #inputOf(step: Step): Collection {
    return this.#graph.collections[step.inputs[0] as number] as Collection;
  }

  #windowingOf(step: Step): WindowingStrategy {
    return this.#inputOf(step).windowing;
  }

  /** How a step gathers values. @param coder that of the values, where one is given */
  #listOf(step: Step, coder: Coder<unknown> | undefined): AnyCombine {
    return this.#strict ? strictList(step.name, coder) : LIST_COMBINE;
  }

  /** How a step combines. */
  #combineOf(step: Step, combineFn: AnyCombine): AnyCombine {
    const sideInputs = this.#sideInputsOf(step);
    const combine = sideInputs.size === 0 ? combineFn : new CombineWithSideInputs(combineFn, sideInputs);
    return this.#strict ? new StrictGroupingCombine(combine, step.name) : combine;
  }

  #build(step: Step): Emitter {
    const { spec } = step;
    const info = infoOf(step);
    const main = (): Emitter => this.#emitterOf(step.outputs["main"]);
    switch (spec.kind) {
      case "impulse":
      case "read":
      case "testStream":
      case "flatten":
      case "reshuffle":
        return main();
      case "map":
      case "flatMap":
      case "filter":
        return this.#gated(step, this.#buildFunction(step, spec));
      case "parDo":
        return this.#gated(step, this.#buildParDo(step, spec.doFn));
      case "partition": {
        const parts = Array.from({ length: spec.parts }, (_, i) => this.#emitterOf(step.outputs[String(i)]));
        return new PartitionOperator(info, spec.fn, parts);
      }
      case "timestamps":
        return new TimestampOperator(info, spec.fn, spec.allowedTimestampSkew, main());
      case "windowInto": {
        if (spec.keepsWindows) return main();
        const windowing = this.#graph.collections[step.outputs["main"] as number]?.windowing as WindowingStrategy;
        const out = this.#strict ? new FreezingEmitter(main(), 1) : main();
        return new WindowOperator(info, windowing.windowFn, out, () => this.#host.dropped(step.id, "gap"));
      }
      case "groupByKey":
        return this.#buildGrouping(step, this.#listOf(step, valueCoderOf(this.#inputOf(step).coder)));
      case "combinePerKey":
        return this.#gated(step, this.#buildGrouping(step, this.#combineOf(step, spec.combineFn)));
      case "combinePart":
        return this.#buildCombinePart(step, spec, info, main());
      case "view": {
        const list = this.#listOf(step, this.#inputOf(step).coder);
        const windowing = this.#windowingOf(step);
        const coders = {
          key: undefined,
          accumulator: listCoder(this.#inputOf(step).coder),
          windowFn: windowing.windowFn,
        };
        const format = generalLaneFormat(coders, triggerToString(windowing.trigger));
        const view = new ViewStep(info, spec.viewId, list, windowing, this.#host, format);
        this.#driven.push(view.lane);
        return view;
      }
      case "write": {
        const sink = new SinkStep(info, spec.sink, this.#host);
        this.#driven.push(sink);
        return sink;
      }
      default:
        return unreachable(spec);
    }
  }

  #sideInputsOf(step: Step): StepSideInputs {
    let found = this.#sideInputs.get(step.id);
    if (found === undefined) {
      found = new StepSideInputs(step, this.#graph, this.#host);
      this.#sideInputs.set(step.id, found);
    }
    return found;
  }

  #gated(step: Step, operator: Emitter): Emitter {
    const sideInputs = this.#sideInputsOf(step);
    if (sideInputs.size === 0) return operator;
    const judgesLateness = this.#isFirst(step) && this.#stage.lane !== undefined;
    return new SideInputGate(sideInputs, step.id, this.#host, operator, judgesLateness);
  }

  #buildFunction(step: Step, spec: Extract<Step["spec"], { kind: "map" | "flatMap" | "filter" }>): Emitter {
    const info = infoOf(step);
    const fn = spec.fn as unknown as (element: unknown, context: CallContext) => unknown;
    const sideInputs = this.#sideInputsOf(step);
    const metrics = this.#host.metrics.of(step.id, step.name);
    const late = new LateOutput(info, this.#host, undefined);
    // A function with one parameter cannot look at its window, so an element in several is handed over once.
    const looks = fn.length !== 1 || sideInputs.size > 0;
    if (this.#makesCalls(step)) {
      const outlets = this.#outlets(step);
      const body = functionBody(spec.kind, info, fn, { sideInputs, metrics }, looks);
      const calls = new CallStep(info, this.#host, outlets, late, body, undefined);
      this.#driven.push(calls);
      return calls;
    }
    const out = this.#emitterOf(step.outputs["main"]);
    const failures = step.outputs["deadLetter"];
    const buffer = failures === undefined ? undefined : new BufferEmitter();
    const context: CallContext = {
      timestamp: MIN_TIMESTAMP,
      window: GLOBAL_WINDOW,
      pane: NO_FIRING,
      signal: NEVER_ABORTED,
      sideInputs: sideInputs.values,
      metrics,
    };
    const plain = looks ? withContext(fn, context) : (fn as (element: unknown) => unknown);
    const target = buffer ?? out;
    let operator: Emitter;
    if (spec.kind === "map") operator = new MapOperator(info, plain, target);
    else {
      const Operator = spec.kind === "filter" ? FilterOperator : FlatMapOperator;
      operator = new Operator(info, plain, target, this.#host.counts.of(step.outputs["main"] as CollectionId));
    }
    if (looks) operator = new ContextOperator(context, operator);
    if (buffer === undefined) return operator;
    const aside = this.#emitterOf(failures);
    return new GuardedOperator(operator, buffer, out, (error, value, timestamp, windows, pane) => {
      aside.emit(deadLetter(value, error, step.name, 1), timestamp, windows, pane);
    });
  }

  #outlets(step: Step): Outlets {
    const outlets: Record<string, Emitter> = { main: this.#emitterOf(step.outputs["main"]) };
    for (const [tag, collection] of Object.entries(step.outputs)) outlets[tag] = this.#emitterOf(collection);
    if (step.spec.kind === "parDo") {
      // A declared output that nobody uses takes its elements and forgets them.
      for (const tag of Object.keys(step.spec.doFn.outputs ?? {})) outlets[tag] ??= fanOut([]);
    }
    return outlets;
  }

  #buildParDo(step: Step, doFn: DoFn<unknown, unknown>): Emitter {
    const info = infoOf(step);
    const outlets = this.#outlets(step);
    const parts: ContextParts = {
      step: info,
      doFn,
      host: this.#host,
      outlets,
      sideInputs: this.#sideInputsOf(step),
      allowedLateness: this.#windowingOf(step).allowedLateness,
    };
    const lifecycle = new DoFnLifecycle(parts, this.#asyncBundles && this.#isFirst(step));
    this.#driven.push(lifecycle);
    const late = new LateOutput(info, this.#host, outlets["late"]);
    if (this.#makesCalls(step)) {
      const records = this.#stage.lane === "state" ? this.#stateRecords(step, parts) : undefined;
      const tags = Object.keys(outlets);
      const calls = new CallStep(
        info,
        this.#host,
        outlets,
        late,
        doFnBody(parts, tags, records, this.#strict),
        records,
      );
      this.#driven.push(calls);
      if (records) this.#driven.push(callTimers(records, doFn, this.#host, step.id));
      return calls;
    }
    if (!this.#isFirst(step) || this.#stage.lane !== "state") return new ParDoOperator(parts);
    const operator = new StatefulOperator(parts, late, this.#strict, this.#stateRecords(step, parts));
    this.#driven.push(operator);
    return operator;
  }

  #stateRecords(step: Step, parts: ContextParts): StateRecords {
    const { windowFn } = this.#windowingOf(step);
    return new StateRecords(parts, stateFormat(parts.doFn.state ?? {}, keyCoderOfSpec(step), windowFn));
  }

  #buildCombinePart(
    step: Step,
    { part, combineFn }: Extract<Step["spec"], { kind: "combinePart" }>,
    info: StepInfo,
    out: Emitter,
  ): Emitter {
    const combine = this.#combineOf(step, combineFn);
    if (part !== "precombine") return this.#gated(step, new CombinePartOperator(info, part, combine, out));
    const precombine = new PrecombineOperator(info, combine, this.#windowingOf(step).timestampCombiner, out);
    this.#driven.push(precombine);
    return precombine;
  }

  #buildGrouping(step: Step, combine: AnyCombine): Emitter {
    const info = infoOf(step);
    const out = this.#emitterOf(step.outputs["main"]);
    const lateOutput = step.outputs["late"];
    const late = new LateOutput(info, this.#host, lateOutput === undefined ? undefined : this.#emitterOf(lateOutput));
    const windowing = this.#windowingOf(step);
    const coders = {
      key: keyCoderOfSpec(step),
      accumulator: this.#accumulatorCoder(step),
      windowFn: windowing.windowFn,
    };
    if (this.#stage.lane === "window") {
      const lane = new WindowLane(info, combine, windowing, this.#host, out, late, windowLaneFormat(coders));
      this.#driven.push(lane);
      return lane;
    }
    if (this.#stage.lane === "slice") {
      const lane = new SliceLane(info, combine, windowing, this.#host, out, late, sliceLaneFormat(coders));
      this.#driven.push(lane);
      return lane;
    }
    const lane = new GeneralLane(
      info,
      combine,
      windowing,
      this.#host,
      (key, value, timestamp, windows, pane) => out.emit([key, value], timestamp, windows, pane),
      late,
      generalLaneFormat(coders, triggerToString(windowing.trigger)),
    );
    this.#driven.push(lane);
    return {
      emit(element, timestamp, windows): void {
        checkPair(info, element);
        lane.add(element[0], element[1], element, timestamp, windows);
      },
    };
  }

  #accumulatorCoder(step: Step): Coder<unknown> {
    if (step.spec.kind === "combinePerKey") return step.spec.combineFn.accumulatorCoder ?? valueCoder;
    return listCoder(valueCoderOf(this.#inputOf(step).coder));
  }

  async open(): Promise<void> {
    for (const part of this.#driven) await part.open?.();
  }

  startBundle(): void | Promise<void> {
    return this.#each((part) => part.startBundle?.());
  }

  finishBundle(): void | Promise<void> {
    const finished = this.#each((part) => part.finishBundle?.());
    if (this.#traced.size === 0) return finished;
    const tell = (): void => {
      for (const trace of this.#traced.values()) trace.bundleFinished((query) => this.pending(query));
    };
    return finished instanceof Promise ? finished.then(tell) : tell();
  }

  /** In order; turns into a promise at the first part that gives one. */
  #each(call: (part: Driven) => void | Promise<void>): void | Promise<void> {
    const parts = this.#driven;
    for (let i = 0; i < parts.length; i++) {
      const result = call(parts[i] as Driven);
      if (result instanceof Promise) return this.#rest(call, i + 1, result);
    }
  }

  async #rest(call: (part: Driven) => void | Promise<void>, from: number, first: Promise<void>): Promise<void> {
    await first;
    for (const part of this.#driven.slice(from)) await call(part);
  }

  fireWindow(window: Window, at: Timestamp): void {
    this.#firstTraced()?.windowDue(window, at);
    for (const part of this.#driven) part.fireWindow?.(window, at);
  }

  fireTimer(timer: TimerEntry): void {
    const trace = this.#firstTraced();
    trace?.timerDue(timer);
    for (const part of this.#driven) part.fireTimer?.(timer);
    trace?.rest();
  }

  invoke(invocation: Invocation): CallEffects | Promise<CallEffects> {
    const part = this.#driven.find((candidate) => candidate.invoke !== undefined) as Required<Pick<Driven, "invoke">>;
    return part.invoke(invocation);
  }

  settle(invocation: Invocation, effects: CallEffects): void {
    const trace = this.#firstTraced();
    trace?.settling(invocation.timer?.record.key ?? invocation.value);
    for (const part of this.#driven) part.settle?.(invocation, effects);
    trace?.rest();
  }

  pending(query: PendingQuery): PendingList {
    // Only the first step of a stage keeps anything.
    for (const part of this.#driven) if (part.pending !== undefined) return part.pending(query);
    return NOTHING_PENDING;
  }

  save(): unknown {
    for (const part of this.#driven) if (part.save !== undefined) return part.save();
    return undefined;
  }

  restored(saved: unknown): void {
    for (const part of this.#driven) part.restored?.(saved as never);
  }

  seal(epoch: Epoch): Uint8Array[] {
    return this.#sink.seal(epoch);
  }

  commit(epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void> {
    return this.#sink.commit(epoch, chunks);
  }

  lastCommitted(): Promise<Epoch> {
    return this.#sink.lastCommitted();
  }

  get #sink(): SinkStep {
    const sink = this.#driven.find((part) => part instanceof SinkStep);
    assert(sink !== undefined, `stage ${this.#stage.name} has no sink`);
    return sink;
  }

  missingViews(window: Window): readonly MissingView[] {
    return [...this.#sideInputs.values()].flatMap(({ windows }) => windows.missing(window, this.#host.sideInputs));
  }

  async flush(): Promise<void> {
    for (const part of this.#driven) await part.flush?.();
  }

  async complete(): Promise<void> {
    for (const part of this.#driven) await part.complete?.();
  }

  /** Says that the job failed or was cancelled, so that sinks take back what is not visible. */
  markFailed(): void {
    this.#failed = true;
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of this.#driven) {
      try {
        await part.close?.(this.#failed);
      } catch (error) {
        failures.push(error);
      }
    }
    // oxlint-disable-next-line typescript/only-throw-error -- what user code threw, unchanged
    if (failures.length > 0) throw failures[0];
  }
}
