/**
 * Values in the order of their times, made to be added at the end and taken away at the beginning: the data of an ordered
 * list in a record.
 *
 * O1 The first two places say where the items begin and end. From there to there are times and values in turn, and times never
 *    fall; the places around them are free. Equal times keep the order in which they came.
 * Cost: O(1) to add at the end, O(log n) to clear up to a time, O(n) in the middle. One array, of its exact size: where values
 * are numbers V8 keeps it as plain doubles, and there may be a list for each of a million keys.
 */
import type { Timestamp } from "../model/time.ts";

export type TimeOrdered = unknown[];

const HEAD = 0;
const END = 1;
/** Where items may begin. */
const FIRST = 2;

/** A list of one. */
export function timeOrdered(time: Timestamp, value: unknown): TimeOrdered {
  return [FIRST, FIRST + 2, time, value, 0, 0];
}

/** The place of the first item. */
export function headOf(list: TimeOrdered): number {
  return list[HEAD] as number;
}

/** The place after the last item. */
export function endOf(list: TimeOrdered): number {
  return list[END] as number;
}

export function sizeOf(list: TimeOrdered): number {
  return (endOf(list) - headOf(list)) >> 1;
}

/** @returns the list with the value in it: another one where it had to grow */
export function insert(list: TimeOrdered, time: Timestamp, value: unknown): TimeOrdered {
  const into = endOf(list) === list.length ? withRoom(list) : list;
  const end = endOf(into);
  let at = end;
  if (end > headOf(into) && (into[end - 2] as Timestamp) > time) {
    at = placeOf(into, time, true);
    into.copyWithin(at + 2, at, end);
  }
  into[at] = time;
  into[at + 1] = value;
  into[END] = end + 2;
  return into;
}

/** Moves what there is to the front, into twice the room where that leaves less than half of it free. */
function withRoom(list: TimeOrdered): TimeOrdered {
  const used = endOf(list) - headOf(list);
  const before = list.length - FIRST;
  const free = used * 2 <= before ? before - used : used;
  // Unlike `push`, which sets aside for sixteen more, this makes an array of just that size.
  const roomy = list.slice(headOf(list) - FIRST).concat(zeros(free));
  roomy[HEAD] = FIRST;
  roomy[END] = FIRST + used;
  return roomy;
}

function zeros(count: number): unknown[] {
  const all: unknown[] = [];
  for (let i = 0; i < count; i++) all.push(0);
  return all;
}

/** Takes away the places from `begin` up to but without `end`. */
export function remove(list: TimeOrdered, begin: number, end: number): void {
  let [from, to] = [begin, end];
  if (begin === headOf(list)) list[HEAD] = end;
  else {
    list.copyWithin(begin, end, endOf(list));
    from = endOf(list) - (end - begin);
    to = endOf(list);
    list[END] = from;
  }
  // Lets go of objects; a number may stay, and the array one of numbers.
  for (let i = from + 1; i < to; i += 2) if (typeof list[i] !== "number") list[i] = 0;
}

/** The first place whose time is `time` or later. */
export function firstAtOrAfter(list: TimeOrdered, time: Timestamp): number {
  const head = headOf(list);
  // Nearly always what is asked for lies at the beginning, or nowhere.
  if (head === endOf(list) || (list[head] as Timestamp) >= time) return head;
  return placeOf(list, time, false);
}

/** The first place whose time is after `time`; at it or after it where `after` is false. */
function placeOf(list: TimeOrdered, time: Timestamp, after: boolean): number {
  let low = headOf(list) >> 1;
  let high = endOf(list) >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = list[2 * middle] as Timestamp;
    if (after ? at <= time : at < time) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

export function copyTimeOrdered(list: TimeOrdered): TimeOrdered {
  const copy = list.slice(headOf(list) - FIRST, endOf(list));
  copy[HEAD] = FIRST;
  copy[END] = copy.length;
  return copy;
}
