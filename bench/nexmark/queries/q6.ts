import { globalWindows, type KV, output, type PCollection, valueState } from "tidemark";
import type { NexmarkEvent } from "../events.ts";
import { winningBids } from "./winning-bids.ts";

interface Price {
  readonly price: number;
  readonly bidTime: number;
}

const SALES = 10;

/**
 * Query 6: the mean price of each seller's last 10 sales, rounded, told again at each sale. The last ones are those with the
 * latest winning bids (of bids at one time, the higher ones). Rows: `[seller, mean]`; a seller's last row is the result.
 */
export function meanPriceBySeller(
  events: PCollection<NexmarkEvent>,
): PCollection<readonly [seller: number, mean: number]> {
  return events
    .apply("Winning bids", winningBids)
    .map("By seller", ({ auction, bid }): KV<number, Price> => {
      return [auction.seller, { price: bid.price, bidTime: bid.dateTime }];
    })
    .windowInto("Forever", globalWindows())
    .parDo("Mean of the last 10", {
      state: { last: valueState<readonly Price[]>() },
      outputs: { main: output<readonly [seller: number, mean: number]>() },
      process([seller, sale], { state, output }) {
        const sales = [...(state.last.read() ?? []), sale]
          .sort((a, b) => a.bidTime - b.bidTime || a.price - b.price)
          .slice(-SALES);
        state.last.write(sales);
        const sum = sales.reduce((total, { price }) => total + price, 0);
        output([seller, Math.round(sum / sales.length)]);
      },
    });
}
