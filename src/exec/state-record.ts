/**
 * The record of a stateful step: the data of its cells for one key and window.
 *
 * There may be millions of them, and an element reads several in a row: as few objects as will do. The first cell, which most
 * steps have no more than, has its place in the record itself.
 */
import type { KeyedRecord, MapKey, StateData } from "../host/records.ts";
import type { Window } from "../model/window.ts";

export interface StateRecord extends KeyedRecord, StateData {}

/** Makes the empty records of one step. @param cells how many cells it declares */
export function recordsOf(cells: number): (key: unknown, mapKey: MapKey, window: Window) => StateRecord {
  // Copied, since an array that grows would set aside room for sixteen more.
  const empty = cells > 1 ? Array.from({ length: cells - 1 }, () => undefined) : undefined;
  return (key, mapKey, window) => ({
    key,
    mapKey,
    window,
    timers: undefined,
    mark: 0,
    first: undefined,
    others: empty?.slice(),
    writtenAt: undefined,
  });
}

/** Data of the cell at `index`; `undefined` is empty. */
export function cellOf(record: StateData, index: number): unknown {
  return index === 0 ? record.first : record.others?.[index - 1];
}

export function setCell(record: StateData, index: number, data: unknown): void {
  if (index === 0) record.first = data;
  else (record.others as unknown[])[index - 1] = data;
}

/** Whether no cell keeps anything. */
export function keepsNothing({ first, others }: StateData): boolean {
  if (first !== undefined) return false;
  if (others !== undefined) for (let i = 0; i < others.length; i++) if (others[i] !== undefined) return false;
  return true;
}
