import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { valueState } from "./state.ts";
import { eventTimer } from "./timer.ts";
import { isAsyncFunction, isKeyedDoFn } from "./inspect.ts";

test("a function is async by how it is written, in whatever realm", () => {
  const asynchronous = [async () => {}, async function* () {}, { async go() {} }.go, runInNewContext("async () => {}")];
  expect(asynchronous.map(isAsyncFunction)).toEqual([true, true, true, true]);
  const others = [() => Promise.resolve(), function* () {}, class {}, undefined, Promise.resolve()];
  expect(others.map(isAsyncFunction)).toEqual([false, false, false, false, false]);
});

test("a DoFn is keyed by its state, its timers, or its end of windows", () => {
  const process = (): void => {};
  expect(isKeyedDoFn({ process })).toBe(false);
  expect(isKeyedDoFn({ process, state: {}, timers: {} })).toBe(false);
  expect(isKeyedDoFn({ process, state: { sum: valueState<number>() } })).toBe(true);
  expect(isKeyedDoFn({ process, timers: { soon: eventTimer() }, onTimer: { soon: () => {} } })).toBe(true);
  expect(isKeyedDoFn({ process, onWindowExpiration: () => {} })).toBe(true);
});
