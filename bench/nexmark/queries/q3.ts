import { bagState, eventTimer, type KV, output, type PCollection, seconds, valueState } from "tidemark";
import { type Auction, isAuction, isPerson, type NexmarkEvent, type Person } from "../events.ts";

export type LocalOffer = readonly [name: string, city: string, state: string, auction: number];

const CATEGORY = 10;
const STATES: ReadonlySet<string> = new Set(["OR", "ID", "CA"]);
/** How long the state of a person is kept after the last event that belongs to it. */
const PATIENCE_MS = seconds(600);

/**
 * Query 3: who sells in category 10 from Oregon, Idaho and California? Rows: `[name, city, state, auction]`.
 *
 * A join without windows. Either side may come first: the person is kept, and so are auctions until the person is there.
 */
export function localOffers(events: PCollection<NexmarkEvent>): PCollection<LocalOffer> {
  return events
    .filter("Wanted", isWanted)
    .map("By person", (event): KV<number, Person | Auction> => [isPerson(event) ? event.id : event.seller, event])
    .parDo("Join", {
      state: { person: valueState<Person>(), waiting: bagState<Auction>() },
      timers: { forget: eventTimer() },
      outputs: { main: output<LocalOffer>() },
      process([, event], { state, timers, output }) {
        timers.forget.set(event.dateTime + PATIENCE_MS);
        const known = state.person.read();
        if (isPerson(event)) {
          state.person.write(event);
          for (const auction of state.waiting.read()) output(offer(event, auction));
          state.waiting.clear();
        } else if (known === undefined) {
          state.waiting.add(event);
        } else {
          output(offer(known, event));
        }
      },
      onTimer: {
        forget({ state }) {
          state.person.clear();
          state.waiting.clear();
        },
      },
    });
}

function isWanted(event: NexmarkEvent): event is Person | Auction {
  return isAuction(event) ? event.category === CATEGORY : isPerson(event) && STATES.has(event.state);
}

function offer({ name, city, state }: Person, { id }: Auction): LocalOffer {
  return [name, city, state, id];
}
