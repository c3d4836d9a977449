import fc from "fast-check";
import { expect, test } from "vitest";
import { OverlayMap } from "./overlay-map.ts";

const SEED = 20261123;
const key = fc.integer({ min: 0, max: 5 });
const changes = fc.array(fc.record({ key, value: fc.option(fc.nat(), { nil: undefined }) }), { maxLength: 30 });

test("O1: it reads as the Map would after the same changes, and makes them when they are applied", () => {
  fc.assert(
    fc.property(fc.uniqueArray(key), changes, (keys, all) => {
      const base = new Map(keys.map((k): [number, string] => [k, `base ${k}`]));
      const before = [...base];
      const dull = new Map(base);
      const overlay = new OverlayMap(base);
      for (const { key: k, value } of all) {
        if (value === undefined) expect(overlay.delete(k)).toBe(dull.delete(k));
        else {
          overlay.set(k, `${value}`);
          dull.set(k, `${value}`);
        }
        expect([...overlay.values()]).toEqual([...dull.values()]);
        expect(overlay.size).toBe(dull.size);
        for (let i = 0; i <= 6; i++) expect([overlay.has(i), overlay.get(i)]).toEqual([dull.has(i), dull.get(i)]);
      }
      expect([...base]).toEqual(before);
      overlay.applyTo(base);
      expect([...base]).toEqual([...dull]);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
