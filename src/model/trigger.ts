/** Triggers as plain data. What they mean is in windowing/trigger-machine.ts; how users write them in windowing/triggers.ts. */

/** When a window fires, as plain data. Made by `afterWatermark`, `afterCount` and the like. */
export type Trigger =
  | { readonly kind: "default" }
  | { readonly kind: "never" }
  | { readonly kind: "always" }
  | { readonly kind: "afterWatermark"; readonly early?: Trigger; readonly late?: Trigger }
  | { readonly kind: "afterCount"; readonly count: number }
  /** `delayMs` after the first element of the pane, in processing time. */
  | { readonly kind: "afterProcessingTime"; readonly delayMs: number }
  /** The continuation of a processing-time trigger: fires once upstream's timers due at that moment have been handled. */
  | { readonly kind: "afterSynchronizedProcessingTime" }
  | { readonly kind: "repeatedly"; readonly of: Trigger }
  | { readonly kind: "afterAny"; readonly of: readonly Trigger[] }
  | { readonly kind: "afterAll"; readonly of: readonly Trigger[] }
  | { readonly kind: "afterEach"; readonly of: readonly Trigger[] }
  | { readonly kind: "orFinally"; readonly of: Trigger; readonly until: Trigger };
