import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { type Model, type PaneShown, renderFrame, TerminalView } from "./view.ts";

const SEED = 20261123;
const TAGS = ["#서울야시장", "#TypeScript", "#첫눈", "#고양이와함께하는아주긴해시태그", "#a"];

function pane(tags: number, most = 120): PaneShown {
  const top = Array.from({ length: tags }, (_, i): [string, number] => [`${TAGS[i % 5]}`, Math.max(1, most - 7 * i)]);
  return { start: 0, end: 60_000, timing: "ON_TIME", index: 3, top };
}

function model(now: PaneShown | undefined, change: Partial<Model> = {}): Model {
  return {
    now,
    before: new Map([
      ["#TypeScript", 0],
      ["#첫눈", 2],
    ]),
    closed: now === undefined ? [] : Array.from({ length: 6 }, () => now),
    watermark: 61_000,
    latest: 66_000,
    read: 10,
    total: 100,
    perSecond: 5,
    panes: { EARLY: 3, ON_TIME: 1 },
    dropped: 2,
    ...change,
  };
}

/** A terminal that keeps what was written to it. */
function terminal(columns: number, rows: number): { readonly out: NodeJS.WriteStream; text(): string } {
  let text = "";
  const out = { columns, rows, write: (part: string) => ((text += part), true) };
  return { out: out as unknown as NodeJS.WriteStream, text: () => text };
}

test("V1, V2: no frame is wider or higher than it may be, at any size, with any number of tags", () => {
  const size = fc.record({
    columns: fc.integer({ min: 1, max: 140 }),
    height: fc.integer({ min: 1, max: 40 }),
    tags: fc.integer({ min: 0, max: 30 }),
    most: fc.constantFrom(1, 120, 12_345_678),
  });
  fc.assert(
    fc.property(size, ({ columns, height, tags, most }) => {
      const lines = renderFrame(model(pane(tags, most)), columns, false, height);
      expect(lines.length).toBeLessThanOrEqual(height);
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    }),
    { seed: SEED, numRuns: 150, examples: [[{ columns: 21, height: 40, tags: 5, most: 120 }]] },
  );
});

test.each([80, 40])("a frame at %i columns", (columns) => {
  expect(`\n${renderFrame(model(pane(4)), columns, false).join("\n")}\n`).toMatchSnapshot();
});

test("colour changes no letter", () => {
  const bare = renderFrame(model(pane(5)), 80, true).map((line) => stripVTControlCharacters(line));
  expect(bare).toEqual(renderFrame(model(pane(5)), 80, false));
});

test("a low frame gives up closed windows before tags", () => {
  const ranks = (lines: readonly string[]): number => lines.filter((line) => /^ +\d+ [+▲▼·]/.test(line)).length;
  const low = renderFrame(model(pane(10)), 80, false, 18);
  expect(ranks(low)).toBe(10);
  expect(low.filter((line) => line.startsWith("  [")).length).toBe(1);
  expect(ranks(renderFrame(model(pane(10)), 80, false, 15))).toBe(10);
  expect(ranks(renderFrame(model(pane(10)), 80, false, 9))).toBe(4);
  expect(ranks(renderFrame(model(pane(20)), 80, false))).toBe(20);
});

test("the watermark's lag is told between the first tweet and the end; a share only of a known total", () => {
  const second = (change: Partial<Model>): string => renderFrame(model(pane(1), change), 100, false)[1] ?? "";
  expect(second({})).toContain("watermark 00:01:01 (5.0 s behind)");
  expect(second({})).toContain("10 read (10 %)");
  expect(second({ watermark: -9.3e15 })).toContain("watermark --:--:--  newest");
  expect(second({ watermark: 9.3e15 })).not.toContain("behind");
  expect(second({ total: 0 })).not.toContain("%");
});

test("V2: the view goes up by what it drew, which never scrolls", () => {
  const { out, text } = terminal(80, 15);
  const view = new TerminalView(out, false);
  view.draw(model(undefined));
  view.draw(model(pane(10)));
  view.draw(model(pane(10)));
  view.stop();
  const ups = [...text().matchAll(/\[(\d+)A/g)].map(([, lines]) => Number(lines));
  expect(ups).toHaveLength(2);
  for (const lines of ups) expect(lines).toBeLessThan(15);
});

test("what is printed stays, and the frame goes on below it", () => {
  const { out, text } = terminal(80, 24);
  const view = new TerminalView(out, false);
  view.draw(model(pane(4)));
  view.print("why");
  view.draw(model(pane(4)));
  view.stop();
  const [before = "", after = ""] = text().split("why\n");
  expect(before.endsWith("A\u001b[J")).toBe(true);
  expect(after).not.toContain("A\u001b");
});

test("a terminal of unknown size is taken for 80 by 24", () => {
  const { out, text } = terminal(0, 0);
  const view = new TerminalView(out, false);
  view.draw(model(pane(4)));
  view.stop();
  expect(text()).toContain("#서울야시장");
});

test("V3: the cursor comes back at the stop, and no listener is left", () => {
  const before = process.listenerCount("exit");
  const { out, text } = terminal(80, 24);
  const view = new TerminalView(out, false);
  expect(process.listenerCount("exit")).toBe(before + 1);
  view.stop();
  expect(process.listenerCount("exit")).toBe(before);
  expect(text().endsWith("\u001b[?25h")).toBe(true);
});
