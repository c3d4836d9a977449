import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KeyedRecord, TimerEntry } from "../host/records.ts";
import { GLOBAL_WINDOW, IntervalWindow, type Window } from "../model/window.ts";
import { Holds } from "./holds.ts";
import { StageTimers, type TimerTarget } from "./timers.ts";

const SEED = 20261123;
const NO_HOLD = Infinity;
const ALL = 1_000_000;

function recordOf(key: string): KeyedRecord {
  return { key, mapKey: key, window: GLOBAL_WINDOW, timers: undefined, mark: 0 };
}

/** Timers, and the names of those that fired: `key:family/tag@at` and `window@at`. */
function setUp(onFire: (name: string) => void = () => {}) {
  const holds = new Holds();
  const timers = new StageTimers(
    holds,
    () => {},
    () => {},
  );
  const fired: string[] = [];
  const note = (name: string): void => {
    fired.push(name);
    onFire(name);
  };
  const target: TimerTarget = {
    fireWindow: (_window: Window, at) => note(`window@${at}`),
    fireTimer: (timer: TimerEntry) =>
      note(`${String(timer.owner.key)}${timer.family}${timer.tag === "" ? "" : `/${timer.tag}`}@${timer.at}`),
  };
  return { holds, timers, fired, target, fire: (watermark: number) => timers.fireEventTime(watermark, target, ALL) };
}

describe("M1: one live timer for a record, family and tag", () => {
  test("setting it again replaces it, to earlier and to later", () => {
    const { timers, fired, fire } = setUp();
    const a = recordOf("a");
    timers.set(a, "", "", "event", 100, 100);
    timers.set(a, "", "", "event", 10, 10);
    timers.set(a, "", "", "event", 50, 50);
    expect(timers.size).toBe(1);
    expect(timers.nextEventTime()).toBe(50);
    fire(1000);
    expect(fired).toEqual(["a@50"]);
    expect(timers.size).toBe(0);
  });

  test("other families, tags and records are other timers", () => {
    const { timers, fired, fire } = setUp();
    const [a, b] = [recordOf("a"), recordOf("b")];
    timers.set(a, "f", "x", "event", 3, 3);
    timers.set(a, "f", "y", "event", 2, 2);
    timers.set(a, "g", "x", "event", 1, 1);
    timers.set(b, "f", "x", "event", 4, 4);
    fire(1000);
    expect(fired).toEqual(["ag/x@1", "af/y@2", "af/x@3", "bf/x@4"]);
  });

  test("set again in the other time domain, only the last setting counts", () => {
    const { timers, fired, fire, target } = setUp();
    const a = recordOf("a");
    timers.set(a, "", "", "event", 5, 5);
    timers.set(a, "", "", "processing", 7, NO_HOLD);
    fire(1000);
    expect(fired).toEqual([]);
    timers.fireProcessingTime(7, target, Infinity);
    expect(fired).toEqual(["a@7"]);
  });

  test("a cleared timer does not fire, and a record is left without timers", () => {
    const { timers, fired, fire } = setUp();
    const a = recordOf("a");
    timers.set(a, "", "x", "event", 1, 1);
    timers.set(a, "", "y", "event", 2, 2);
    timers.clear(a, "", "x");
    timers.clear(a, "", "never set");
    timers.clearAll(a);
    fire(1000);
    expect(fired).toEqual([]);
    expect(a.timers).toBeUndefined();
    expect(timers.size).toBe(0);
  });
});

describe("M2: by time, then by setting", () => {
  test("equal times fire in the order of setting", () => {
    const { timers, fired, fire } = setUp();
    for (const key of ["c", "a", "b"]) timers.set(recordOf(key), "", "", "event", 10, 10);
    fire(11);
    expect(fired).toEqual(["c@10", "a@10", "b@10"]);
  });

  test("a timer that was moved to another's time fires after it: its setting is the later one", () => {
    const { timers, fired, fire } = setUp();
    const a = recordOf("a");
    timers.set(a, "", "", "event", 10, 10);
    timers.set(recordOf("b"), "", "", "event", 20, 20);
    timers.set(a, "", "", "event", 20, 20);
    fire(21);
    expect(fired).toEqual(["b@20", "a@20"]);
  });

  test("set again for the time it has, it goes behind the others of that time", () => {
    const { timers, fired, fire } = setUp();
    const a = recordOf("a");
    timers.set(a, "", "", "event", 10, 10);
    timers.set(recordOf("b"), "", "", "event", 10, 10);
    timers.set(a, "", "", "event", 10, 10);
    fire(11);
    expect(fired).toEqual(["b@10", "a@10"]);
  });

  test("timers that hold elsewhere and timers that hold at their own time are one order", () => {
    const { timers, fired, fire } = setUp();
    timers.set(recordOf("own"), "", "", "event", 10, 10);
    timers.set(recordOf("none"), "", "", "event", 5, NO_HOLD);
    timers.set(recordOf("early"), "", "", "event", 15, 1);
    timers.set(recordOf("late"), "", "", "event", 10, NO_HOLD);
    fire(1000);
    expect(fired).toEqual(["none@5", "own@10", "late@10", "early@15"]);
  });

  test("at equal times a window's own timer comes last, whenever it was set", () => {
    const { timers, fired, fire } = setUp();
    timers.setWindowTimer(new IntervalWindow(0, 11), 10);
    timers.set(recordOf("a"), "", "", "event", 10, 10);
    timers.set(recordOf("b"), "", "", "event", 10, NO_HOLD);
    timers.set(recordOf("c"), "", "", "event", 11, 11);
    fire(1000);
    expect(fired).toEqual(["a@10", "b@10", "window@10", "c@11"]);
  });

  test("a timer that a callback sets behind the watermark fires in the same call, in its place", () => {
    const again = recordOf("again");
    const { timers, fired, fire } = setUp((name) => {
      if (name === "a@1") timers.set(again, "", "", "event", 2, 2);
    });
    timers.set(recordOf("a"), "", "", "event", 1, 1);
    timers.set(recordOf("b"), "", "", "event", 3, 3);
    fire(4);
    expect(fired).toEqual(["a@1", "again@2", "b@3"]);
  });

  test("no more than asked for fire at once; the rest follow in order", () => {
    const { timers, fired, target } = setUp();
    for (let i = 0; i < 5; i++) timers.set(recordOf(`${i}`), "", "", "event", i, i);
    expect(timers.fireEventTime(100, target, 2)).toBe(2);
    expect(timers.fireEventTime(100, target, 100)).toBe(3);
    expect(fired).toEqual(["0@0", "1@1", "2@2", "3@3", "4@4"]);
  });
});

describe("M3: holds", () => {
  test("fires when the watermark is after its time, and holds it there until then", () => {
    const { timers, fired, fire } = setUp();
    timers.set(recordOf("a"), "", "", "event", 10, 10);
    expect(timers.earliestHold()).toBe(10);
    fire(10);
    expect(fired).toEqual([]);
    expect(timers.earliestHold()).toBe(10);
    fire(11);
    expect(fired).toEqual(["a@10"]);
    expect(timers.earliestHold()).toBe(Infinity);
  });

  test("an output timestamp of its own is held in its place, until it fires, is cleared or is replaced", () => {
    const { holds, timers, fire } = setUp();
    const [a, b] = [recordOf("a"), recordOf("b")];
    timers.set(a, "", "", "event", 10, 3);
    timers.set(b, "", "", "processing", 10, 5);
    expect([holds.earliest(), timers.earliestHold()]).toEqual([3, Infinity]);
    fire(11);
    expect(holds.earliest()).toBe(5);
    timers.set(b, "", "", "processing", 10, 7);
    expect(holds.earliest()).toBe(7);
    timers.clear(b, "", "");
    expect(holds.earliest()).toBe(Infinity);
  });

  test("a timer without a hold holds nothing", () => {
    const { holds, timers } = setUp();
    timers.set(recordOf("a"), "", "", "event", 10, NO_HOLD);
    timers.setWindowTimer(new IntervalWindow(0, 11), 10);
    expect([holds.earliest(), timers.earliestHold()]).toEqual([Infinity, Infinity]);
    expect(timers.nextEventTime()).toBe(10);
  });

  test("a moved timer holds at its new time once the watermark has come to its old one", () => {
    const { timers, fire } = setUp();
    const a = recordOf("a");
    timers.set(a, "", "", "event", 10, 10);
    timers.set(a, "", "", "event", 90, 90);
    fire(50);
    expect(timers.earliestHold()).toBe(90);
  });
});

describe("processing time", () => {
  test("fires at its time, not before, in order", () => {
    const { timers, fired, target } = setUp();
    timers.set(recordOf("b"), "", "", "processing", 20, NO_HOLD);
    timers.set(recordOf("a"), "", "", "processing", 10, NO_HOLD);
    expect(timers.fireProcessingTime(9, target, Infinity)).toBe(0);
    expect(timers.nextProcessingTime()).toBe(10);
    expect(timers.fireProcessingTime(20, target, Infinity)).toBe(2);
    expect(fired).toEqual(["a@10", "b@20"]);
    expect(timers.nextProcessingTime()).toBe(Infinity);
  });

  test("one that a callback sets to be due at once waits for the next call, so that no loop is without end", () => {
    const a = recordOf("a");
    const { timers, fired, target } = setUp(() => timers.set(a, "", "", "processing", 10, NO_HOLD));
    timers.set(a, "", "", "processing", 10, NO_HOLD);
    expect(timers.fireProcessingTime(10, target, Infinity)).toBe(1);
    expect(timers.fireProcessingTime(10, target, Infinity)).toBe(1);
    expect(fired).toEqual(["a@10", "a@10"]);
  });

  test("a callback may clear one that is due with it, or move it on", () => {
    const [a, b, c] = [recordOf("a"), recordOf("b"), recordOf("c")];
    const { timers, fired, target } = setUp((name) => {
      if (name !== "a@1") return;
      timers.clear(b, "", "");
      timers.set(c, "", "", "processing", 30, NO_HOLD);
    });
    for (const [at, record] of [a, b, c].entries()) timers.set(record, "", "", "processing", at + 1, NO_HOLD);
    timers.fireProcessingTime(10, target, Infinity);
    expect(fired).toEqual(["a@1"]);
    timers.fireProcessingTime(30, target, Infinity);
    expect(fired).toEqual(["a@1", "c@30"]);
  });
});

test("as a dull list does: any setting, clearing and firing", () => {
  interface Dull {
    readonly key: number;
    readonly at: number;
    readonly holdAt: number;
    readonly order: number;
  }
  const key = fc.nat({ max: 5 });
  const time = fc.nat({ max: 6 });
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("set" as const), key, time, hold: fc.nat({ max: 2 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const), key }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("fire" as const), by: fc.nat({ max: 3 }) }) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80, size: "max" }), (actions) => {
      const { holds, timers, fired, fire } = setUp();
      const records = Array.from({ length: 6 }, (_, i) => recordOf(`${i}`));
      const dull = new Map<number, Dull>();
      const expected: string[] = [];
      let watermark = 0;
      for (const [order, what] of actions.entries()) {
        if (what.kind === "set") {
          // Never behind the watermark: what is set there fires at once.
          const at = watermark + what.time;
          const holdAt = [at, Math.max(watermark, at - 5), NO_HOLD][what.hold] as number;
          timers.set(records[what.key] as KeyedRecord, "", "", "event", at, holdAt);
          dull.set(what.key, { key: what.key, at, holdAt, order });
        } else if (what.kind === "clear") {
          timers.clear(records[what.key] as KeyedRecord, "", "");
          dull.delete(what.key);
        } else {
          watermark += what.by;
          fire(watermark);
          const due = [...dull.values()].filter((timer) => timer.at < watermark);
          for (const timer of due.sort((x, y) => x.at - y.at || x.order - y.order)) {
            expected.push(`${timer.key}@${timer.at}`);
            dull.delete(timer.key);
          }
          const held = Math.min(Infinity, ...[...dull.values()].map((t) => t.holdAt).filter((at) => at !== NO_HOLD));
          const hold = Math.min(holds.earliest(), timers.earliestHold());
          // A timer that was moved may hold a little too early, never too late, and never behind the watermark.
          expect(hold).toBeLessThanOrEqual(held);
          expect(hold).toBeGreaterThanOrEqual(Math.min(held, watermark));
        }
        expect(timers.size).toBe(dull.size);
        const all = [...timers.all()].map(({ record, at, holdAt }) => [record?.key, at, holdAt].join());
        expect(all.sort()).toEqual([...dull.values()].map(({ key, at, holdAt }) => [key, at, holdAt].join()).sort());
        expect(timers.nextEventTime()).toBe(Math.min(Infinity, ...[...dull.values()].map((timer) => timer.at)));
      }
      expect(fired).toEqual(expected);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
