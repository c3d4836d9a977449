/**
 * One stage on the worker: exec's StageProgram, hosted bundle by bundle.
 * Path: a `processBundle` instruction -> HERE -> exec/stage-program.ts -> its elements and timers as bytes.
 *
 * S1 Elements are decoded and their state is asked for before the first of them is processed; from then on user code runs
 *    without waiting, but for keys that were not fetched.
 * S2 A bundle ends when its calls have settled, its sinks have flushed, and the runner has acknowledged its state.
 * S3 Late data, side-input readiness and expiry are the runner's; watermarks come with the bundle.
 */
import { assert } from "../base/assert.ts";
import { ByteReader } from "../coders/byte-reader.ts";
import { ByteWriter } from "../coders/byte-writer.ts";
import { windowCoder } from "../coders/windows.ts";
import { type Coder, decodeFromBytes, type DeterministicCoder, encodeToBytes } from "../coders/coder.ts";
import { iterableCoder } from "../coders/composites.ts";
import { keyCoderFor } from "../coders/key.ts";
import type { WindowedValueCoder } from "../coders/windowed-value.ts";
import { CallQueue } from "../engine/calls.ts";
import { Holds } from "../engine/holds.ts";
import { stepFailure } from "../exec/errors.ts";
import { StageProgram } from "../exec/stage-program.ts";
import { unwritten } from "../exec/record-formats.ts";
import type { StateRecord } from "../exec/state-record.ts";
import type { DoFn } from "../fn/do-fn.ts";
import type { CollectionId, PipelineGraph, Step, StepId, ViewId, ViewNode } from "../graph/graph.ts";
import type { Emitter } from "../host/emitter.ts";
import type { CallHost, DropReason, StageHost } from "../host/host.ts";
import { type KeyedRecord, RecordStore } from "../host/records.ts";
import type { Stage } from "../host/stage.ts";
import { MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import { callPolicy } from "../optimize/call-policy.ts";
import { hasAsyncBundles, makesCalls } from "../optimize/stages.ts";
import { expiryTime } from "../windowing/strategy.ts";
import { ElementCounts } from "../host/element-counts.ts";
import { UserMetrics } from "../host/user-metrics.ts";
import type { Pane } from "../model/pane.ts";
import { BundleProgress } from "./bundle-progress.ts";
import { BundleTimers, holdOf, readTimers, rememberKey, timerKeyCoder, TimerWriter } from "./bundle-timers.ts";
import { type KeyAt, KeyedState } from "./keyed-state.ts";
import { type BundleResult, type Elements, type Instruction, type Timers, WINDOW_EXPIRY } from "./messages.ts";
import type { StateChannel } from "./state-channel.ts";
import { keyCoderOfStep, wireKey, workerCoder, workerValueCoder } from "./wire-coders.ts";

type ProcessBundle = Extract<Instruction, { kind: "processBundle" }>;
type Finalizer = () => void | Promise<void>;

/** What the stages of a worker share. */
export interface WorkerParts {
  readonly graph: PipelineGraph;
  readonly options: unknown;
  readonly strict: boolean;
  readonly prefetchKeys: number;
  readonly state: StateChannel;
  readonly progress: SharedArrayBuffer;
  /** Milliseconds of the machine's clock, for time-outs and retries. */
  readonly clock: { now(): number; schedule(atMs: number, callback: () => void): () => void };
}

/** The timers of one family that came with a bundle. */
interface DecodedTimers extends Pick<Timers, "family" | "domain"> {
  readonly timers: ReturnType<typeof readTimers>;
}

interface Decoded {
  readonly collection: CollectionId;
  readonly value: unknown;
  readonly timestamp: Timestamp;
  readonly windows: readonly Window[];
  readonly pane: Pane;
}

/** Writes what leaves the stage. */
class OutputWriter implements Emitter {
  readonly #coder: WindowedValueCoder<unknown>;
  readonly #step: string;
  #out = new ByteWriter();
  count = 0;

  constructor(coder: WindowedValueCoder<unknown>, step: string) {
    this.#coder = coder;
    this.#step = step;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    try {
      this.#coder.encodeParts(value, timestamp, windows, pane, this.#out);
    } catch (error) {
      throw stepFailure(error, { step: this.#step, element: value, windows });
    }
    this.count++;
  }

  take(): Uint8Array {
    const bytes = this.#out.finish();
    this.#out = new ByteWriter();
    this.count = 0;
    return bytes;
  }
}

export class WorkerStage {
  readonly #parts: WorkerParts;
  readonly #stage: Stage;
  readonly #program: StageProgram;
  readonly #records = new RecordStore<KeyedRecord>(unwritten());
  readonly #outputs = new Map<CollectionId, OutputWriter>();
  readonly #inputs = new Map<CollectionId, WindowedValueCoder<unknown>>();
  readonly #timers: BundleTimers;
  readonly #state: KeyedState | undefined;
  readonly #calls: CallQueue | undefined;
  readonly #keys: Coder<unknown>;
  readonly #windows: Coder<Window>;
  readonly #lateness: number;
  readonly #doFn: DoFn<unknown, unknown> | undefined;
  readonly #progress: BundleProgress;
  readonly #toMapKey: (key: unknown) => KeyedRecord["mapKey"];
  #views = new Map<string, readonly unknown[]>();
  #viewsToken = -1;
  readonly #metrics = new UserMetrics();
  readonly #counts = new ElementCounts();
  #dropped: { step: StepId; reason: DropReason }[] = [];
  #finalizers: Finalizer[] = [];
  #work: Promise<void>[] = [];
  #time = { inputWatermark: MIN_TIMESTAMP, outputWatermark: MIN_TIMESTAMP, now: 0 };
  /** Wakes whoever waits for calls. */
  #wake: (() => void) | undefined;
  #results: (() => void)[] = [];

  constructor(parts: WorkerParts, stage: Stage) {
    this.#parts = parts;
    this.#stage = stage;
    this.#progress = new BundleProgress(parts.progress, stage.id);
    const first = parts.graph.steps[stage.steps[0] as StepId] as Step;
    const windowing = parts.graph.collections[first.inputs[0] as number]?.windowing;
    assert(windowing !== undefined, `stage ${stage.id} has no input`);
    this.#windows = windowCoder(windowing.windowFn);
    this.#keys = keyCoderOfStep(first);
    const given =
      "keyCoder" in first.spec ? (first.spec.keyCoder as DeterministicCoder<unknown> | undefined) : undefined;
    this.#toMapKey = keyCoderFor(given).toMapKey;
    this.#lateness = windowing.allowedLateness;
    this.#doFn = first.spec.kind === "parDo" ? first.spec.doFn : undefined;
    const specs = this.#doFn?.state ?? {};
    if (stage.lane === "state") this.#state = new KeyedState(stage.id, parts.state, specs, this.#keys, this.#windows);
    this.#calls = stage.kind === "calls" && makesCalls(first) ? this.#makeCalls(first) : undefined;
    const timers = this.#doFn?.timers ?? {};
    this.#timers = new BundleTimers(
      (family) => timers[family]?.domain ?? "processing",
      this.#calls && ((window) => this.#calls?.isBusy(window) === true),
    );
    const { strict } = parts;
    this.#program = new StageProgram(parts.graph, stage, this.#host(), {
      strict,
      asyncBundles: hasAsyncBundles(first),
    });
  }

  #makeCalls(step: Step): CallQueue {
    const pending = new Holds();
    return new CallQueue(
      callPolicy(step),
      {
        now: () => this.#parts.clock.now(),
        inputWatermark: () => this.#time.inputWatermark,
        deliverResult: (callId, attempt, effects) => {
          this.#results.push(() => this.#calls?.result(callId, attempt, effects, this.#program));
          this.#wake?.();
        },
        // The bundle's elements are here already, and no more come before its end.
        setFull: () => {},
        takeTimer: (timer) => this.#timers.take(timer),
        step: step.name,
      },
      pending,
      pending,
    );
  }

  #host(): StageHost {
    return {
      output: (collection) => this.#output(collection),
      timers: this.#timers,
      sideInputs: {
        ready: () => true,
        contents: (view, window) => this.#contents(view, window),
        put: () => assert(false, "the runner gathers side inputs"),
        park: () => assert(false, "the runner keeps elements back"),
      },
      // A stage without calls never asks for them.
      calls: this.#calls as CallHost,
      records: <R extends KeyedRecord>() => this.#records as unknown as RecordStore<R>,
      state: this.#state,
      dropped: (step, reason) => this.#dropped.push({ step, reason }),
      onBundleFinalized: (callback) => this.#finalizers.push(callback),
      setFull: () => {},
      trackWork: (work, done) => this.#work.push(work.then(done)),
      options: this.#parts.options,
      counts: this.#counts,
      metrics: this.#metrics,
      inputWatermark: () => this.#time.inputWatermark,
      outputWatermark: () => this.#time.outputWatermark,
      now: () => this.#time.now,
    };
  }

  #output(collection: CollectionId): Emitter {
    let writer = this.#outputs.get(collection);
    if (writer === undefined) {
      const { graph } = this.#parts;
      const producer = graph.collections[collection]?.producer as StepId;
      writer = new OutputWriter(workerCoder(graph, collection), (graph.steps[producer] as Step).name);
      this.#outputs.set(collection, writer);
    }
    return writer;
  }

  /** Asked for once under each token. */
  #contents(view: ViewId, window: Window): readonly unknown[] {
    const id = `${view} ${window.id}`;
    let found = this.#views.get(id);
    if (found === undefined) {
      const { graph, state } = this.#parts;
      const { step: maker, windowing } = graph.views[view] as ViewNode;
      const step = graph.steps[maker] as Step;
      const coder = workerValueCoder(graph, step.inputs[0] as CollectionId);
      const bytes = encodeToBytes(windowCoder(windowing.windowFn), window);
      const key = { kind: "iterableSideInput", stage: this.#stage.id, view, window: bytes } as const;
      const [contents] = state.askNow([{ key, operation: { kind: "get" } }]);
      found = [...decodeFromBytes(iterableCoder(coder), contents as Uint8Array)];
      this.#views.set(id, found);
    }
    return found;
  }

  async setUp(): Promise<void> {
    await this.#program.open();
  }

  async flush(): Promise<void> {
    await this.#program.flush();
  }

  async complete(): Promise<void> {
    await this.#program.complete();
  }

  async tearDown(failed: boolean): Promise<void> {
    if (failed) this.#program.markFailed();
    this.#calls?.abandon(new Error("the job has ended"));
    await this.#program.close();
  }

  /** The callbacks of the bundle that has just been processed. */
  takeFinalizers(): readonly Finalizer[] {
    const finalizers = this.#finalizers;
    this.#finalizers = [];
    return finalizers;
  }

  async process(bundle: ProcessBundle): Promise<BundleResult> {
    const { inputWatermark, outputWatermark, now } = bundle;
    this.#time = { inputWatermark, outputWatermark, now };
    if (bundle.sideInputToken !== this.#viewsToken) this.#views = new Map();
    this.#viewsToken = bundle.sideInputToken;
    const elements = this.#decode(bundle.elements);
    const timers = bundle.timers.map((family): DecodedTimers => ({ ...family, timers: this.#read(family) }));
    await this.#prefetch(elements, timers);
    this.#timers.begin();
    const dueBy = this.#takeTimers(timers);
    await this.#program.startBundle();
    this.#progress.begin(elements.length);
    const processed = this.#processElements(elements);
    await this.#settleCalls();
    assert(processed === elements.length || timers.length === 0, "a bundle with timers is not split");
    const gone = new Set<string>();
    await this.#fireTimers(timers, dueBy, gone);
    await this.#program.finishBundle();
    await Promise.all(this.#work.splice(0));
    return this.#result(processed, (window) => gone.has(window.id));
  }

  #decode(all: readonly Elements[]): Decoded[] {
    const decoded: Decoded[] = [];
    for (const { collection, count, bytes } of all) {
      const coder = this.#inputCoder(collection);
      const input = new ByteReader(bytes);
      for (let i = 0; i < count; i++)
        coder.decodeParts(input, (value, timestamp, windows, pane) =>
          decoded.push({ collection, value, timestamp, windows, pane }),
        );
    }
    return decoded;
  }

  #inputCoder(collection: CollectionId): WindowedValueCoder<unknown> {
    let coder = this.#inputs.get(collection);
    if (coder === undefined) this.#inputs.set(collection, (coder = workerCoder(this.#parts.graph, collection)));
    return coder;
  }

  async #prefetch(elements: readonly Decoded[], families: readonly DecodedTimers[]): Promise<void> {
    const state = this.#state;
    if (state === undefined) return;
    const keys: KeyAt[] = [];
    const most = this.#parts.prefetchKeys;
    for (const { timers } of families)
      for (const { key, windows } of timers)
        if (keys.length < most) keys.push({ key: wireKey(this.#keys, key), window: windows[0] as Window });
    for (const { value, windows } of elements) {
      // What is no pair is the step's to refuse.
      if (keys.length >= most || !Array.isArray(value)) break;
      const key = wireKey(this.#keys, value[0]);
      for (const window of windows) keys.push({ key, window });
    }
    await state.prefetch(keys);
  }

  #read(family: Timers): ReturnType<typeof readTimers> {
    return readTimers(family, timerKeyCoder(this.#keys), this.#windows);
  }

  /** @returns until when processing-time timers are to be fired: the runner may fire some before their time, in a drain */
  #takeTimers(families: readonly DecodedTimers[]): number {
    let dueBy = this.#time.now;
    for (const { family, domain, timers } of families) {
      if (family === WINDOW_EXPIRY) continue;
      for (const { key, tag, windows, set } of timers) {
        assert(set !== undefined, "a timer that fires is set");
        const record = this.#recordOf(key, windows[0] as Window);
        const { fireTimestamp: at, holdTimestamp } = set;
        this.#timers.came(record, family, tag, domain, at, holdOf(holdTimestamp));
        if (domain === "processing") dueBy = Math.max(dueBy, at);
      }
    }
    return dueBy;
  }

  /** The record of a timer's key: filed where its window takes elements, so that they find the same. */
  #recordOf(key: unknown, window: Window): StateRecord {
    const state = this.#state as KeyedState;
    const mapKey = this.#toMapKey(key);
    const filed = this.#isOpen(window) ? this.#records.open(window).records : undefined;
    const found = (filed?.get(mapKey) as StateRecord | undefined) ?? state.find(window, wireKey(this.#keys, key));
    if (found !== undefined) return found;
    const record = state.record(key, mapKey, window);
    filed?.set(mapKey, record);
    return record;
  }

  #isOpen(window: Window): boolean {
    return this.#time.inputWatermark <= expiryTime(window, this.#lateness);
  }

  #processElements(elements: readonly Decoded[]): number {
    const entries = new Map<CollectionId, Emitter>();
    let processed = 0;
    for (const { collection, value, timestamp, windows, pane } of elements) {
      if (!this.#progress.claim()) break;
      let entry = entries.get(collection);
      if (entry === undefined) entries.set(collection, (entry = this.#program.entry(collection)));
      entry.emit(value, timestamp, windows, pane);
      processed++;
    }
    return processed;
  }

  async #fireTimers(families: readonly DecodedTimers[], dueBy: number, gone: Set<string>): Promise<void> {
    const { inputWatermark } = this.#time;
    while (this.#timers.isDue(inputWatermark)) {
      this.#timers.fireEventTime(inputWatermark, this.#program);
      await this.#settleCalls();
    }
    await this.#expireWindows(families, gone);
    this.#timers.fireProcessingTime(dueBy, this.#program);
    await this.#settleCalls();
  }

  async #expireWindows(families: readonly DecodedTimers[], gone: Set<string>): Promise<void> {
    const windows = new Map<string, { window: Window; at: Timestamp }>();
    for (const { family, timers } of families) {
      if (family !== WINDOW_EXPIRY) continue;
      for (const {
        key,
        windows: [window],
        set,
      } of timers) {
        const at = window as Window;
        const { records } = this.#records.open(at);
        const mapKey = this.#toMapKey(key);
        if (!records.has(mapKey)) records.set(mapKey, this.#recordOf(key, at));
        windows.set(at.id, { window: at, at: (set as { fireTimestamp: Timestamp }).fireTimestamp });
      }
    }
    for (const { window, at } of windows.values()) {
      gone.add(window.id);
      this.#program.fireWindow(window, at);
      await this.#settleCalls();
    }
  }

  /** Until every call has settled. */
  async #settleCalls(): Promise<void> {
    const calls = this.#calls;
    if (calls === undefined) return;
    calls.begin(this.#program);
    while (calls.size > 0) {
      await this.#nextResult(calls.nextTick());
      for (const take of this.#results.splice(0)) take();
      calls.tick(this.#parts.clock.now(), this.#program);
      calls.begin(this.#program);
    }
  }

  #nextResult(atMs: number): Promise<void> {
    if (this.#results.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = atMs === Infinity ? undefined : this.#parts.clock.schedule(atMs, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = undefined;
        cancel?.();
        resolve();
      };
    });
  }

  async #result(processed: number, isGone: (window: Window) => boolean): Promise<BundleResult> {
    const timers = new TimerWriter(timerKeyCoder(this.#keys), this.#windows);
    this.#timers.writeTo(timers, isGone);
    if (this.#doFn?.onWindowExpiration !== undefined)
      for (const { record } of this.#state?.touched() ?? [])
        if (!isGone(record.window) && this.#isOpen(record.window)) rememberKey(timers, record);
    await this.#state?.commit(isGone);
    for (const { window } of this.#records.values()) this.#records.drop(window);
    const elements: Elements[] = [];
    for (const [collection, writer] of this.#outputs) {
      const { count } = writer;
      if (count > 0) elements.push({ collection, count, bytes: writer.take() });
    }
    const dropped = this.#dropped;
    this.#dropped = [];
    const requiresFinalization = this.#finalizers.length > 0;
    const metrics = this.#metrics.drain();
    const counts = this.#counts.drain();
    return { elements, timers: timers.finish(), processed, dropped, requiresFinalization, metrics, counts };
  }
}
