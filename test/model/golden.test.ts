import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { differences, type PaneField } from "./compare.ts";
import { runReference } from "./run.ts";
import type { GoldenPane, Scenario } from "./scenario.ts";

interface GoldenScenario extends Scenario {
  readonly name: string;
  readonly expected: {
    readonly panes: readonly Partial<GoldenPane>[];
    readonly compare: readonly PaneField[];
    readonly ignoreEmptyPanes: boolean;
  };
}

const fixture = JSON.parse(readFileSync(new URL("../fixtures/golden-panes.json", import.meta.url), "utf8")) as {
  readonly scenarios: readonly GoldenScenario[];
};

describe("the reference model gives the panes that Beam's runners agree on", () => {
  test.each(fixture.scenarios.map((scenario) => [scenario.name, scenario] as const))("%s", (_name, scenario) => {
    const { panes, compare, ignoreEmptyPanes } = scenario.expected;
    expect(panes.length).toBeGreaterThan(0);
    expect(differences(panes, runReference(scenario).panes, { fields: compare, ignoreEmptyPanes })).toEqual([]);
  });
});
