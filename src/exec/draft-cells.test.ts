import { describe, expect, test } from "vitest";
import { bagState, mapState, setState } from "../fn/state.ts";
import { GLOBAL_WINDOW } from "../model/window.ts";
import { draftCells, draftRecord } from "./draft-cells.ts";
import { type BagHandle, type MapHandle, type SetHandle, type StateBinding, UNTRACKED } from "./state-cells.ts";
import { makeCells } from "./make-cells.ts";
import { recordsOf, type StateRecord } from "./state-record.ts";

const specs = { bag: bagState<number>(), map: mapState<string, number>(), set: setState<string>() };

interface Cells {
  readonly bag: BagHandle;
  readonly map: MapHandle;
  readonly set: SetHandle;
}

function bindingOf(record: StateRecord): StateBinding {
  return { record, step: "S", now: () => 0, records: UNTRACKED, ttlWritten: () => {}, strict: false };
}

function contents(record: StateRecord) {
  const { bag, map, set } = makeCells(specs, bindingOf(record)) as unknown as Cells;
  return { bag: [...bag.read()], map: [...map.entries()], set: [...set.read()] };
}

/** An empty record with one thing in each cell. */
function filled(): StateRecord {
  const record = recordsOf(3)("k", "k", GLOBAL_WINDOW);
  const { bag, map, set } = makeCells(specs, bindingOf(record)) as unknown as Cells;
  bag.add(1);
  map.put("a", 1);
  set.add("a");
  return record;
}

function draftOf(record: StateRecord) {
  const { cells, applyTo } = draftCells(specs, bindingOf(draftRecord(record)));
  return { ...(cells as unknown as Cells), applyTo };
}

/** Data that cannot be walked through. */
function uncopied<T extends object>(data: T): T {
  const refuse = (): never => {
    throw new Error("copied");
  };
  return Object.assign(data, { [Symbol.iterator]: refuse, slice: refuse, values: refuse, entries: refuse });
}

describe("the cells of a call", () => {
  test("D1: the record is what it was until the draft is applied; then it is what the draft was", () => {
    const record = filled();
    const before = contents(record);
    const draft = draftOf(record);
    draft.bag.add(2);
    draft.map.put("b", 2);
    draft.map.remove("a");
    draft.set.add("b");
    expect([...draft.bag.read()]).toEqual([1, 2]);
    draft.bag.add(3);
    expect([...draft.map.entries()]).toEqual([["b", 2]]);
    expect(contents(record)).toEqual(before);
    draft.applyTo(record);
    expect(contents(record)).toEqual({ bag: [1, 2, 3], map: [["b", 2]], set: ["a", "b"] });
  });

  test("D2: adding to a bag, changing a map or set copies nothing of what is there", () => {
    const record = filled();
    for (const data of [record.first, ...(record.others ?? [])]) uncopied(data as object);
    const draft = draftOf(record);
    draft.bag.add(2);
    draft.map.put("b", 2);
    draft.set.add("b");
    expect([draft.map.get("a"), draft.map.get("b"), draft.set.has("a"), draft.set.has("c")]).toEqual([
      1,
      2,
      true,
      false,
    ]);
    draft.applyTo(record);
    expect((record.first as number[]).length).toBe(2);
    expect((record.others as Map<unknown, unknown>[]).map(({ size }) => size)).toEqual([2, 2]);
  });

  test("what is cleared, or taken out to the last, leaves the cell empty", () => {
    const record = filled();
    const draft = draftOf(record);
    draft.bag.add(2);
    draft.bag.clear();
    draft.map.remove("a");
    draft.set.clear();
    expect([draft.bag.isEmpty(), draft.map.isEmpty(), draft.set.isEmpty()]).toEqual([true, true, true]);
    draft.applyTo(record);
    expect([record.first, record.others]).toEqual([undefined, [undefined, undefined]]);
  });
});
