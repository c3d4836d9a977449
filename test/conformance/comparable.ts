/** Which scenarios the engine and the reference model can be compared on, and on which fields. */
import { ALL_FIELDS, ELEMENT_FIELDS, type PaneField } from "../model/compare.ts";
import type { Scenario } from "../model/scenario.ts";

/** Beyond 2^53 doubles are even numbers only: windows laid over the end of the global window have no exact bounds. */
export function beyondDoubles({ pipeline }: Scenario): boolean {
  return (
    pipeline.kind === "cascadeRewindow" && pipeline.window.type === "global" && pipeline.window2?.type !== "global"
  );
}

/** Stateful programs fire no panes. */
export function fieldsOf({ pipeline }: Scenario): readonly PaneField[] {
  return pipeline.kind === "stateful" ? ELEMENT_FIELDS : ALL_FIELDS;
}
