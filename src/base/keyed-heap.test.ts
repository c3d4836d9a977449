import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyedHeap } from "./keyed-heap.ts";

const SEED = 20261123;

interface Item {
  readonly key: number;
  readonly order: number;
}

const byNumbers = (a: Item, b: Item): number => a.key - b.key || a.order - b.order;

/** What is in a heap, in no order. */
function contents(heap: KeyedHeap<Item>): Item[] {
  return Array.from(heap.entries(), ([item]) => item);
}

test("H1: whatever is pushed, popped and swept, what leaves is the least of what is in it", () => {
  const item = fc.record({ key: fc.integer({ min: -20, max: 20 }), order: fc.nat({ max: 3 }) });
  const action = fc.oneof(
    { weight: 5, arbitrary: item },
    { weight: 4, arbitrary: fc.constant("pop" as const) },
    { weight: 1, arbitrary: fc.constant("sweep" as const) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200, size: "max" }), (actions) => {
      const fast = new KeyedHeap<Item>();
      let dull: Item[] = [];
      for (const what of actions) {
        if (what === "pop") expect(fast.pop()).toEqual(dull.shift());
        else if (what === "sweep") {
          fast.sweep(({ key }) => key % 2 === 0);
          dull = dull.filter(({ key }) => key % 2 === 0);
        } else {
          fast.push(what.key, what.order, what);
          dull.push(what);
          dull.sort(byNumbers);
        }
        expect(fast.peek()).toEqual(dull[0]);
        expect(fast.firstKey).toBe(dull[0]?.key ?? Infinity);
        if (dull[0] !== undefined) expect(fast.firstOrder).toBe(dull[0].order);
        expect(fast.size).toBe(dull.length);
        expect(contents(fast).toSorted(byNumbers)).toEqual(dull);
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("H2: an item's numbers are those it was pushed with", () => {
  const heap = new KeyedHeap<{ key: number }>();
  const moved = { key: 1 };
  heap.push(1, 0, moved);
  heap.push(2, 0, { key: 2 });
  moved.key = 3;
  expect(heap.firstKey).toBe(1);
  expect(heap.pop()).toBe(moved);
});

test("an empty heap has nothing to give, also after it was cleared", () => {
  const empty = new KeyedHeap<number>();
  expect([empty.peek(), empty.pop(), empty.size]).toEqual([undefined, undefined, 0]);
  empty.push(1, 0, 1);
  empty.sweep(() => false);
  expect([empty.peek(), empty.pop(), empty.size]).toEqual([undefined, undefined, 0]);
});

test("swept bit by bit, between pushes and pops: what is to stay stays in its order, what is not leaves in time", () => {
  const item = fc.record({ key: fc.integer({ min: 0, max: 9 }), order: fc.nat({ max: 9 }) });
  const rounds = fc.array(fc.record({ items: fc.array(item, { maxLength: 5 }), pops: fc.nat({ max: 400 }) }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(rounds, fc.boolean(), (all, ascending) => {
      const heap = new KeyedHeap<Item>();
      const isKept = ({ order }: Item): boolean => order % 2 === 0;
      let left: Item[] = [];
      let base = 0;
      for (const { items, pops } of all) {
        for (let i = 0; i < 1500; i++) {
          const made = items[i % Math.max(1, items.length)] ?? { key: 0, order: 1 };
          const pushed = { key: ascending ? base + i : made.key, order: made.order };
          heap.push(pushed.key, pushed.order, pushed);
          left.push(pushed);
        }
        base += 1500;
        heap.sweep(isKept);
        left.sort(byNumbers);
        for (let i = 0; i < pops; i++) {
          const popped = heap.pop();
          if (popped === undefined) break;
          if (isKept(popped)) left = left.slice(left.findIndex((each) => byNumbers(each, popped) === 0));
          if (isKept(popped)) expect(left.shift()).toEqual(popped);
        }
        left = left.filter(isKept);
      }
      for (let i = 0; i < 200; i++) heap.sweep(isKept);
      expect(heap.size).toBe(left.length);
      for (const each of left) expect(heap.pop()).toEqual(each);
    }),
    { seed: SEED, numRuns: 20 },
  );
});
