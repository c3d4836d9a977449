/** Time-ordered lists against sorted arrays. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  copyTimeOrdered,
  endOf,
  firstAtOrAfter,
  headOf,
  insert,
  remove,
  sizeOf,
  timeOrdered,
  type TimeOrdered,
} from "./time-ordered.ts";

type Step =
  | { readonly kind: "insert"; readonly time: number }
  | { readonly kind: "remove"; readonly from: number; readonly to: number };

const time = fc.integer({ min: 0, max: 30 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("insert" as const), time }) },
    fc.record({ kind: fc.constant("remove" as const), from: fc.constantFrom(-Infinity, 3, 9), to: time }),
  ),
  { maxLength: 120 },
);

function items(list: TimeOrdered): [unknown, unknown][] {
  const pairs: [unknown, unknown][] = [];
  for (let i = headOf(list); i < endOf(list); i += 2) pairs.push([list[i], list[i + 1]]);
  return pairs;
}

describe("a time-ordered list", () => {
  test("is the sorted array of what was put in and not taken out, equal times in the order of coming", () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (all, objects) => {
        let list = timeOrdered(0, "first");
        let dull: [number, unknown][] = [[0, "first"]];
        all.forEach((step, n) => {
          const value = objects ? { n } : n;
          if (step.kind === "insert") {
            list = insert(list, step.time, value);
            const at = dull.findIndex(([other]) => other > step.time);
            dull.splice(at < 0 ? dull.length : at, 0, [step.time, value]);
          } else {
            const begin = firstAtOrAfter(list, step.from);
            const end = firstAtOrAfter(list, step.to);
            if (end > begin) remove(list, begin, end);
            dull = dull.filter(([at]) => at < step.from || at >= step.to);
          }
          expect(items(list)).toEqual(dull);
          expect(sizeOf(list)).toBe(dull.length);
          if (n % 7 === 0) list = copyTimeOrdered(list);
        });
      }),
    );
  });

  test("lets go of objects that were taken out", () => {
    let list = timeOrdered(0, {});
    for (let i = 1; i < 10; i++) list = insert(list, i, {});
    remove(list, firstAtOrAfter(list, 2), firstAtOrAfter(list, 4));
    remove(list, firstAtOrAfter(list, 0), firstAtOrAfter(list, 1));
    expect(list.filter((item) => typeof item === "object")).toHaveLength(sizeOf(list));
  });
});
