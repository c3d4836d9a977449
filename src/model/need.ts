/** What something waits for, as plain data: for explanations. */
import type { Timestamp } from "./time.ts";

/** What has to come before something fires. Of a trigger, only the part that is not met. */
export type Need =
  /** The step's watermark has to be after this time. */
  | { readonly kind: "watermark"; readonly after: Timestamp }
  /** Processing time has to reach `due` (ms since the epoch). */
  | { readonly kind: "clock"; readonly due: number }
  /** So many elements of the pane, of which some have come. */
  | { readonly kind: "count"; readonly have: number; readonly of: number }
  /** A next element: nothing has come since the last pane. */
  | { readonly kind: "element" }
  /** All of `of` parts, of which `met` are met. */
  | { readonly kind: "all"; readonly met: number; readonly of: number; readonly needs: readonly Need[] }
  /** Any of these. */
  | { readonly kind: "any"; readonly needs: readonly Need[] }
  /** The parts one after the other: `done` of `of` are over. */
  | { readonly kind: "each"; readonly done: number; readonly of: number; readonly need: Need }
  /** No trigger will fire it: it comes when the window expires, once the step's watermark is after `after`. */
  | { readonly kind: "expiry"; readonly after?: Timestamp }
  /** Nothing: it is met, and fires in the next turn. */
  | { readonly kind: "met" }
  /** What the side input of `step` holds for `window`. */
  | { readonly kind: "sideInput"; readonly step: string; readonly window: string; readonly after: Timestamp }
  /** The result of the call that it is in. */
  | { readonly kind: "call" }
  /** The beginning or end of a bundle, which takes time. */
  | { readonly kind: "bundle" }
  /** A sink that takes more. */
  | { readonly kind: "flush" }
  /** The end of the input. */
  | { readonly kind: "end" };
