/** The step that makes a side input: groups its input under one key and hands each pane to the host as the view's new contents. */
import type { AnyCombine } from "../fn/combine-fn.ts";
import type { ViewId } from "../graph/graph.ts";
import type { Emitter } from "../host/emitter.ts";
import type { StageHost } from "../host/host.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { GeneralLane } from "./general-lane.ts";
import { LateOutput } from "./grouping.ts";
import type { StepInfo } from "./operators.ts";

export class ViewStep implements Emitter {
  readonly lane: GeneralLane;

  constructor(step: StepInfo, viewId: ViewId, list: AnyCombine, windowing: WindowingStrategy, host: StageHost) {
    const put = (_key: unknown, contents: unknown, _timestamp: Timestamp, windows: readonly Window[]): void => {
      host.sideInputs.put(viewId, windows[0] as Window, contents as readonly unknown[]);
    };
    this.lane = new GeneralLane(step, list, windowing, host, put, new LateOutput(step, host, undefined));
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], _pane: Pane): void {
    this.lane.add(null, value, value, timestamp, windows);
  }
}
