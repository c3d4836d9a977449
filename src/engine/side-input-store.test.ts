import { expect, test } from "vitest";
import { IntervalWindow } from "../model/window.ts";
import { SideInputStore } from "./side-input-store.ts";

test("a window of a view is forgotten when the watermark of all that read it has passed its end and its retention", () => {
  const store = new SideInputStore();
  const [first, second] = [new IntervalWindow(0, 10), new IntervalWindow(10, 20)];
  store.declare(0, () => 0);
  store.put(0, first, ["a"]);
  store.put(0, second, ["b"]);
  store.expire(0, 14, 5);
  expect(store.contents(0, first)).toEqual(["a"]);
  store.expire(0, 15, 5);
  expect(store.contents(0, first)).toBeUndefined();
  expect(store.contents(0, second)).toEqual(["b"]);
});
