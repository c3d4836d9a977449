/** How many elements collections have had: those whose number does not follow from others' (exec/counted.ts). */
import type { CollectionId } from "../graph/graph.ts";

export interface ElementCount {
  elements: number;
}

/** What one collection has had. */
export type CollectionCount = readonly [collection: CollectionId, elements: number];

export class ElementCounts {
  readonly #counts = new Map<CollectionId, ElementCount>();

  /** The counter of a collection: whoever puts elements into it adds to it. */
  of(collection: CollectionId): ElementCount {
    let found = this.#counts.get(collection);
    if (found === undefined) this.#counts.set(collection, (found = { elements: 0 }));
    return found;
  }

  all(): readonly CollectionCount[] {
    return [...this.#counts].map(([collection, { elements }]) => [collection, elements]);
  }

  /** What has been counted since the last time, collections with nothing included. */
  drain(): readonly CollectionCount[] {
    const counted = this.all();
    for (const count of this.#counts.values()) count.elements = 0;
    return counted;
  }
}
