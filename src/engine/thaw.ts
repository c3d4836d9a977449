/** Puts an engine that has not run yet where a checkpoint says. */
import { ByteReader, corrupt } from "../coders/byte-reader.ts";
import { decodeFromBytes } from "../coders/coder.ts";
import { valueCoder } from "../coders/value.ts";
import { paneCoder } from "../coders/windows.ts";
import type { CollectionId, ViewId } from "../graph/graph.ts";
import type { KeyedRecord, RecordStore } from "../host/records.ts";
import type { Snapshot } from "../host/snapshot.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import { type GraphNames, type StageFacts, WAITS, windowsOf } from "./freezing.ts";
import { file, readRecord } from "./record-chunks.ts";
import { thawChanges } from "./thaw-changes.ts";
import type { SideInputStore } from "./side-input-store.ts";
import type { StageState } from "./stage-state.ts";
import { stageFacts } from "./step-changes.ts";

/** The stages as the checkpoint has them; those that it does not know begin anew. What it has has been found to fit. */
export function thawStages(stages: readonly StageState[], snapshot: Snapshot, names: GraphNames): void {
  const facts = stageFacts(snapshot);
  for (const state of stages) {
    const ofStage = facts.get(state.stage.name);
    if (ofStage !== undefined) thawStage(state, ofStage, snapshot, names);
  }
}

function thawStage(state: StageState, facts: StageFacts, snapshot: Snapshot, names: GraphNames): void {
  const { name } = state.stage;
  state.inputWatermark = facts.input;
  state.outputWatermark = facts.output;
  state.bundles = facts.bundles;
  state.busyMs = facts.busyMs;
  state.arrivedBefore = facts.elementsIn;
  thawKeyed(state, facts, snapshot, names);
  if (facts.reading !== undefined) state.readingBefore = readingOf(state, facts.reading, names);
  for (const chunk of snapshot.chunks("waiting", name)) {
    const input = new ByteReader(chunk);
    while (input.remaining > 0) thawWaiting(state, input, names);
  }
}

function thawKeyed(
  state: StageState,
  { layouts, windows, timers, saved }: StageFacts,
  snapshot: Snapshot,
  names: GraphNames,
): void {
  const { store } = state;
  const coder = windowsOf(state, names);
  const windowOf = (bytes: Uint8Array): Window => {
    if (coder === undefined) throw corrupt("a window of a stage without input");
    return coder.decode(new ByteReader(bytes));
  };
  if (store !== undefined) {
    if (layouts !== undefined) store.goOn(layouts, state.host.now());
    const totals = windows.map(([bytes, fired, records]) => {
      const slot = store.open(windowOf(bytes));
      slot.fired = fired;
      return [slot, records] as const;
    });
    if (state.cold === undefined) thawAll(state, store, snapshot);
    else {
      thawChanges(state, store, snapshot);
      for (const [slot, records] of totals) state.cold.restored(slot, Math.max(0, records - slot.records.size));
    }
  }
  state.timers.restore({
    ...timers,
    windows: timers.windows.map((timer) => ({ ...timer, window: windowOf(timer.window) })),
  });
  state.runner.restored?.(saved);
}

/** Reads all records of a step that needs them in memory. */
function thawAll({ stage, timers }: StageState, store: RecordStore<KeyedRecord>, snapshot: Snapshot): void {
  const { windows, keys } = store.format;
  for (const entry of snapshot.entries("records", stage.name)) {
    const key = keys.coder.decode(new ByteReader(entry.key));
    const { window } = store.open(windows.decode(new ByteReader(entry.window)));
    file(readRecord(entry, key, keys.toMapKey(key), window, store.format), store, timers, snapshot.folded);
  }
}

function readingOf(state: StageState, reading: NonNullable<StageFacts["reading"]>, names: GraphNames): unknown {
  const { splits } = reading;
  if (splits === undefined) return reading;
  const { value: coder } = names.element(state.stage.sourceOutput as CollectionId);
  return {
    ...reading,
    splits: splits.map((split) => ({
      ...split,
      kept: split.kept.map(({ at, value }) => ({ at, value: decodeFromBytes(coder, value) })),
    })),
  };
}

function thawWaiting(state: StageState, input: ByteReader, names: GraphNames): void {
  const waits = input.byte();
  if (waits === WAITS.timerCall) return thawTimerCall(state, input);
  const name = valueCoder.decode(input) as string;
  const { inputs } = state.stage;
  // Where there is but one it is that, whatever the step is called now that makes it.
  const collection = inputs.length === 1 ? inputs[0] : inputs.find((id) => names.collection(id) === name);
  if (collection === undefined) throw corrupt(`an element of ${name}, which stage "${state.stage.name}" does not read`);
  const coders = names.element(collection);
  const timestamp = input.float64();
  const windows: Window[] = [];
  for (let left = input.length(); left > 0; left--) windows.push(coders.window.decode(input));
  const pane = paneCoder.decode(input);
  const value = coders.value.decode(input);
  if (waits === WAITS.inbox) state.inbox.push({ collection, value, timestamp, windows, pane });
  else if (waits === WAITS.parked) state.restoreParked(value, timestamp, windows[0] as Window, pane);
  else if (waits === WAITS.call) {
    const keys = state.store?.format.keys;
    const key = keys?.toMapKey((value as readonly [unknown, unknown])[0]);
    state.calls?.submit(value, timestamp, windows, pane, key);
  } else throw corrupt(`an element that waits in a way ${waits}`);
}

function thawTimerCall(state: StageState, input: ByteReader): void {
  const [family, tag, at, timestamp] = valueCoder.decode(input) as [string, string, Timestamp, Timestamp];
  const windowBytes = input.view(input.length());
  const keyBytes = input.view(input.length());
  const body = input.view(input.length());
  const { store, calls } = state;
  if (store === undefined || calls === undefined) return;
  const { format } = store;
  const window = format.windows.decode(new ByteReader(windowBytes));
  const key = format.keys.coder.decode(new ByteReader(keyBytes));
  const mapKey = format.keys.toMapKey(key);
  const slot = store.find(window);
  const filed = slot?.records.get(mapKey) ?? (slot && store.load(slot, key, mapKey));
  const record: KeyedRecord = filed ?? format.read(new ByteReader(body), key, mapKey, window);
  calls.submitTimer({ record, family, tag, at }, timestamp, window, mapKey);
}

/** The contents of a view. */
export function thawView(view: ViewId, views: SideInputStore, snapshot: Snapshot, names: GraphNames): void {
  const { step, window, contents } = names.view(view);
  for (const entry of snapshot.entries("view", step))
    views.restore(
      view,
      decodeFromBytes(window, entry.window),
      decodeFromBytes(contents, entry.bodies[0] as Uint8Array) as unknown[],
    );
}
