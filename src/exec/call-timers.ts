/** Timers and expiries of a stateful step that makes calls. */
import type { DoFn } from "../fn/do-fn.ts";
import type { StepId } from "../graph/graph.ts";
import type { StageHost } from "../host/host.ts";
import type { StageRunner } from "../host/stage-runner.ts";
import { EXPIRY_FAMILY } from "./calls.ts";
import type { StateRecords } from "./state-records.ts";

/** Timers of a step with calls: each becomes a call in the order of its key. */
export function callTimers(
  records: StateRecords,
  doFn: DoFn<unknown, unknown>,
  host: StageHost,
  step: StepId,
): Pick<StageRunner, "startBundle" | "fireTimer" | "fireWindow" | "pending"> {
  return {
    pending: (query) => records.pending(query),
    startBundle: () => records.forget(),
    fireTimer(timer): void {
      if (records.expireTtl(timer)) return;
      const { owner: record, family, tag, at, holdAt } = timer;
      host.calls.submitTimer({ record, family, tag, at, entry: timer }, holdAt, record.window, record.mapKey);
    },
    fireWindow(window, at): void {
      const slot = records.find(window);
      if (slot === undefined) return;
      for (const record of records.expiring(slot)) {
        records.dropTimers(record, step);
        if (doFn.onWindowExpiration) {
          host.calls.submitTimer(
            { record, family: EXPIRY_FAMILY, tag: "", at },
            window.maxTimestamp,
            window,
            record.mapKey,
          );
        }
      }
      records.expire(window);
    },
  };
}
