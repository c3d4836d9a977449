import { expect, test } from "vitest";
import { stateFormat } from "../exec/state-format.ts";
import { recordsOf } from "../exec/state-record.ts";
import { valueState } from "../fn/state.ts";
import { CurrentEntries } from "../host/current-entries.ts";
import { type KeyedRecord, RecordStore } from "../host/records.ts";
import { GLOBAL_WINDOW } from "../model/window.ts";
import { globalWindows } from "../windowing/window-fns.ts";
import { ColdRecords } from "./cold-records.ts";
import { Eviction } from "./eviction.ts";
import { Holds } from "./holds.ts";
import { WrittenRecords } from "./record-chunks.ts";
import { StageTimers } from "./timers.ts";

/** A stage with records that have been written in interval 1, and a timer each. */
function stageOf(records: number) {
  const format = stateFormat({ sum: valueState<number>() }, undefined, globalWindows());
  const store = new RecordStore<KeyedRecord>(format);
  const timers = new StageTimers(
    new Holds(),
    () => {},
    () => {},
  );
  const cold = new ColdRecords(store, timers, new CurrentEntries().rows("Sum"));
  timers.setCold(cold);
  store.track(1, cold);
  const fresh = recordsOf(1);
  const { window, records: all } = store.open(GLOBAL_WINDOW);
  for (let key = 0; key < records; key++) {
    const record = fresh(key, key, window);
    all.set(key, record);
    store.touch(record);
    timers.set(record, "t", "", "event", key, key);
  }
  for (const record of store.freeze(() => {}).changed) store.takeUnwritten(record);
  store.thaw();
  return { store, timers, cold, written: new WrittenRecords(), calls: undefined };
}

/** Each look at it finds the time over. */
const hasty = {
  stopwatch: (() => {
    let now = 0;
    return () => (now += 10);
  })(),
};

test("what rows have goes, slice by slice; what they do not have stays", () => {
  const stage = stageOf(300);
  const slot = stage.store.open(GLOBAL_WINDOW);
  const changed = slot.records.get(7) as KeyedRecord;
  stage.store.touch(changed);
  const eviction = new Eviction([stage], 0);
  eviction.folded(1);
  eviction.sweep(1, hasty);
  expect([slot.records.size > 0, slot.records.size < 300, eviction.isSweeping]).toEqual([true, true, true]);
  while (eviction.isSweeping) eviction.sweep(1, hasty);
  expect([[...slot.records.keys()], slot.cold, stage.timers.size, stage.store.countKeys()]).toEqual([[7], 299, 1, 300]);
});

test("a window that is dropped between two slices is left alone", () => {
  const stage = stageOf(300);
  const slot = stage.store.open(GLOBAL_WINDOW);
  const eviction = new Eviction([stage], 0);
  eviction.folded(1);
  eviction.sweep(1, hasty);
  for (const record of slot.records.values()) stage.timers.clearAll(record);
  stage.store.drop(GLOBAL_WINDOW);
  while (eviction.isSweeping) eviction.sweep(1, hasty);
  expect([slot.cold, stage.timers.size, stage.store.countKeys(), stage.cold.earliest("event")]).toEqual([
    0,
    0,
    0,
    Infinity,
  ]);
});
