/**
 * Compares panes with what a scenario expects: as a multiset, on the fields that count.
 * Place: scenario.ts -> HERE -> the tests of this folder and those that compare the engine.
 *
 * C1 The order of panes does not count, nor the order of values in a list.
 * C2 A pane too many and a pane too few are both said, with their number.
 */
import type { GoldenPane } from "./scenario.ts";

export type PaneField = keyof GoldenPane;

export interface CompareOptions {
  /** The fields that count; default: all. */
  readonly fields?: readonly PaneField[];
  /** Leave out panes whose value is an empty list, on both sides. Default false. */
  readonly ignoreEmptyPanes?: boolean;
}

/** Every field of a pane. */
export const ALL_FIELDS: readonly PaneField[] = [
  "key",
  "window",
  "value",
  "timing",
  "index",
  "nonSpeculativeIndex",
  "isFirst",
  "isLast",
  "timestamp",
];

/** What stateful programs are compared on: they fire no panes. */
export const ELEMENT_FIELDS: readonly PaneField[] = ["key", "window", "value", "timestamp"];

/**
 * @param actual may lack fields that do not count
 * @returns one line for each pane that one side has more often than the other; empty when they agree
 */
export function differences(
  expected: readonly Partial<GoldenPane>[],
  actual: readonly Partial<GoldenPane>[],
  { fields = ALL_FIELDS, ignoreEmptyPanes = false }: CompareOptions = {},
): string[] {
  const line = (pane: Partial<GoldenPane>): string => fields.map((field) => `${field}=${text(pane[field])}`).join(" ");
  const counts = (panes: readonly Partial<GoldenPane>[]): Map<string, number> => {
    const found = new Map<string, number>();
    for (const pane of panes) {
      if (ignoreEmptyPanes && Array.isArray(pane.value) && pane.value.length === 0) continue;
      found.set(line(pane), (found.get(line(pane)) ?? 0) + 1);
    }
    return found;
  };
  const wanted = counts(expected);
  const had = counts(actual);
  return [...new Set([...wanted.keys(), ...had.keys()])].toSorted().flatMap((pane) => {
    const [want, have] = [wanted.get(pane) ?? 0, had.get(pane) ?? 0];
    if (want === have) return [];
    return [want > have ? `missing ${want - have} × ${pane}` : `unexpected ${have - want} × ${pane}`];
  });
}

function text(value: GoldenPane[PaneField] | undefined): string {
  if (value === undefined) return "none";
  if (!Array.isArray(value)) return typeof value === "number" ? String(value) : JSON.stringify(value);
  return `[${value.toSorted((a: number, b: number) => a - b).join(",")}]`;
}
