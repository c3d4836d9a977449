/** What becomes of the state in a checkpoint when this version of the program goes on from it. */
import { decodeFromBytes } from "../coders/coder.ts";
import { valueCoder } from "../coders/value.ts";
import {
  areEqual,
  cellChanges,
  isSameButForCells,
  layoutText,
  type RecordLayout,
  type StepChange,
} from "../host/layouts.ts";
import type { Snapshot } from "../host/snapshot.ts";
import type { StageFacts } from "./freezing.ts";
import type { StageState } from "./stage-state.ts";

/** What a checkpoint knows of each stage. */
export function stageFacts(snapshot: Snapshot): ReadonlyMap<string, StageFacts> {
  return new Map(
    Array.from(snapshot.steps()).flatMap((step) => {
      const [body] = snapshot.chunks("stage", step);
      return body === undefined ? [] : [[step, decodeFromBytes(valueCoder, body) as StageFacts] as const];
    }),
  );
}

/** Of each stage that the checkpoint or the program has. */
export function stepChanges(stages: readonly StageState[], snapshot: Snapshot): readonly StepChange[] {
  const facts = stageFacts(snapshot);
  const present = stages.map((state): StepChange => {
    const { name } = state.stage;
    const before = facts.get(name);
    const now = state.store?.format.layout;
    if (before === undefined) return { step: name, change: "added", loses: false, ...(now && { is: layoutText(now) }) };
    return { step: name, ...layoutChange(before, now, () => keeps(name, before, snapshot)) };
  });
  const gone = [...facts].flatMap(([step, before]): StepChange[] =>
    stages.some(({ stage }) => stage.name === step)
      ? []
      : [{ step, change: "dropped", was: keptBy(before), loses: keeps(step, before, snapshot) }],
  );
  return [...present, ...gone];
}

function layoutChange(
  { layouts = [] }: StageFacts,
  now: RecordLayout | undefined,
  /** Asked only where something would be lost: it may have to read. */
  keepsSomething: () => boolean,
): Omit<StepChange, "step"> {
  const newest = layouts.at(-1);
  const texts = { ...(newest && { was: layoutText(newest) }), ...(now && { is: layoutText(now) }) };
  if (newest === undefined && now === undefined) return { change: "kept", loses: false };
  if (newest === undefined || now === undefined || layouts.some((one) => !isSameButForCells(one, now)))
    return { change: "retyped", was: "nothing", ...texts, loses: keepsSomething() };
  if (areEqual(newest, now)) return { change: "kept", ...texts, loses: false };
  const cells = cellChanges(layouts, now);
  const isLost = cells.some(({ change }) => change === "dropped" || change === "retyped");
  return { change: "kept", ...texts, cells, loses: isLost && keepsSomething() };
}

function keptBy({ layouts, reading }: StageFacts): string {
  const newest = layouts?.at(-1);
  return newest !== undefined ? layoutText(newest) : reading !== undefined ? "how far its source was read" : "elements";
}

/** Whether leaving it out would lose something: records, elements that wait, how far a source was read, output. */
function keeps(step: string, { windows, reading }: StageFacts, snapshot: Snapshot): boolean {
  if (reading !== undefined || windows.some(([, , records]) => records > 0)) return true;
  for (const kind of ["waiting", "sealed"] as const) for (const _ of snapshot.chunks(kind, step)) return true;
  for (const _ of snapshot.entries("view", step)) return true;
  return false;
}
