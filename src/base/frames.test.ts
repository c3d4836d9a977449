import { describe, expect, test } from "vitest";
import { isUserModule, userFrame, userLocation } from "./frames.ts";

const own = new URL("errors.ts", import.meta.url).href;

function withStack(...frames: string[]): Error {
  return Object.assign(new Error("x"), { stack: ["Error: x", ...frames.map((frame) => `    at ${frame}`)].join("\n") });
}

describe("F1: the user's frame is the innermost that is neither Node's, nor a package's, nor Tidemark's", () => {
  test.each([
    ["a function of a module", ["parse (file:///home/me/a%20b/job.ts:3:7)"], "/home/me/a b/job.ts:3:7"],
    ["a frame without a name", ["file:///home/me/job.ts:3:7"], "/home/me/job.ts:3:7"],
    ["an async frame", ["async file:///home/me/job.ts:3:7"], "/home/me/job.ts:3:7"],
    ["a method called by another name", ["Object.build [as run] (file:///home/me/job.ts:3:7)"], "/home/me/job.ts:3:7"],
    ["a file of CommonJS", ["Object.<anonymous> (/home/me/job.cjs:3:7)"], "/home/me/job.cjs:3:7"],
    ["a name that Tidemark uses too", ["check (/home/me/assert-that.ts:3:7)"], "/home/me/assert-that.ts:3:7"],
    ["none", ["Promise.all (index 0)", "node:internal/process:1:2"], undefined],
  ])("%s", (_name, frames, place) => {
    const around = ["JSON.parse (<anonymous>)", `fail (${own}:1:2)`, "read (/home/me/node_modules/x/y.js:4:5)"];
    expect(userFrame(withStack(...around, ...frames, "main (node:internal/x:1:1)"))).toBe(place);
  });
});

test("F1: a unit test beside the code plays the user's part", () => {
  expect(userLocation()).toMatch(/frames\.test\.ts:\d+:\d+$/);
  expect([isUserModule(own), isUserModule(import.meta.url), isUserModule("node:fs")]).toEqual([false, true, false]);
});
