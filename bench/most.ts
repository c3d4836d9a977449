/** The auctions with the most bids: what both fifth queries look for. */
import type { CombineFn, KV } from "tidemark";

/** All auctions with the greatest count. */
export interface Most {
  count: number;
  auctions: number[];
}

export const mostFn: CombineFn<KV<number, number>, Most, Most> = {
  name: "Most",
  createAccumulator: () => ({ count: 0, auctions: [] }),
  addInput(most, [auction, count]) {
    if (count > most.count) return { count, auctions: [auction] };
    if (count === most.count) most.auctions.push(auction);
    return most;
  },
  mergeAccumulators(several) {
    const count = Math.max(...several.map((most) => most.count));
    return { count, auctions: several.flatMap((most) => (most.count === count ? most.auctions : [])) };
  },
  extractOutput: (most) => most,
};
