/** What the panes of the demo say so far. */
import { IntervalWindow, type Sink } from "tidemark";
import type { Top } from "./trending.ts";
import type { PaneShown } from "./view.ts";

/** A window that was still open when the job was stopped fires like one that is over: the view must not say so. */
export const CUT_SHORT = "CUT_SHORT";

export class Board {
  readonly panes: Record<string, number> = {};
  readonly closed: PaneShown[] = [];
  now: PaneShown | undefined;
  before: ReadonlyMap<string, number> = new Map();
  dropped = 0;
  #stoppedAt: number | undefined;

  /** The job is stopped before its input is over. @param watermark how far event time had come */
  stop(watermark: number): void {
    this.#stoppedAt ??= watermark;
  }

  /** @returns the pane as it is shown */
  add(pane: PaneShown): PaneShown {
    const shown =
      pane.timing === "ON_TIME" && this.#stoppedAt !== undefined && pane.end > this.#stoppedAt
        ? { ...pane, timing: CUT_SHORT }
        : pane;
    this.panes[shown.timing] = (this.panes[shown.timing] ?? 0) + 1;
    if (shown.timing === "ON_TIME") this.closed.push(shown);
    // The open window that ends soonest has the most to say: the others are still filling.
    const current = this.now;
    const over = current !== undefined && current.timing !== "EARLY";
    if (current === undefined || shown.end === current.end || (over && shown.end > current.end)) {
      if (current !== undefined && shown.end !== current.end)
        this.before = new Map(current.top.map(([tag], rank) => [tag, rank]));
      this.now = shown;
    }
    return shown;
  }

  /** The tags that led the most closed windows, and how many each. */
  leaders(most: number): readonly (readonly [tag: string, windows: number])[] {
    const wins = new Map<string, number>();
    for (const { top } of this.closed) for (const [tag] of top.slice(0, 1)) wins.set(tag, (wins.get(tag) ?? 0) + 1);
    return [...wins].sort(([, a], [, b]) => b - a).slice(0, most);
  }
}

/** Puts each pane on the board. */
export function boardSink(board: Board, onPane: (pane: PaneShown) => void): Sink<Top> {
  return {
    name: "board",
    open: () => ({
      write(top, { windows: [window], pane }) {
        if (!(window instanceof IntervalWindow)) return;
        const { start, end } = window;
        onPane(board.add({ start, end, timing: pane.timing, index: pane.index, top }));
      },
      seal: () => [],
      commit: async () => {},
      lastCommitted: async () => 0,
      close: () => {},
    }),
  };
}
