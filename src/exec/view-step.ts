/**
 * The step that makes a side input: groups its input under one key and hands each pane to the host as the view's new contents.
 *
 * S1 A later pane without elements, as a discarding window's last one may be, changes nothing: there is nothing new to see.
 */
import type { AnyCombine } from "../fn/combine-fn.ts";
import type { ViewId } from "../graph/graph.ts";
import type { Emitter } from "../host/emitter.ts";
import type { StageHost } from "../host/host.ts";
import type { RecordFormat } from "../host/records.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { type Cell, GeneralLane, type PaneOutput } from "./general-lane.ts";
import { LateOutput } from "./grouping.ts";
import type { StepInfo } from "./operators.ts";

export class ViewStep implements Emitter {
  readonly lane: GeneralLane;

  constructor(
    step: StepInfo,
    viewId: ViewId,
    list: AnyCombine,
    windowing: WindowingStrategy,
    host: StageHost,
    format: RecordFormat<Cell>,
  ) {
    const put: PaneOutput = (_key, contents, _timestamp, windows, pane) => {
      const elements = contents as readonly unknown[];
      if (elements.length === 0 && pane.index > 0) return; // S1
      host.sideInputs.put(viewId, windows[0] as Window, elements);
    };
    this.lane = new GeneralLane(step, list, windowing, host, put, new LateOutput(step, host, undefined), format);
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], _pane: Pane): void {
    this.lane.add(null, value, value, timestamp, windows);
  }
}
