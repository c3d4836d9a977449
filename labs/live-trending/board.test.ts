import { expect, test } from "vitest";
import { Board, CUT_SHORT } from "./board.ts";
import type { PaneShown } from "./view.ts";

function pane(end: number, timing: string, tag = "#a"): PaneShown {
  return { start: end - 60, end, timing, index: 0, top: [[tag, 1]] };
}

test("after a stop, windows that the watermark has not passed are cut short, and none of the closed ones", () => {
  const board = new Board();
  board.add(pane(60, "ON_TIME"));
  board.stop(100);
  const shown = [pane(65, "LATE"), pane(100, "ON_TIME"), pane(120, "ON_TIME"), pane(120, "EARLY")].map(
    (each) => board.add(each).timing,
  );
  expect(shown).toEqual(["LATE", "ON_TIME", CUT_SHORT, "EARLY"]);
  expect(board.closed.map(({ end }) => end)).toEqual([60, 100]);
  expect(board.panes).toEqual({ ON_TIME: 2, LATE: 1, CUT_SHORT: 1, EARLY: 1 });
});

test("the open window that ends soonest is shown until it is over; then the next one, with the ranks before", () => {
  const board = new Board();
  board.add(pane(60, "EARLY", "#first"));
  board.add(pane(65, "EARLY", "#second"));
  expect(board.now?.end).toBe(60);
  board.add(pane(60, "ON_TIME", "#first"));
  board.add(pane(65, "EARLY", "#second"));
  expect([board.now?.end, [...board.before.keys()]]).toEqual([65, ["#first"]]);
});

test("leaders are the tags that led the most closed windows", () => {
  const board = new Board();
  for (const tag of ["#a", "#b", "#b"]) board.add(pane(60, "ON_TIME", tag));
  board.add({ ...pane(60, "ON_TIME"), top: [] });
  expect(board.leaders(1)).toEqual([["#b", 2]]);
});
