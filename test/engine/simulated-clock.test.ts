import { expect, test } from "vitest";
import { SimulatedClock } from "../simulated-clock.ts";

test("S1: time stands still until it is moved, and does not go back", () => {
  const clock = new SimulatedClock(100);
  clock.schedule(100, () => {});
  expect(clock.now()).toBe(100);
  clock.advanceTo(150);
  expect(clock.now()).toBe(150);
  expect(() => clock.advanceTo(149)).toThrow(/S1/);
});

test("S2: timers run in the order of their times, then of setting, each at its own time; those set on the way included", () => {
  const clock = new SimulatedClock(10);
  const log: string[] = [];
  const at = (name: string, atMs: number, then?: () => void): void => {
    clock.schedule(atMs, () => {
      log.push(`${name}@${clock.now()}`);
      then?.();
    });
  };
  at("late", 31);
  at("b", 20, () => at("on the way", 25));
  at("c", 20);
  at("a", 15);
  at("past", 3);
  clock.advanceTo(30);
  expect(log).toEqual(["past@10", "a@15", "b@20", "c@20", "on the way@25"]);
  expect(clock.nextAlarm()).toBe(31);
});

test("clock C2: a cancelled timer does not run", () => {
  const clock = new SimulatedClock();
  const log: string[] = [];
  const cancel = clock.schedule(5, () => log.push("cancelled"));
  clock.schedule(6, () => log.push("kept"));
  cancel();
  cancel();
  expect(clock.nextAlarm()).toBe(6);
  clock.advanceTo(10);
  expect(log).toEqual(["kept"]);
  expect(clock.nextAlarm()).toBeUndefined();
});

test("S3: immediate callbacks run before time moves on, and one that asks for another waits for the next round", () => {
  const clock = new SimulatedClock();
  const log: string[] = [];
  clock.immediate(() => {
    log.push(`first@${clock.now()}`);
    clock.immediate(() => log.push(`second@${clock.now()}`));
  });
  clock.schedule(5, () => clock.immediate(() => log.push(`third@${clock.now()}`)));
  expect(clock.runImmediates()).toBe(1);
  clock.advanceTo(7);
  expect(log).toEqual(["first@0", "second@0", "third@5"]);
});
