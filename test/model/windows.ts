/**
 * Windows of the reference model: which ones an instant belongs to, when they end and expire, which ones merge.
 * Place: scenario.ts -> HERE -> grouping.ts, stateful.ts.
 *
 * N1 Windows are half-open. Two that only touch share no instant and do not merge.
 * N2 Boundaries are found by rounding down, so that windows before the epoch are the same shape as those after it.
 */
import { GLOBAL_END, type GoldenWindowFn, type ShownInstant, type ShownWindow } from "./scenario.ts";

export interface Win {
  /** Equal for equal windows. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** The last instant that belongs to it. */
  readonly last: number;
}

export const GLOBAL: Win = { name: "global", start: -Infinity, end: Infinity, last: GLOBAL_END };

export function interval(start: number, end: number): Win {
  return { name: `[${start},${end})`, start, end, last: end - 1 };
}

/** The windows of an element at `ts`. None at all for an instant in the gaps that a period longer than the size leaves. */
export function assign(fn: GoldenWindowFn, ts: number): Win[] {
  switch (fn.type) {
    case "global":
      return [GLOBAL];
    case "sessions":
      return [interval(ts, ts + fn.gap)];
    case "fixed": {
      const offset = fn.offset ?? 0;
      const start = Math.floor((ts - offset) / fn.size) * fn.size + offset;
      return [interval(start, start + fn.size)];
    }
    case "sliding": {
      const offset = fn.offset ?? 0;
      const windows: Win[] = [];
      let start = Math.floor((ts - offset) / fn.period) * fn.period + offset;
      while (start + fn.size > ts) {
        windows.push(interval(start, start + fn.size));
        start -= fn.period;
      }
      return windows;
    }
  }
}

export function merges(fn: GoldenWindowFn): boolean {
  return fn.type === "sessions";
}

/** The last instant at which the watermark may stand with the window still open to late elements. */
export function expiry(win: Win, allowedLateness: number): number {
  return win.last > GLOBAL_END - allowedLateness ? GLOBAL_END : win.last + allowedLateness;
}

/** Overlapping windows, group by group; windows that overlap nothing are left out. */
export function overlaps(windows: readonly Win[]): { readonly from: readonly Win[]; readonly into: Win }[] {
  const sorted = windows.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const groups: { from: Win[]; into: Win }[] = [];
  for (const win of sorted) {
    const open = groups.at(-1);
    if (open !== undefined && win.start < open.into.end) {
      open.from.push(win);
      open.into = interval(open.into.start, Math.max(open.into.end, win.end));
    } else {
      groups.push({ from: [win], into: win });
    }
  }
  return groups.filter((group) => group.from.length > 1);
}

export function showWindow(win: Win): ShownWindow {
  return win.name === "global" ? "global" : [win.start, win.end];
}

export function showInstant(instant: number): ShownInstant {
  return instant === GLOBAL_END ? "globalMax" : instant;
}
