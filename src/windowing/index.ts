/** Public parts of windowing. */
export {
  customWindows,
  type CustomWindowsOptions,
  fixedWindows,
  type FixedWindowsOptions,
  globalWindows,
  sessions,
  slidingWindows,
  type SlidingWindowsOptions,
} from "./window-fns.ts";
export {
  afterAll,
  afterAny,
  afterCount,
  afterEach,
  afterProcessingTime,
  afterWatermark,
  always,
  defaultTrigger,
  never,
  orFinally,
  repeatedly,
} from "./triggers.ts";
