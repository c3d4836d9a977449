/** The three kinds of Nexmark events, in the form in which they stand in files. Prices are cents, times milliseconds. */

/** Someone registers, to sell or to bid. */
export interface Person {
  readonly type: "person";
  readonly id: number;
  readonly name: string;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  readonly dateTime: number;
  readonly extra: string;
}

/** Something is put up for sale, until `expires`; below `reserve` it is not sold. */
export interface Auction {
  readonly type: "auction";
  readonly id: number;
  readonly itemName: string;
  readonly description: string;
  readonly initialBid: number;
  readonly reserve: number;
  readonly dateTime: number;
  readonly expires: number;
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

export interface Bid {
  readonly type: "bid";
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly dateTime: number;
  readonly extra: string;
}

export type NexmarkEvent = Person | Auction | Bid;

export function isPerson(event: NexmarkEvent): event is Person {
  return event.type === "person";
}

export function isAuction(event: NexmarkEvent): event is Auction {
  return event.type === "auction";
}

export function isBid(event: NexmarkEvent): event is Bid {
  return event.type === "bid";
}
