/**
 * The records of each key in the windows of its last element: where windows overlap, the next element is in nearly all of them
 * too, and finds their records side by side instead of by one look-up for each.
 *
 * N1 A row goes with the first of its windows to expire: it keeps no record alive.
 * N2 A row that goes lets go of what it holds (host/records P3).
 */
import type { MapKey } from "../host/records.ts";
import type { Window } from "../model/window.ts";

interface Recent {
  readonly mapKey: MapKey;
  readonly window: Window;
}

interface Row<C> {
  windows: readonly Window[];
  /** By the place of their windows; undefined where it is not known. */
  cells: (C | undefined)[];
  /** The one whose window expires first. */
  first: C | undefined;
}

const NONE: readonly Window[] = [];

export class RecentCells<C extends Recent> {
  readonly #rows = new Map<MapKey, Row<C>>();

  /** The records of a key in `windows`, as far as they are known; the caller fills in the others, then calls `keep`. */
  of(mapKey: MapKey, windows: readonly Window[]): (C | undefined)[] {
    const row = this.#rows.get(mapKey);
    if (row?.windows === windows) return row.cells;
    const cells: (C | undefined)[] = [];
    // Windows come in one order: where one is found, the next is behind it.
    let at = -1;
    for (const window of windows) {
      at = row?.windows[at + 1] === window ? at + 1 : (row?.windows.indexOf(window) ?? -1);
      cells.push(at < 0 ? undefined : row?.cells[at]);
    }
    return cells;
  }

  keep(mapKey: MapKey, windows: readonly Window[], cells: (C | undefined)[]): void {
    const row = this.#rows.get(mapKey);
    if (row?.cells === cells) return;
    let first: C | undefined;
    for (const cell of cells)
      if (cell !== undefined && (first === undefined || cell.window.maxTimestamp < first.window.maxTimestamp))
        first = cell;
    if (first === undefined) return;
    if (row === undefined) this.#rows.set(mapKey, { windows, cells, first });
    else {
      row.windows = windows;
      row.cells = cells;
      row.first = first;
    }
  }

  /** The window of a record has expired. */
  forget(cell: C): void {
    const row = this.#rows.get(cell.mapKey);
    if (row?.first !== cell) return;
    this.#rows.delete(cell.mapKey);
    row.windows = NONE;
    row.cells = [];
    row.first = undefined;
  }
}
