/**
 * Beam's katas, written as their solutions would be in TypeScript: the exercises with which a newcomer to the model learns it,
 * by their names there.
 */
import {
  coGroupByKey,
  combineGlobally,
  type CombineFn,
  countGlobally,
  flatten,
  type KV,
  maxGlobally,
  meanGlobally,
  minGlobally,
  output,
  partition,
  type PCollection,
  sumFn,
  sumGlobally,
  text,
  topPerWindow,
  transform,
  withKeys,
} from "tidemark";
import { assertThat, runTest } from "tidemark/testing";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { eachMode } from "../validates-runner/each-mode.ts";

const ONE_TO_FIVE = [1, 2, 3, 4, 5];
const ONE_TO_TEN = [...ONE_TO_FIVE, 6, 7, 8, 9, 10];
const firstLetter = (word: string): string => word.slice(0, 1);

eachMode("Hello Beam", (p) => {
  assertThat(p.create(["Hello Beam"])).isSingleton("Hello Beam");
});

eachMode("Map, ParDo", (p) => {
  assertThat(p.create([10, 20, 30, 40, 50]).map((n) => n * 5)).containsInAnyOrder([50, 100, 150, 200, 250]);
  const tenfold = p.create("Numbers", ONE_TO_FIVE).parDo({ process: (n) => [n * 10] });
  assertThat(tenfold).containsInAnyOrder([10, 20, 30, 40, 50]);
});

eachMode("FlatMap, ParDo one-to-many", (p) => {
  const words = p.create(["Apache Beam", "Unified Batch and Streaming"]).flatMap((line) => line.split(" "));
  assertThat(words).containsInAnyOrder(["Apache", "Beam", "Unified", "Batch", "and", "Streaming"]);
  const many = p.create("Lines", ["Hello Beam", "It is awesome"]).parDo({ process: (line) => line.split(" ") });
  assertThat(many).containsInAnyOrder(["Hello", "Beam", "It", "is", "awesome"]);
});

eachMode("Filter", (p) => {
  assertThat(p.create(ONE_TO_TEN).filter((n) => n % 2 === 0)).containsInAnyOrder([2, 4, 6, 8, 10]);
});

eachMode("GroupByKey, WithKeys", (p) => {
  const words = p.create(["apple", "ball", "car", "bear", "cheetah", "ant"]);
  const grouped = words.apply(withKeys(firstLetter)).groupByKey();
  assertThat(grouped.mapValues((group) => group.toSorted())).containsInAnyOrder([
    ["a", ["ant", "apple"]],
    ["b", ["ball", "bear"]],
    ["c", ["car", "cheetah"]],
  ]);
});

eachMode("CoGroupByKey", (p) => {
  const fruits = p.create("Fruits", ["apple", "banana", "cherry"]).apply("By fruit", withKeys(firstLetter));
  const countries = p.create("Countries", ["australia", "brazil", "canada"]).apply("By country", withKeys(firstLetter));
  const joined = coGroupByKey({ fruits, countries }).map(
    ([letter, both]) => `${letter} ${both.fruits.join()} ${both.countries.join()}`,
  );
  assertThat(joined).containsInAnyOrder(["a apple australia", "b banana brazil", "c cherry canada"]);
});

eachMode("Combine: simple function, CombineFn, per key", (p) => {
  const sum = (numbers: Iterable<number>): number => {
    let total = 0;
    for (const n of numbers) total += n;
    return total;
  };
  assertThat(p.create(ONE_TO_FIVE).apply("Sum", combineGlobally(sum))).isSingleton(15);
  const mean: CombineFn<number, { sum: number; count: number }, number> = {
    createAccumulator: () => ({ sum: 0, count: 0 }),
    addInput: ({ sum: before, count }, n) => ({ sum: before + n, count: count + 1 }),
    mergeAccumulators: (all) => ({ sum: sum(all.map((a) => a.sum)), count: sum(all.map((a) => a.count)) }),
    extractOutput: (all) => all.sum / all.count,
  };
  assertThat(p.create("Five", [10, 20, 50, 70, 90]).apply("Mean", combineGlobally(mean))).isSingleton(48);
  const points = p.create<KV<string, number>>("Points", [
    ["P1", 15],
    ["P2", 10],
    ["P1", 100],
    ["P3", 25],
    ["P2", 75],
  ]);
  assertThat(points.combinePerKey(sumFn())).containsInAnyOrder([
    ["P1", 115],
    ["P2", 85],
    ["P3", 25],
  ]);
});

eachMode("Flatten, Partition, Branching", (p) => {
  const a = p.create("A", ["apple", "ant", "arrow"]);
  const b = p.create("B", ["ball", "book", "bow"]);
  assertThat(flatten([a, b])).containsInAnyOrder(["apple", "ant", "arrow", "ball", "book", "bow"]);
  const numbers = p.create("Numbers", [1, 2, 3, 4, 5, 100, 110, 150, 250]);
  const [big, rest] = numbers.apply(partition(2, (n) => (n > 100 ? 0 : 1)));
  assertThat(big).containsInAnyOrder([110, 150, 250]);
  assertThat(rest).containsInAnyOrder([1, 2, 3, 4, 5, 100]);
  const branched = p.create("Five", ONE_TO_FIVE);
  assertThat(branched.map("Five times", (n) => n * 5)).containsInAnyOrder([5, 10, 15, 20, 25]);
  assertThat(branched.map("Ten times", (n) => n * 10)).containsInAnyOrder([10, 20, 30, 40, 50]);
});

eachMode("Side input", (p) => {
  const countries = p
    .create<KV<string, string>>("Cities", [
      ["Beijing", "China"],
      ["London", "United Kingdom"],
      ["San Francisco", "United States"],
      ["Singapore", "Singapore"],
      ["Sydney", "Australia"],
    ])
    .asMap();
  const persons = p.create("Persons", [
    { name: "Henry", city: "Singapore" },
    { name: "Jane", city: "San Francisco" },
    { name: "Lee", city: "Beijing" },
    { name: "John", city: "Sydney" },
    { name: "Alfred", city: "London" },
  ]);
  const placed = persons.map(({ name, city }, { sideInputs }) => `${name}: ${sideInputs.countries.get(city)}`, {
    sideInputs: { countries },
  });
  assertThat(placed).containsInAnyOrder([
    "Henry: Singapore",
    "Jane: United States",
    "Lee: China",
    "John: Australia",
    "Alfred: United Kingdom",
  ]);
});

eachMode("Side output", (p) => {
  const split = p.create([10, 50, 120, 20, 200, 0]).parDo({
    outputs: { main: output<number>(), above: output<number>() },
    process(n, context) {
      if (n <= 100) context.output(n);
      else context.outputTo("above", n);
    },
  });
  assertThat(split).containsInAnyOrder([10, 50, 20, 0]);
  assertThat(split.outputs.above).containsInAnyOrder([120, 200]);
});

eachMode("Composite transform", (p) => {
  const tenfoldOfEach = transform("Tenfold of each", (lines: PCollection<string>) =>
    lines
      .flatMap((line) => line.split(","))
      .map(Number)
      .map("Tenfold", (n) => n * 10),
  );
  const numbers = p.create(["1,2,3,4,5", "6,7,8,9,10"]).apply(tenfoldOfEach);
  assertThat(numbers).containsInAnyOrder([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
});

eachMode("Count, Sum, Mean, Smallest, Largest", (p) => {
  const numbers = p.create(ONE_TO_TEN);
  assertThat(numbers.apply(countGlobally())).isSingleton(10);
  assertThat(numbers.apply(sumGlobally())).isSingleton(55);
  assertThat(numbers.apply(meanGlobally())).isSingleton(5.5);
  assertThat(numbers.apply(minGlobally())).isSingleton(1);
  assertThat(numbers.apply(maxGlobally())).isSingleton(10);
  assertThat(numbers.apply(topPerWindow(2, (a: number, b: number) => a - b))).isSingleton([10, 9]);
});

test("TextIO Read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-kata-"));
  try {
    const file = join(folder, "countries.txt");
    writeFileSync(file, "Singapore\nUnited States\nAustralia\n");
    await runTest((p) => {
      const upper = p.apply(text.read(file)).map((name) => name.toUpperCase());
      assertThat(upper).containsInAnyOrder(["SINGAPORE", "UNITED STATES", "AUSTRALIA"]);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
