import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bundleCuts, CLASSES, classify, cutBundles, scenarios } from "./arbitraries.ts";
import { differences } from "./compare.ts";
import { runReference } from "./run.ts";
import type { GoldenElement, GoldenEvent, GoldenPane } from "./scenario.ts";

const SEED = 20261123;

const elementsOf = (events: readonly GoldenEvent[]): readonly GoldenElement[] =>
  events.flatMap((event) => ("elements" in event ? event.elements : []));

test("each class is reached by at least 5 % of generated scenarios", () => {
  const runs = 1000;
  const reached = new Map<string, number>(CLASSES.map((name) => [name, 0]));
  for (const scenario of fc.sample(scenarios(), { seed: SEED, numRuns: runs })) {
    for (const name of classify(scenario, runReference(scenario))) reached.set(name, (reached.get(name) ?? 0) + 1);
  }
  const rare = [...reached].filter(([, times]) => times < runs * 0.05);
  expect(rare, `seed ${SEED}`).toEqual([]);
});

describe("whatever the scenario, the reference model", () => {
  const holds = (rule: (scenario: ReturnType<typeof runReference>, panes: readonly GoldenPane[]) => void): void =>
    fc.assert(
      fc.property(scenarios({ kinds: ["group", "combine", "cascade", "cascadeRewindow"] }), (scenario) => {
        const result = runReference(scenario);
        rule(result, result.panes);
      }),
      { seed: SEED, numRuns: 300 },
    );

  test("fires early panes, then at most one on time, then late ones", () =>
    holds((_result, panes) => {
      for (const timings of runsOfPanes(panes).map((run) => run.map((pane) => pane.timing).join(" "))) {
        expect(timings).toMatch(/^(EARLY ?)*(ON_TIME ?)?(LATE ?)*$/);
      }
    }));

  test("counts panes from 0, and those that are not early likewise", () =>
    holds((_result, panes) => {
      for (const run of runsOfPanes(panes)) {
        expect(run.map((pane) => pane.index)).toEqual(run.map((_, i) => i));
        const settled = run.filter((pane) => pane.timing !== "EARLY").map((pane) => pane.nonSpeculativeIndex);
        expect(settled).toEqual(settled.map((_, i) => i));
        expect(run.slice(0, -1).every((pane) => !pane.isLast)).toBe(true);
      }
    }));

  test("loses no element: discarding panes and drops together are the input, window by window", () =>
    fc.assert(
      fc.property(scenarios({ kinds: ["group"] }), ({ pipeline, events }) => {
        fc.pre(
          pipeline.window.type === "fixed" || pipeline.window.type === "sessions" || pipeline.window.type === "global",
        );
        const ended: GoldenEvent[] = [
          ...events.filter((event) => !("watermark" in event && event.watermark === "inf")),
          { watermark: "inf" },
        ];
        const { panes, late } = runReference({ pipeline: { ...pipeline, accumulation: "discarding" }, events: ended });
        const out = [...panes.flatMap((pane) => pane.value as readonly number[]), ...late.map((drop) => drop.value)];
        const input = elementsOf(events).map((element) => element.value);
        const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
        expect(sorted(out)).toEqual(sorted(input));
      }),
      { seed: SEED, numRuns: 300 },
    ));
});

test("A3: cutting bundles keeps the elements, their order, and what stands between them", () => {
  fc.assert(
    fc.property(scenarios(), bundleCuts(), ({ events }, cuts) => {
      const cut = cutBundles(events, cuts);
      expect(elementsOf(cut)).toEqual(elementsOf(events));
      expect(cut.filter((event) => !("elements" in event))).toEqual(events.filter((event) => !("elements" in event)));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("bundle cuts do not change panes that only the watermark fires", () => {
  fc.assert(
    fc.property(scenarios({ kinds: ["group"], bundleBlind: true }), bundleCuts(), ({ pipeline, events }, cuts) => {
      const whole = runReference({ pipeline, events });
      const cut = runReference({ pipeline, events: cutBundles(events, cuts) });
      expect(differences(whole.panes, cut.panes)).toEqual([]);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

/** The panes of each key and window, in order of firing; a merge that makes a window anew starts another run. */
function runsOfPanes(panes: readonly GoldenPane[]): GoldenPane[][] {
  const runs: GoldenPane[][] = [];
  const open = new Map<string, GoldenPane[]>();
  for (const pane of panes) {
    const place = `${pane.key} ${JSON.stringify(pane.window)}`;
    let run = open.get(place);
    if (run === undefined || pane.isFirst) {
      run = [];
      runs.push(run);
      open.set(place, run);
    }
    run.push(pane);
  }
  return runs;
}
