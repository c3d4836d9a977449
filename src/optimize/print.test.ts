import { expect, test } from "vitest";
import { afterCount, fixedWindows, type KV, pipeline, type Program, repeatedly, sumFn } from "../index.ts";
import { planStages } from "./stages.ts";
import { printMermaid, printText } from "./print.ts";

const program = pipeline({
  name: "printed",
  build(p) {
    const numbers = p.create<KV<string, number>>("Numbers", [["a", 1]]);
    const view = numbers.values("Values").asList("All");
    numbers
      .windowInto("Window", fixedWindows(1000), {
        trigger: repeatedly(afterCount(2)),
        accumulation: "accumulating",
        allowedLateness: 50,
      })
      .combinePerKey("Sum", sumFn())
      .map('Look "up"', (pair, { sideInputs }) => [pair, sideInputs.all], { sideInputs: { all: view } })
      .write("Write", { name: "memory", open: () => ({}) as never });
  },
}) as Program;

const graph = (await program.build({})).graph;
const stages = planStages(graph);
/** Without the place in the program, which every edit of this file would change. */
const withoutPlaces = (text: string): string => text.replaceAll(/ {2}\S+print\.test\.ts:\d+:\d+/g, "");

test("text: stages with lane and reason, steps with windowing, inputs and side inputs by name", () => {
  expect(withoutPlaces(printText(graph, stages))).toBe(`pipeline printed: 7 steps in 5 stages

stage 0 (source): a source
  Numbers  [read create(1)]
  Values  [map]
  Window  [windowInto]
    windows fixed(1000 ms), trigger repeatedly, accumulating, allowed lateness 50 ms

stage 1 (view, lane general): makes a side input
  All  [view]
  from Values

stage 2 (keyed, lane general): groups by key; its trigger is repeatedly
  Sum  [combine per key: Sum]
  from Window

stage 3 (chain): waits for side inputs
  Look "up"  [map]
  from Sum
  side inputs All

stage 4 (sink): a sink
  Write  [write memory]
  from Look "up"
`);
});

test("text: a step names its place in the program", () => {
  expect(printText(graph, stages)).toMatch(/Sum {2}\[combine per key: Sum\] {2}\S*print\.test\.ts:\d+:\d+\n/);
});

test("Mermaid: a box for each stage, arrows for collections, dotted ones for side inputs, quotes escaped", () => {
  expect(printMermaid(graph, stages)).toBe(`flowchart TD
  subgraph s0 ["stage 0"]
    t0["Numbers"]
    t1["Values"]
    t3["Window"]
  end
  subgraph s1 ["stage 1: general lane"]
    t2["All"]
  end
  subgraph s2 ["stage 2: general lane"]
    t4["Sum"]
  end
  subgraph s3 ["stage 3"]
    t5["Look #quot;up#quot;"]
  end
  subgraph s4 ["stage 4"]
    t6["Write"]
  end
  t0 --> t1
  t1 --> t2
  t0 --> t3
  t3 --> t4
  t4 --> t5
  t2 -. all .-> t5
  t5 --> t6
`);
});
