import fc from "fast-check";
import { expect, test } from "vitest";
import { type Hold, Holds } from "./holds.ts";

const SEED = 20261123;

test("H1: a time held twice blocks until both holds are released", () => {
  const holds = new Holds();
  const [one, two] = [holds.add(10), holds.add(10)];
  holds.release(one);
  expect(holds.earliest()).toBe(10);
  holds.release(two);
  expect(holds.earliest()).toBe(Infinity);
});

test("H1: releasing one hold twice does not release another of the same time", () => {
  const holds = new Holds();
  const once = holds.add(10);
  holds.add(10);
  holds.release(once);
  holds.release(once);
  expect(holds.earliest()).toBe(10);
});

test("H2: earliest is the least time that is held, or Infinity, through any adding and releasing", () => {
  const add = fc.record({ add: fc.integer({ min: 0, max: 50 }) });
  const release = fc.record({ release: fc.nat() });
  fc.assert(
    fc.property(fc.array(fc.oneof(add, release), { maxLength: 300, size: "max" }), (actions) => {
      const holds = new Holds();
      const held: Hold[] = [];
      for (const action of actions) {
        if ("add" in action) held.push(holds.add(action.add));
        else if (held.length > 0) holds.release(held.splice(action.release % held.length, 1)[0] as Hold);
        expect(holds.earliest()).toBe(Math.min(Infinity, ...held.map((hold) => hold.at)));
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("H2: it stays so when thousands of released holds are swept out from under one that never moves", () => {
  const holds = new Holds();
  const first = holds.add(0);
  const later = Array.from({ length: 5000 }, (_, i) => holds.add(1 + i));
  for (const hold of later.slice(0, 4999)) holds.release(hold);
  expect(holds.earliest()).toBe(0);
  holds.release(first);
  expect(holds.earliest()).toBe(5000);
});
