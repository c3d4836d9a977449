/**
 * Values in the order of their times, made to be added at the end and taken away at the beginning: the data of an ordered
 * list in a record.
 *
 * O1 From `head` up to `end`, `items` holds times and values in turn, and times never fall; the places around them are free.
 *    Equal times keep the order in which they came.
 * Cost: O(1) to add at the end, O(log n) to clear up to a time, O(n) in the middle. One array, of its exact size: where values
 * are numbers V8 keeps it as plain doubles, and there may be a list for each of a million keys.
 */
import type { Timestamp } from "../model/time.ts";

export interface TimeOrdered {
  head: number;
  end: number;
  items: unknown[];
}

/** A list of one. */
export function timeOrdered(time: Timestamp, value: unknown): TimeOrdered {
  return { head: 0, end: 2, items: [time, value, 0, 0] };
}

export function sizeOf({ head, end }: TimeOrdered): number {
  return (end - head) >> 1;
}

export function insert(list: TimeOrdered, time: Timestamp, value: unknown): void {
  if (list.end === list.items.length) makeRoom(list);
  const { head, end, items } = list;
  let at = end;
  if (end > head && (items[end - 2] as Timestamp) > time) {
    at = placeOf(list, time, true);
    items.copyWithin(at + 2, at, end);
  }
  items[at] = time;
  items[at + 1] = value;
  list.end = end + 2;
}

/** Moves what there is to the front, and doubles the room where that leaves less than half of it free. */
function makeRoom(list: TimeOrdered): void {
  const { head, end, items } = list;
  const used = items.slice(head, end);
  const room = used.length * 2 <= items.length ? items.length - used.length : used.length;
  // Unlike `push`, which sets aside for sixteen more, this makes an array of just that size.
  list.items = used.concat(zeros(room));
  list.head = 0;
  list.end = used.length;
}

function zeros(count: number): unknown[] {
  const all: unknown[] = [];
  for (let i = 0; i < count; i++) all.push(0);
  return all;
}

/** Takes away the places from `begin` up to but without `end`. */
export function remove(list: TimeOrdered, begin: number, end: number): void {
  const { items } = list;
  let [from, to] = [begin, end];
  if (begin === list.head) list.head = end;
  else {
    items.copyWithin(begin, end, list.end);
    from = list.end - (end - begin);
    to = list.end;
    list.end = from;
  }
  // Lets go of objects; a number may stay, and the array one of numbers.
  for (let i = from + 1; i < to; i += 2) if (typeof items[i] !== "number") items[i] = 0;
}

/** The first place whose time is `time` or later. */
export function firstAtOrAfter(list: TimeOrdered, time: Timestamp): number {
  // Nearly always what is asked for lies at the beginning, or nowhere.
  if (list.head === list.end || (list.items[list.head] as Timestamp) >= time) return list.head;
  return placeOf(list, time, false);
}

/** The first place whose time is after `time`; at it or after it where `after` is false. */
function placeOf({ head, end, items }: TimeOrdered, time: Timestamp, after: boolean): number {
  let low = head >> 1;
  let high = end >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = items[2 * middle] as Timestamp;
    if (after ? at <= time : at < time) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

export function copyTimeOrdered({ head, end, items }: TimeOrdered): TimeOrdered {
  return { head: 0, end: end - head, items: items.slice(head, end) };
}
