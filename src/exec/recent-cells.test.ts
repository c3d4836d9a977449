import fc from "fast-check";
import { expect, test } from "vitest";
import { IntervalWindow } from "../model/window.ts";
import { RecentCells } from "./recent-cells.ts";

const SEED = 20261124;
const KEYS = ["a", "b"];

interface Cell {
  readonly mapKey: string;
  readonly window: IntervalWindow;
}

test("N1: what is known of a key is what was kept, in whatever order windows come; an expired record is not found again", () => {
  const windows = Array.from({ length: 8 }, (_, i) => new IntervalWindow(i * 5, i * 5 + 10));
  const action = fc.oneof(
    fc.record({ key: fc.constantFrom(...KEYS), places: fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 5 }) }),
    fc.constant("expire" as const),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const recent = new RecentCells<Cell>();
      const live = new Map<string, Cell>();
      let expired = 0;
      for (const what of actions) {
        if (what === "expire") {
          const window = windows[expired++];
          for (const cell of live.values()) if (cell.window === window) recent.forget(cell);
          for (const [id, cell] of live) if (cell.window === window) live.delete(id);
          continue;
        }
        const array = what.places.filter((place) => place >= expired).map((place) => windows[place] as IntervalWindow);
        const cells = recent.of(what.key, array);
        expect(cells).toHaveLength(array.length);
        array.forEach((window, i) => {
          const id = `${what.key} ${window.id}`;
          const cell = live.get(id) ?? { mapKey: what.key, window };
          expect([undefined, cell]).toContain(cells[i]);
          live.set(id, cell);
          cells[i] = cell;
        });
        recent.keep(what.key, array, cells);
        expect(recent.of(what.key, array)).toEqual(cells);
        // The windows of the next element, but for one of them.
        const next = [...array.slice(1), new IntervalWindow(1000, 1010)];
        expect(recent.of(what.key, next)).toEqual([...cells.slice(1), undefined]);
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test("N1: a row goes with the first of its windows that expires", () => {
  const [first, second] = [new IntervalWindow(0, 10), new IntervalWindow(5, 15)];
  for (const array of [
    [first, second],
    [second, first],
  ]) {
    const recent = new RecentCells<Cell>();
    const cells = array.map((window): Cell => ({ mapKey: "a", window }));
    recent.keep("a", array, cells);
    recent.forget({ mapKey: "a", window: second });
    recent.forget(cells[array.indexOf(second)] as Cell);
    expect(recent.of("a", [second])).toEqual([cells[array.indexOf(second)]]);
    recent.forget(cells[array.indexOf(first)] as Cell);
    expect(recent.of("a", array)).toEqual([undefined, undefined]);
  }
});
