/** What lanes and stateful steps keep and have not put out, window by window. */
import { PENDING_MAX, type Pending, type PendingList, type PendingQuery } from "../host/pending.ts";
import type { KeyedRecord } from "../host/records.ts";
import type { Window } from "../model/window.ts";

/** What is pending of one record: all of Pending that is not the same for each. */
export type PendingOf = Omit<Pending, "window" | "key" | "others">;

export const NOTHING_PENDING: PendingList = Object.freeze({ first: [], more: 0 });

export function isAsked(window: Window, { windowId }: PendingQuery): boolean {
  return windowId === undefined || window.id === windowId;
}

/**
 * Of each window the first record that waits, and how many more of them do. Cost: a look at each record.
 * @param waits what a record waits for; `undefined` where it has nothing to put out
 */
export function pendingIn<R extends KeyedRecord>(
  windows: Iterable<{ readonly window: Window; readonly records: Iterable<R> }>,
  query: PendingQuery,
  waits: (record: R, window: Window) => PendingOf | undefined,
): PendingList {
  const all: Pending[] = [];
  for (const { window, records } of windows) {
    if (!isAsked(window, query)) continue;
    let first: Pending | undefined;
    let others = -1;
    for (const record of records) {
      if (query.mapKey !== undefined && record.mapKey !== query.mapKey) continue;
      const pending = waits(record, window);
      if (pending === undefined) continue;
      first ??= { ...pending, window, key: record.key, others: 0 };
      others++;
    }
    if (first !== undefined) all.push({ ...first, others });
  }
  all.sort((a, b) => a.window.maxTimestamp - b.window.maxTimestamp);
  return { first: all.slice(0, PENDING_MAX), more: Math.max(0, all.length - PENDING_MAX) };
}

/** The records of a store, as `pendingIn` takes them. */
export function recordsByWindow<R>(
  slots: Iterable<{ readonly window: Window; readonly records: ReadonlyMap<unknown, R> }>,
): { readonly window: Window; readonly records: Iterable<R> }[] {
  return [...slots].map(({ window, records }) => ({ window, records: records.values() }));
}
