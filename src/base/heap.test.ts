import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "./heap.ts";

const SEED = 20261123;
const heap = (): Heap<number> => new Heap<number>((a, b) => a < b);

test("H1: whatever is pushed and popped, what leaves is the least of what is in it", () => {
  const pushOrPop = fc.option(fc.integer({ min: -20, max: 20 }), { nil: undefined });
  fc.assert(
    fc.property(fc.array(pushOrPop, { maxLength: 200, size: "max" }), (actions) => {
      const fast = heap();
      const dull: number[] = [];
      for (const pushed of actions) {
        if (pushed === undefined) expect(fast.pop()).toBe(dull.shift());
        else {
          fast.push(pushed);
          dull.push(pushed);
          dull.sort((a, b) => a - b);
        }
        expect(fast.peek()).toBe(dull[0]);
        expect(fast.size).toBe(dull.length);
        expect([...fast].sort((a, b) => a - b)).toEqual(dull);
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("an empty heap has nothing to give, also after it was cleared", () => {
  const empty = heap();
  expect([empty.peek(), empty.pop(), empty.size]).toEqual([undefined, undefined, 0]);
  empty.push(1);
  empty.clear();
  expect([empty.peek(), empty.pop(), empty.size]).toEqual([undefined, undefined, 0]);
});
