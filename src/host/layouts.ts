/**
 * What records consist of, as data: so that a later version of a program can say what fits, and read what an earlier one wrote.
 *
 * Y1 A record says by number which layout it was written in; the numbers are the places in the step's list of layouts, which only
 *    grows. So records are read as they are, and written in the newest layout when they change next.
 * Y2 What a cell held lives on as long as no layout since has been without it.
 */

/** One cell of a stateful DoFn. */
export interface CellLayout {
  readonly name: string;
  readonly kind: string;
  /** The name of the coder of its items. */
  readonly coder: string;
  /** Whether that is no coder of plain data: only the program can read its items. */
  readonly opaque: boolean;
  readonly ttl: boolean;
  readonly version: number;
  /** The versions that its step can make this one of, and with which coder those were written. */
  readonly from: readonly { readonly version: number; readonly coder: string }[];
}

/** What a step keeps for each key and window. */
export interface RecordLayout {
  readonly lane: "state" | "window" | "slice" | "general";
  /** The name of the coder of keys. */
  readonly key: string;
  /** The kind of windows. */
  readonly windows: string;
  /** Of a grouping: the name of the coder of accumulators, and where it matters the trigger. */
  readonly accumulator?: string;
  readonly trigger?: string;
  /** Of a stateful DoFn. */
  readonly cells?: readonly CellLayout[];
}

export type Change = "kept" | "added" | "dropped" | "retyped";

export interface CellChange {
  readonly cell: string;
  readonly change: Change | "migrated";
  readonly was?: string;
  readonly is?: string;
}

/** What becomes of one step's state in another version of the program. */
export interface StepChange {
  readonly step: string;
  readonly change: Change;
  readonly was?: string;
  readonly is?: string;
  /** Of a stateful DoFn that is kept. */
  readonly cells?: readonly CellChange[];
  /** Whether something that is there would be lost. */
  readonly loses: boolean;
}

/** A layout in words. */
export function layoutText({ lane, key, windows, accumulator, trigger, cells }: RecordLayout): string {
  if (cells !== undefined) return `state(${key}, ${windows}) {${cells.map((one) => cellText(one)).join(", ")}}`;
  return `${lane}(${key}, ${accumulator ?? ""}, ${windows})${trigger === undefined ? "" : ` ${trigger}`}`;
}

function cellText(cell: CellLayout): string {
  return `${cell.name}: ${typeText(cell)}`;
}

function typeText({ kind, coder, version }: CellLayout): string {
  return `${kind}<${coder}>${version === 1 ? "" : ` version ${version}`}`;
}

/** Whether records of all `earlier` layouts of a step can be read as `now`, but for what its cells say. */
export function isSameButForCells(earlier: RecordLayout, now: RecordLayout): boolean {
  const [a, b] = [earlier, now].map(({ cells, ...rest }) => JSON.stringify({ ...rest, cells: cells !== undefined }));
  return a === b;
}

/** Whether nothing has changed that the bytes depend on. */
export function areEqual(a: RecordLayout, b: RecordLayout): boolean {
  return JSON.stringify(bytesOf(a)) === JSON.stringify(bytesOf(b));
}

function bytesOf({ cells, ...rest }: RecordLayout): unknown {
  return [rest, cells?.map(({ name, kind, coder, opaque, ttl, version }) => [name, kind, coder, opaque, ttl, version])];
}

/**
 * What becomes of the cells of the records that lie there.
 * @param history the layouts that they may be in, the newest last
 */
export function cellChanges(history: readonly RecordLayout[], now: RecordLayout): readonly CellChange[] {
  const cells = now.cells ?? [];
  const newest = history.at(-1)?.cells ?? [];
  const changes = cells.map((cell): CellChange => {
    const is = typeText(cell);
    const before = formersOf(cell.name, history);
    const last = before[0];
    if (last === undefined) return { cell: cell.name, change: "added", is };
    const was = typeText(last);
    const hows = before.map((former) => howToRead(former, cell));
    const problem = before.find((_, i) => hows[i] === undefined);
    if (problem !== undefined) return { cell: cell.name, change: "retyped", was: typeText(problem), is };
    return { cell: cell.name, change: hows.includes("migrated") ? "migrated" : "kept", was, is };
  });
  const dropped = newest.filter(({ name }) => !cells.some((cell) => cell.name === name));
  return [
    ...changes,
    ...dropped.map((cell): CellChange => ({ cell: cell.name, change: "dropped", was: typeText(cell) })),
  ];
}

/** A cell in the layouts since it was last absent, the newest first. */
function formersOf(name: string, history: readonly RecordLayout[]): readonly CellLayout[] {
  const found: CellLayout[] = [];
  for (const { cells } of history.toReversed()) {
    const former = cells?.find((cell) => cell.name === name);
    if (former === undefined) break;
    found.push(former);
  }
  return found;
}

/** How what a cell held is taken over; undefined where it cannot be. */
export function howToRead(former: CellLayout, now: CellLayout): "kept" | "migrated" | undefined {
  if (former.kind !== now.kind) return undefined;
  if (former.version === now.version) return former.coder === now.coder ? "kept" : undefined;
  return now.from.some(({ version, coder }) => version === former.version && coder === former.coder)
    ? "migrated"
    : undefined;
}

/** Whether what the cell held in the layout of that place reaches the newest one: see Y2. @param history the newest is last */
export function livesOn(name: string, place: number, history: readonly RecordLayout[]): boolean {
  const since = history.slice(place);
  const now = since.at(-1)?.cells?.find((cell) => cell.name === name);
  return (
    now !== undefined &&
    since.every(({ cells }) => {
      const former = cells?.find((cell) => cell.name === name);
      return former !== undefined && howToRead(former, now) !== undefined;
    })
  );
}

/** A change in words, a line for each thing that changes. */
export function changeLines({ step, change, was, is, cells = [] }: StepChange): readonly string[] {
  const of = `step "${step}"`;
  if (change === "added") return [`${of} is new${is === undefined ? "" : `, and keeps ${is}`}`];
  if (change === "dropped") return [`${of} is not there any more: it kept ${was}`];
  if (change === "retyped") return [`${of} kept ${was}, and keeps ${is ?? "nothing"} now`];
  return cells.flatMap((cell) => {
    const name = `${of}: cell "${cell.cell}"`;
    if (cell.change === "kept") return [];
    if (cell.change === "added") return [`${name} is new: ${cell.is}`];
    if (cell.change === "dropped") return [`${name} is not there any more: it was ${cell.was}`];
    if (cell.change === "migrated") return [`${name} becomes ${cell.is}: it was ${cell.was}, and there is a migration`];
    return [`${name} was ${cell.was}, and is ${cell.is} now`];
  });
}
