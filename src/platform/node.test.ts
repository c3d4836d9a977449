import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { nodeClock } from "./node.ts";

// Node's timers and clock are not ours: the test runner's stand in for them, so that nothing waits.
beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

test("P1: a timer runs when its time has come, and not before, however far away it is", () => {
  const clock = nodeClock();
  const ran: number[] = [];
  const farMs = 1_000_000 + 2 ** 31 + 5;
  clock.schedule(1_000_250.5, () => ran.push(clock.now()));
  clock.schedule(farMs, () => ran.push(clock.now()));
  vi.advanceTimersByTime(250);
  expect(ran).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ran).toEqual([1_000_251]);
  vi.advanceTimersByTime(2 ** 31);
  expect(ran).toEqual([1_000_251, farMs]);
});

test("P1: a timer that Node calls early waits for the rest", () => {
  const clock = nodeClock();
  const ran: number[] = [];
  clock.schedule(1_000_100, () => ran.push(clock.now()));
  vi.setSystemTime(1_000_000 - 40);
  vi.advanceTimersByTime(100);
  expect(ran).toEqual([]);
  vi.advanceTimersByTime(40);
  expect(ran).toEqual([1_000_100]);
});

test("P2: when the machine's clock jumps ahead, a timer runs within a minute", () => {
  const clock = nodeClock();
  let ran = false;
  clock.schedule(1_000_000 + 3_600_000, () => {
    ran = true;
  });
  vi.setSystemTime(1_000_000 + 3_600_000);
  vi.advanceTimersByTime(60_000);
  expect(ran).toBe(true);
});

test("clock C2: a cancelled timer does not run, also after a part of its wait", () => {
  const clock = nodeClock();
  let ran = false;
  const cancel = clock.schedule(1_200_000, () => {
    ran = true;
  });
  vi.advanceTimersByTime(90_000);
  cancel();
  vi.advanceTimersByTime(300_000);
  expect(ran).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test("clock C1: a timer for the past does not run inside schedule", () => {
  const clock = nodeClock();
  let ran = false;
  clock.schedule(0, () => {
    ran = true;
  });
  expect(ran).toBe(false);
  vi.advanceTimersByTime(1);
  expect(ran).toBe(true);
});

test("P3: a timer that only looks on does not keep the process alive", () => {
  vi.useRealTimers();
  const clock = nodeClock();
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const cancels = [clock.watch?.(clock.now() + 60_000, () => {})];
  expect(timers()).toBe(before);
  cancels.push(clock.schedule(clock.now() + 60_000, () => {}));
  expect(timers()).toBe(before + 1);
  for (const cancel of cancels) cancel?.();
});
