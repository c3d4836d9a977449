/** How jobs on the fake runner end: what user code throws, threads that end, cancelling, and the life of a DoFn. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, script } from "./kit.ts";

test("what a function throws comes back with its step, key, window and element", async () => {
  const path = folder();
  const told = await script("endings", path, "throws");
  expect(told).toMatch(/^failed STEP_FAILED\n/);
  for (const part of ['step "Throw" threw Error: no k1', "key: 'k1'", "window: global", "programs.fixture.ts:"])
    expect(told.replaceAll('"k1"', "'k1'")).toContain(part);
  expect(existsSync(join(path, "output"))).toBe(false);
});

test("WORKER_FAILED: a program that ends its process ends the worker's thread, and the job", async () => {
  const told = await script("endings", folder(), "exits");
  expect(told).toMatch(/^failed WORKER_FAILED\n.*the worker's thread ended, at work on "Exit"/);
  expect(told).toMatch(/step: Exit/);
});

test.each([
  ["throws in a timer", /^failed WORKER_FAILED\n.*the worker's thread failed: null, at work on "Later"/],
  ["stuck in setup", /^cancelled JOB_ABORTED\n/],
])("a program that %s ends the job, which says so", async (name, said) => {
  expect(await script("endings", folder(), name)).toMatch(said);
});

test("a job is cancelled while a function holds the worker's thread", async () => {
  expect(await script("endings", folder(), "busy")).toMatch(/^cancelled JOB_ABORTED\n/);
});

test("setup and teardown come once, around bundles; finalizers after their bundle", async () => {
  const path = folder();
  expect(await script("endings", path, "life")).toBe("done");
  const life = readFileSync(join(path, "input"), "utf8").split("\n").slice(0, -1);
  const names = life.filter((name, i) => name !== life[i - 1]);
  expect([names[0], names.at(-1)]).toEqual(["setup", "teardown"]);
  expect(life.filter((name) => name === "process").length).toBe(60);
  expect(life.filter((name) => name === "finalized").length).toBe(60);
  expect(names.slice(1, 4)).toEqual(["start", "process", "finish"]);
  expect(life.indexOf("finalized")).toBeGreaterThan(life.indexOf("finish"));
});
