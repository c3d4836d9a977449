/** The program of a scenario, as a module for hosts that load one: it appends each pane to a file, a line of JSON each. */
import { appendFileSync } from "node:fs";
import { pipeline, type Sink } from "tidemark";
import { z } from "zod";
import type { Scenario } from "../model/scenario.ts";
import { buildScenario, showPane } from "./golden-pipeline.ts";

export interface GoldenOptions {
  readonly scenario: Scenario;
  readonly output: string;
}

function paneFile(path: string): Sink<unknown> {
  return {
    name: "panes",
    open: () => ({
      write: (value, { timestamp, windows, pane }) => {
        for (const window of windows)
          appendFileSync(path, `${JSON.stringify(showPane({ value, timestamp, window, pane }))}\n`);
      },
      seal: () => [],
      commit: async () => {},
      lastCommitted: async () => 0,
      close: () => {},
    }),
  };
}

export default pipeline(import.meta, {
  name: "golden",
  options: z.custom<GoldenOptions>(),
  allowUnsafeTriggers: true,
  build: (p, { scenario, output }) => buildScenario(p, scenario, paneFile(output)),
});
