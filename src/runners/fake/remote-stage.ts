/**
 * A stage whose functions run in a worker: what the engine drives, as bundles on a channel.
 * Path: engine -> HERE -> worker-link.ts -> portability/worker-stage.ts -> back -> the stage's outputs.
 *
 * R1 Nothing of the program is called here and no value is decoded: elements, keys and state are bytes.
 * R2 The runner's duties: side-input readiness, timers and their holds, state, and the expiry of windows with all their keys.
 * R3 What a split gave back is sent again in the bundle's place. A bundle with timers is not split.
 */
import { assert } from "../../base/assert.ts";
import { Buffer } from "node:buffer";
import { ByteReader } from "../../coders/byte-reader.ts";
import { ByteWriter } from "../../coders/byte-writer.ts";
import { windowCoder } from "../../coders/windows.ts";
import { type Coder, decodeFromBytes, encodeToBytes } from "../../coders/coder.ts";
import { iterableCoder } from "../../coders/composites.ts";
import { bytesCoder } from "../../coders/primitives.ts";
import { SideWindows } from "../../exec/side-inputs.ts";
import type { CollectionId, PipelineGraph, Step, StepId, ViewId, ViewNode } from "../../graph/graph.ts";
import type { Emitter } from "../../host/emitter.ts";
import type { StageHost } from "../../host/host.ts";
import type { MissingView } from "../../host/pending.ts";
import { unwritten } from "../../exec/record-formats.ts";
import { type KeyedRecord, type MapKey, type RecordStore, type TimerEntry, timersOf } from "../../host/records.ts";
import type { Stage } from "../../host/stage.ts";
import type { CallEffects, StageRunner } from "../../host/stage-runner.ts";
import type { Pane } from "../../model/pane.ts";
import { NO_FIRING } from "../../model/pane.ts";
import type { Timestamp } from "../../model/time.ts";
import type { Window } from "../../model/window.ts";
import { holdOf, readTimers, TimerWriter, wireHold } from "../../portability/bundle-timers.ts";
import {
  type BundleResult,
  type Elements,
  type StateKey,
  type StateOperation,
  WINDOW_EXPIRY,
} from "../../portability/messages.ts";
import { runnerCoder, runnerValueCoder } from "../../portability/wire-coders.ts";
import { expiryTime } from "../../windowing/strategy.ts";
import type { WorkerLink } from "./worker-link.ts";

interface Element {
  readonly collection: CollectionId;
  readonly value: unknown;
  readonly timestamp: Timestamp;
  readonly windows: readonly Window[];
  readonly pane: Pane;
}

/** The state of one key and window: what was appended to each bag. */
interface RemoteRecord extends KeyedRecord {
  readonly bags: Map<string, Uint8Array[]>;
  /** Whether it is kept though nothing is in it. */
  remembered: boolean;
}

const NO_BYTES = new Uint8Array(0);
const KEYS = bytesCoder as Coder<unknown>;

export class RemoteStage implements StageRunner {
  readonly #graph: PipelineGraph;
  readonly #stage: Stage;
  readonly #host: StageHost;
  readonly #link: () => WorkerLink;
  readonly #views: readonly ViewNode[];
  readonly #sides: SideWindows;
  readonly #windows: Coder<Window>;
  readonly #lateness: number;
  readonly #holdsExpiry: boolean;
  readonly #hasState: boolean;
  readonly #records: RecordStore<RemoteRecord> | undefined;
  readonly #isFailed: () => boolean;
  readonly #coders = new Map<CollectionId, ReturnType<typeof runnerCoder>>();
  #elements: Element[] = [];
  #timers: TimerEntry[] = [];
  #expiries: { readonly window: Window; readonly at: Timestamp }[] = [];
  /** Records whose window has gone and that live on in timers, for the bundle at hand. */
  #strays = new Map<string, RemoteRecord>();
  #token = 0;

  constructor(graph: PipelineGraph, stage: Stage, host: StageHost, link: () => WorkerLink, isFailed: () => boolean) {
    this.#graph = graph;
    this.#stage = stage;
    this.#host = host;
    this.#link = link;
    this.#isFailed = isFailed;
    const first = graph.steps[stage.steps[0] as StepId] as Step;
    this.#views = stage.views.map((id) => graph.views[id] as ViewNode);
    this.#sides = new SideWindows(first.name, stage.views, graph);
    const windowing = graph.collections[first.inputs[0] as number]?.windowing;
    assert(windowing !== undefined, `stage ${stage.id} has no input`);
    this.#windows = windowCoder(windowing.windowFn);
    this.#lateness = windowing.allowedLateness;
    const doFn = first.spec.kind === "parDo" ? first.spec.doFn : undefined;
    this.#holdsExpiry = doFn?.onWindowExpiration !== undefined;
    this.#hasState = Object.keys(doFn?.state ?? {}).length > 0;
    this.#records = stage.lane === "state" ? host.records<RemoteRecord>(unwritten()) : undefined;
  }

  async open(): Promise<void> {
    this.#link().onState(this.#stage.id, (key, operation) => this.#answer(key, operation));
    await this.#link().send({ kind: "setUp", stage: this.#stage.id });
  }

  startBundle(): void {}

  entry(collection: CollectionId): Emitter {
    return {
      emit: (value, timestamp, windows, pane) => {
        if (this.#views.length === 0) {
          this.#elements.push({ collection, value, timestamp, windows, pane });
          return;
        }
        for (const window of windows) {
          if (this.#sides.areReady(window, this.#host.sideInputs))
            this.#elements.push({ collection, value, timestamp, windows: [window], pane });
          else this.#host.sideInputs.park(value, timestamp, window, pane);
        }
      },
    };
  }

  missingViews(window: Window): readonly MissingView[] {
    return this.#sides.missing(window, this.#host.sideInputs);
  }

  fireTimer(timer: TimerEntry): void {
    this.#timers.push(timer);
  }

  fireWindow(window: Window, at: Timestamp): void {
    this.#expiries.push({ window, at });
    // Where there is state, timers of the machine's clock would find it gone; else they still fire in their time.
    if (!this.#hasState) return;
    for (const record of this.#records?.find(window)?.records.values() ?? []) {
      for (const { family } of timersOf(record))
        if (!family.startsWith(" ")) this.#host.dropped(this.#stage.steps[0] as StepId, "timer");
      this.#host.timers.clearAll(record);
    }
  }

  async finishBundle(): Promise<void> {
    let elements = this.#elements;
    this.#elements = [];
    const [timers, expiries] = [this.#timers, this.#expiries];
    this.#timers = [];
    this.#expiries = [];
    for (const { owner } of timers) {
      const record = owner as RemoteRecord;
      this.#strays.set(strayId(record.window, record.key as Uint8Array), record);
    }
    const coming = this.#encodeTimers(timers, expiries);
    // Elements may set timers anew that came with them: the two are not torn apart.
    this.#link().allowSplits(this.#stage.id, coming.length === 0);
    while (elements.length > 0 || coming.length > 0) {
      const { id, bundle } = await this.#link().send({
        kind: "processBundle",
        stage: this.#stage.id,
        elements: this.#encode(elements),
        timers: coming,
        inputWatermark: this.#host.inputWatermark(),
        outputWatermark: this.#host.outputWatermark(),
        now: this.#host.now(),
        sideInputToken: this.#token++,
      });
      this.#take(id, bundle as BundleResult);
      const { processed } = bundle as BundleResult;
      if (processed === elements.length) break;
      elements = elements.slice(processed);
    }
    for (const { window } of expiries) this.#records?.drop(window);
    for (const { owner } of timers) this.#release(owner as RemoteRecord);
    this.#strays = new Map();
  }

  #coderOf(collection: CollectionId): ReturnType<typeof runnerCoder> {
    let coder = this.#coders.get(collection);
    if (coder === undefined) this.#coders.set(collection, (coder = runnerCoder(this.#graph, collection)));
    return coder;
  }

  #encode(elements: readonly Element[]): Elements[] {
    const runs: { collection: CollectionId; count: number; out: ByteWriter }[] = [];
    for (const { collection, value, timestamp, windows, pane } of elements) {
      let run = runs.at(-1);
      if (run?.collection !== collection) {
        run = { collection, count: 0, out: new ByteWriter() };
        runs.push(run);
      }
      run.count++;
      this.#coderOf(collection).encodeParts(value, timestamp, windows, pane, run.out);
    }
    return runs.map(({ collection, count, out }) => ({ collection, count, bytes: out.finish() }));
  }

  #encodeTimers(
    timers: readonly TimerEntry[],
    expiries: readonly { readonly window: Window; readonly at: Timestamp }[],
  ): ReturnType<TimerWriter["finish"]> {
    const out = new TimerWriter(KEYS, this.#windows);
    for (const { owner, family, tag, domain, at, holdAt } of timers) {
      const set = { fireTimestamp: at, holdTimestamp: wireHold(holdAt), pane: NO_FIRING };
      out.add(family, domain, { key: owner.key, tag, windows: [owner.window], set });
    }
    for (const { window, at } of this.#holdsExpiry ? expiries : []) {
      for (const { key } of this.#records?.find(window)?.records.values() ?? []) {
        const set = { fireTimestamp: at, holdTimestamp: window.maxTimestamp, pane: NO_FIRING };
        out.add(WINDOW_EXPIRY, "event", { key, tag: "", windows: [window], set });
      }
    }
    return out.finish();
  }

  #take(id: number, { elements, timers, dropped, metrics, counts, requiresFinalization }: BundleResult): void {
    for (const family of timers) {
      for (const { key, tag, windows, set } of readTimers(family, KEYS, this.#windows)) {
        const record = this.#record(windows[0] as Window, key as Uint8Array);
        if (family.family === WINDOW_EXPIRY) record.remembered = true;
        else if (set === undefined) this.#host.timers.clear(record, family.family, tag);
        else {
          const { fireTimestamp, holdTimestamp } = set;
          this.#host.timers.set(record, family.family, tag, family.domain, fireTimestamp, holdOf(holdTimestamp));
        }
        this.#release(record);
      }
    }
    for (const { step, reason } of dropped) this.#host.dropped(step, reason);
    for (const metric of metrics) this.#host.metrics.add(metric, (this.#graph.steps[metric.step] as Step).name);
    for (const [collection, count] of counts) this.#host.counts.of(collection).elements += count;
    if (requiresFinalization)
      this.#host.onBundleFinalized(async () => void (await this.#link().send({ kind: "finalizeBundle", bundle: id })));
    for (const { collection, count, bytes } of elements) {
      const out = this.#host.output(collection);
      const input = new ByteReader(bytes);
      const coder = this.#coderOf(collection);
      for (let i = 0; i < count; i++) coder.decodeParts(input, (...parts) => out.emit(...parts));
    }
  }

  #record(window: Window, key: Uint8Array): RemoteRecord {
    const stray = this.#strays.get(strayId(window, key));
    if (stray !== undefined) return stray;
    const records = this.#records as RecordStore<RemoteRecord>;
    let slot = records.find(window);
    const expiry = expiryTime(window, this.#lateness);
    const mapKey = mapKeyOf(key);
    const fresh: RemoteRecord = { key, mapKey, window, timers: undefined, mark: 0, bags: new Map(), remembered: false };
    if (slot === undefined) {
      // A timer of a window that has gone keeps its record by itself.
      if (this.#host.inputWatermark() > expiry) return fresh;
      this.#host.timers.setExpiryTimer(window, expiry, this.#holdsExpiry ? window.maxTimestamp : undefined);
      slot = records.open(window);
    }
    const found = slot.records.get(mapKey);
    if (found !== undefined) return found;
    slot.records.set(mapKey, fresh);
    return fresh;
  }

  #release(record: RemoteRecord): void {
    if (record.remembered || record.timers !== undefined || record.bags.size > 0) return;
    this.#records?.remove(record);
  }

  #answer(key: StateKey, operation: StateOperation): Uint8Array {
    if (key.kind === "iterableSideInput") return this.#sideInput(key.view, key.window);
    const window = decodeFromBytes(this.#windows, key.window);
    const found = this.#records?.find(window)?.records.get(mapKeyOf(key.key));
    switch (operation.kind) {
      case "get":
        return joined(
          found?.bags.get(key.userState) ?? this.#strays.get(strayId(window, key.key))?.bags.get(key.userState),
        );
      case "clear":
        found?.bags.delete(key.userState);
        if (found !== undefined) this.#release(found);
        return NO_BYTES;
      case "append": {
        const { bags } = found ?? this.#record(window, key.key);
        const bag = bags.get(key.userState);
        if (bag === undefined) bags.set(key.userState, [operation.bytes]);
        else bag.push(operation.bytes);
        return NO_BYTES;
      }
    }
  }

  #sideInput(view: ViewId, window: Uint8Array): Uint8Array {
    const { windowing, step } = this.#graph.views[view] as ViewNode;
    const at = decodeFromBytes(windowCoder(windowing.windowFn), window);
    const contents = this.#host.sideInputs.contents(view, at) ?? [];
    const { inputs } = this.#graph.steps[step] as Step;
    return encodeToBytes(iterableCoder(runnerValueCoder(this.#graph, inputs[0] as CollectionId)), contents);
  }

  invoke(): CallEffects {
    throw new Error("calls are made in the worker");
  }

  settle(): void {
    throw new Error("calls are settled in the worker");
  }

  async flush(): Promise<void> {
    await this.#link().send({ kind: "flush", stage: this.#stage.id });
  }

  async complete(): Promise<void> {
    await this.#link().send({ kind: "complete", stage: this.#stage.id });
  }

  async close(): Promise<void> {
    await this.#link().send({ kind: "tearDown", stage: this.#stage.id, failed: this.#isFailed() });
  }
}

function mapKeyOf(key: Uint8Array): MapKey {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}

function strayId(window: Window, key: Uint8Array): string {
  return `${window.id}\u0000${String(mapKeyOf(key))}`;
}

function joined(parts: readonly Uint8Array[] | undefined): Uint8Array {
  if (parts === undefined) return NO_BYTES;
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}
