/**
 * What the demo shows: a live table on a terminal, plain lines elsewhere. Pure rendering first, then the two drivers.
 *
 * V1 No line is wider than the terminal, counted in columns: Hangul takes two.
 * V2 A frame is lower than the terminal: the cursor cannot go up to a line that has scrolled away.
 * V3 The cursor is shown again when the view stops, or the process exits before.
 */
import stringWidth from "string-width";
import type { Top } from "./trending.ts";

/** One pane as it arrived. */
export interface PaneShown {
  readonly start: number;
  readonly end: number;
  readonly timing: string;
  readonly index: number;
  readonly top: Top;
}

/** Everything that a frame says. */
export interface Model {
  readonly now: PaneShown | undefined;
  /** Ranks in the window before, to show who rises. */
  readonly before: ReadonlyMap<string, number>;
  readonly closed: readonly PaneShown[];
  readonly watermark: number;
  /** Latest event time read. */
  readonly latest: number;
  readonly read: number;
  readonly total: number;
  readonly perSecond: number;
  readonly panes: Readonly<Record<string, number>>;
  readonly dropped: number;
}

/** Cut or filled to exactly `columns` columns. */
export function fit(text: string, columns: number): string {
  let out = "";
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const w = stringWidth(segment);
    if (width + w > columns) break;
    out += segment;
    width += w;
  }
  return out + " ".repeat(Math.max(0, columns - width));
}

function clock(ms: number): string {
  return Math.abs(ms) > 8.64e15 ? "--:--:--" : new Date(ms).toISOString().slice(11, 19);
}

/** How far the watermark is behind the newest tweet; nothing before the first tweet and after the last. */
function lag({ watermark, latest }: Model): string {
  const ms = latest - watermark;
  return Math.abs(watermark) > 8.64e15 || ms < 0 ? "" : ` (${(ms / 1000).toFixed(1)} s behind)`;
}

const BAR = "█";
type Paint = (code: number, text: string) => string;
const painted: Paint = (code, text) => `\u001b[${code}m${text}\u001b[0m`;
const plain: Paint = (_code, text) => text;

function movement(model: Model, tag: string, rank: number): string {
  const was = model.before.get(tag);
  if (was === undefined) return "+";
  return was > rank ? "▲" : was < rank ? "▼" : "·";
}

/** Lines above the tags; and how many closed windows a frame shows where there is room. */
const ABOVE = 5;
const CLOSED = 4;

/** The lines of one frame: each at most `columns` wide, at most `height` of them. Closed windows give way before tags do. */
export function renderFrame(model: Model, columns: number, colour: boolean, height: number = Infinity): string[] {
  const wanted = Math.max(10, model.now?.top.length ?? 0);
  const rows = Math.max(0, Math.min(wanted, height - ABOVE));
  // Two lines are the gap and the heading.
  const closed = Math.min(CLOSED, height - ABOVE - rows - 2);
  const paint = colour ? painted : plain;
  const line = (text: string): string => fit(text, columns).trimEnd();
  const { now } = model;
  const lines = [paint(1, line("Tidemark · trending hashtags, one minute of event time, every few seconds"))];
  lines.push(line(renderProgress(model)));
  lines.push(line(renderCounts(model)), "");
  if (now === undefined) lines.push(line("waiting for the first pane …"));
  else {
    lines.push(
      paint(
        36,
        line(`window [${clock(now.start)}, ${clock(now.end)})  ${now.timing.replace("_", " ")} pane ${now.index}`),
      ),
    );
    const most = Math.max(1, ...now.top.map(([, count]) => count));
    const tagWidth = Math.min(20, Math.max(8, Math.floor(columns / 3)));
    const barWidth = Math.max(0, columns - tagWidth - 16);
    now.top.slice(0, rows).forEach(([tag, count], i) => {
      const bar = BAR.repeat(Math.round((barWidth * count) / most));
      const head = `${String(i + 1).padStart(3)} ${movement(model, tag, i)} ${fit(tag, tagWidth)} ${String(count).padStart(6)} `;
      lines.push(
        stringWidth(head) + barWidth <= columns ? `${head}${paint(34, fit(bar, barWidth).trimEnd())}` : line(head),
      );
    });
    for (let i = now.top.length; i < rows; i++) lines.push("");
  }
  if (closed > 0) {
    lines.push("", line("closed windows:"));
    for (const pane of model.closed.slice(-closed)) {
      lines.push(line(`  [${clock(pane.start)}, ${clock(pane.end)})  ${describeWinner(pane)}`));
    }
  }
  return lines.slice(0, height);
}

/** How far the replay is, in one line. */
export function renderProgress(model: Model): string {
  // A file of one's own is not counted beforehand.
  const done = model.total === 0 ? "" : ` (${Math.floor((100 * model.read) / model.total)} %)`;
  return `watermark ${clock(model.watermark)}${lag(model)}  newest ${clock(model.latest)}  ${Math.round(model.perSecond)} tweets/s  ${model.read} read${done}`;
}

/** The panes so far by timing, and the tag counts that no pane has, in one line. */
export function renderCounts({ panes, dropped }: Pick<Model, "panes" | "dropped">): string {
  const { EARLY = 0, ON_TIME = 0, LATE = 0, CUT_SHORT } = panes;
  const cutShort = CUT_SHORT === undefined ? "" : `, ${CUT_SHORT} cut short`;
  return `panes: ${EARLY} early, ${ON_TIME} on time, ${LATE} late${cutShort}   dropped as too late: ${dropped}`;
}

function describeWinner(pane: PaneShown): string {
  const [winner] = pane.top;
  return winner === undefined ? "no tags" : `${winner[0]} with ${winner[1]}`;
}

/** One line for a pane, where there is no terminal. */
export function renderLine(pane: PaneShown): string {
  const tags = pane.top.map(([tag, count]) => `${tag} ${count}`).join(", ");
  return `[${clock(pane.start)}, ${clock(pane.end)}) ${pane.timing.replace("_", " ")} pane ${pane.index}: ${tags}`;
}

/** Draws frames over one another. */
export class TerminalView {
  readonly #out: NodeJS.WriteStream;
  readonly #colour: boolean;
  readonly #showCursor = (): void => void this.#out.write("\u001b[?25h");
  #drawn = 0;

  constructor(out: NodeJS.WriteStream, colour: boolean) {
    this.#out = out;
    this.#colour = colour;
    out.write("\u001b[?25l");
    process.once("exit", this.#showCursor);
  }

  draw(model: Model): void {
    // A terminal that does not know its size says 0. The last line is left to the cursor.
    const columns = this.#out.columns || 80;
    const lines = renderFrame(model, columns, this.#colour, Math.max(1, (this.#out.rows || 24) - 1));
    this.#out.write(`${this.#up()}${lines.map((text) => `\u001b[2K${text}\n`).join("")}\u001b[J`);
    this.#drawn = lines.length;
  }

  /** Leaves text where the frame is, which goes on below it. */
  print(text: string): void {
    this.#out.write(`${this.#up()}\u001b[J${text}\n`);
    this.#drawn = 0;
  }

  /** To the first line of the frame. */
  #up(): string {
    return this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A`;
  }

  /** Gives the cursor back. */
  stop(): void {
    process.off("exit", this.#showCursor);
    this.#showCursor();
  }
}
