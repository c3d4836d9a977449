/**
 * The part of a trigger that is not met, for people.
 * Path: exec's lanes, when somebody asks why a window has not fired -> HERE.
 *
 * U1 It says `met` if and only if the trigger's machine says that it should fire. Nothing is changed.
 */
import { unreachable } from "../base/assert.ts";
import type { Need } from "../model/need.ts";
import type { Trigger } from "../model/trigger.ts";
import type { TriggerContext, TriggerState } from "./trigger-machine.ts";

const MET: Need = Object.freeze({ kind: "met" });
const EXPIRY: Need = Object.freeze({ kind: "expiry" });

/** @param state that of the trigger's machine, which has one child for each part */
export function unmet(trigger: Trigger, state: TriggerState, context: TriggerContext): Need {
  const child = (i: number): TriggerState => state.children[i] as TriggerState;
  const endOfWindow: Need =
    context.watermark > context.maxTimestamp ? MET : { kind: "watermark", after: context.maxTimestamp };
  switch (trigger.kind) {
    case "default":
      return endOfWindow;
    case "never":
      return EXPIRY;
    case "always":
      return MET;
    case "afterCount":
      return state.count >= trigger.count ? MET : { kind: "count", have: state.count, of: trigger.count };
    case "afterProcessingTime":
    case "afterSynchronizedProcessingTime": {
      if (state.dueMs === null) return { kind: "element" };
      const isOver = context.processingTime >= state.dueMs;
      return isOver && (context.atRest || trigger.kind === "afterProcessingTime")
        ? MET
        : { kind: "clock", due: state.dueMs };
    }
    case "repeatedly":
      return unmet(trigger.of, child(0), context);
    case "afterAny":
      return any(trigger.of.map((part, i) => (child(i).finished ? MET : unmet(part, child(i), context))));
    case "afterAll": {
      const needs = trigger.of
        .map((part, i) => (child(i).finished ? MET : unmet(part, child(i), context)))
        .filter(({ kind }) => kind !== "met");
      const of = trigger.of.length;
      return needs.length === 0 ? MET : { kind: "all", met: of - needs.length, of, needs };
    }
    case "afterEach": {
      const done = state.children.findIndex(({ finished }) => !finished);
      if (done < 0) return EXPIRY;
      const need = unmet(trigger.of[done] as Trigger, child(done), context);
      return need.kind === "met" ? MET : { kind: "each", done, of: trigger.of.length, need };
    }
    case "orFinally":
      return any([unmet(trigger.of, child(0), context), unmet(trigger.until, child(1), context)]);
    case "afterWatermark": {
      // The early part is finished once the end-of-window firing has been: from then on the late part decides.
      const [early, late] = [child(0), child(1)];
      if (early.finished) return trigger.late === undefined ? EXPIRY : unmet(trigger.late, repeated(late), context);
      return trigger.early === undefined
        ? endOfWindow
        : any([endOfWindow, unmet(trigger.early, repeated(early), context)]);
    }
    default:
      return unreachable(trigger);
  }
}

/** Early and late parts are repeated. */
function repeated(state: TriggerState): TriggerState {
  return state.children[0] as TriggerState;
}

function any(needs: readonly Need[]): Need {
  return needs.some(({ kind }) => kind === "met") ? MET : { kind: "any", needs };
}
