/** What the log of panes must say, worked out from the tweets alone. */
import { readFileSync } from "node:fs";
import type { Tweet } from "../live-trending/generator.ts";

/** A line of the log. */
interface PaneLine {
  /** Milliseconds: where the window ends. */
  readonly end: number;
  readonly timing: "EARLY" | "ON_TIME" | "LATE";
  readonly index: number;
  readonly tags: readonly (readonly [tag: string, count: number])[];
}

export interface Proof {
  readonly windows: number;
  readonly panes: number;
  /** What is wrong; empty where nothing is. */
  readonly problems: readonly string[];
}

const WINDOW_MS = 60_000;
const EVERY_MS = 5000;
const TOP = 10;
const TAG = /[#@]+[\p{L}\p{N}_]+/gu;

/** Reads tweets and log, and compares. */
export function prove(input: string, output: string): Proof {
  const counts = countsOf(linesOf<Tweet>(input));
  const panes = linesOf<PaneLine>(output);
  const problems: string[] = [];
  const byWindow = new Map<number, PaneLine[]>();
  for (const pane of panes) byWindow.set(pane.end, [...(byWindow.get(pane.end) ?? []), pane]);
  for (const [end, truth] of counts) {
    const ofWindow = byWindow.get(end) ?? [];
    const at = `window that ends at ${new Date(end).toISOString()}`;
    const indexes = ofWindow.map(({ index }) => index).sort((a, b) => a - b);
    indexes.forEach((index, i) => {
      if (index !== i) problems.push(`${at}: pane ${i} is ${index < i ? "there twice" : "missing"}`);
    });
    const onTime = ofWindow.filter(({ timing }) => timing === "ON_TIME").length;
    if (onTime !== 1) problems.push(`${at}: ${onTime} on-time panes`);
    const last = ofWindow.reduce<PaneLine | undefined>(
      (a, b) => (a === undefined || b.index > a.index ? b : a),
      undefined,
    );
    problems.push(...differences(last?.tags ?? [], truth).map((problem) => `${at}: ${problem}`));
  }
  for (const end of byWindow.keys()) if (!counts.has(end)) problems.push(`a window that ends at ${end}, of no tweet`);
  return { windows: counts.size, panes: panes.length, problems };
}

function linesOf<T>(path: string): T[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as T);
}

/** How often each tag is in each window, by the window's end. */
function countsOf(tweets: readonly Tweet[]): Map<number, Map<string, number>> {
  const counts = new Map<number, Map<string, number>>();
  for (const { text, eventTimeMs } of tweets) {
    const tags = text.match(TAG) ?? [];
    const first = Math.floor(eventTimeMs / EVERY_MS) * EVERY_MS + EVERY_MS;
    for (let end = first; end - WINDOW_MS <= eventTimeMs; end += EVERY_MS) {
      for (const tag of tags) {
        let ofWindow = counts.get(end);
        if (ofWindow === undefined) counts.set(end, (ofWindow = new Map()));
        ofWindow.set(tag, (ofWindow.get(tag) ?? 0) + 1);
      }
    }
  }
  return counts;
}

/** Tags that are equally frequent may stand for each other. */
function differences(tags: PaneLine["tags"], truth: ReadonlyMap<string, number>): string[] {
  const wrong = tags.flatMap(([tag, count]) =>
    truth.get(tag) === count ? [] : [`${tag} ${count} times in place of ${truth.get(tag) ?? 0}`],
  );
  const said = tags.map(([, count]) => count).join();
  const top = [...truth.values()]
    .sort((a, b) => b - a)
    .slice(0, TOP)
    .join();
  return said === top ? wrong : [...wrong, `counts ${said} in place of ${top}`];
}
