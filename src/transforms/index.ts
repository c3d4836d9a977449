/** Ready-made transforms. */
export {
  countGlobally,
  countPerElement,
  countPerKey,
  ElementCounts,
  maxGlobally,
  maxPerKey,
  meanGlobally,
  meanPerKey,
  minGlobally,
  minPerKey,
  sumGlobally,
  sumPerKey,
} from "./aggregates.ts";
export { coGroupByKey, CoGroupResult, type Joined, type Tagged, type TaggedValue } from "./co-group-by-key.ts";
export {
  combineGlobally,
  combineGloballyAsSingleton,
  combinePerKey,
  type GlobalOptions,
  GlobalResult,
  groupByKey,
} from "./combine.ts";
export { composeCombineFns, countFn, maxFn, meanFn, minFn, sumFn } from "./combine-fns.ts";
export {
  flatten,
  keys,
  kvSwap,
  partition,
  reshuffle,
  values,
  windowInto,
  withKeys,
  withTimestamps,
} from "./elements.ts";
export { topPerKey, topPerWindow } from "./top.ts";
export { type Compare, topFn, type TopOptions } from "./top-fn.ts";
