import type { PCollection } from "tidemark";
import type { NexmarkEvent } from "../events.ts";

/** Query 0: every event, serialised and parsed. Rows: `[event]`. */
export function passThrough(events: PCollection<NexmarkEvent>): PCollection<readonly [event: NexmarkEvent]> {
  return events
    .map("Serialise", (event) => JSON.stringify(event))
    .map("Parse", (json) => [JSON.parse(json) as NexmarkEvent]);
}
