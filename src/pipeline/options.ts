/** The options of steps by name: what is given under another one is refused where the step is added. */
import { checkOptionNames, type OptionNames } from "../base/option-names.ts";
import type { CallOptions, RetryOptions } from "../fn/call-options.ts";
import { atPlace, type StepPlace } from "./builder.ts";
import type {
  CombineOptions,
  FilterOptions,
  GroupOptions,
  None,
  ParDoOptions,
  StepOptions,
  WindowIntoOptions,
} from "./types.ts";

const CALL: OptionNames<CallOptions> = { async: true, retry: true, timeout: true, concurrency: true, ordered: true };
const RETRY: OptionNames<RetryOptions> = { attempts: true, backoff: true };
const FILTER: OptionNames<FilterOptions<None>> = { ...CALL, sideInputs: true };
const MAP: OptionNames<StepOptions<None, unknown>> = { ...FILTER, coder: true };
const GROUP: OptionNames<GroupOptions<unknown>> = { keyCoder: true };

const PAR_DO: OptionNames<ParDoOptions> = { ...CALL, keyCoder: true };
const COMBINE: OptionNames<CombineOptions<unknown>> = { ...GROUP, sideInputs: true };
const WINDOWING: OptionNames<WindowIntoOptions> = {
  trigger: true,
  accumulation: true,
  allowedLateness: true,
  timestampCombiner: true,
  closingBehavior: true,
  onTimeBehavior: true,
};

type Method =
  | "map"
  | "flatMap"
  | "filter"
  | "parDo"
  | "groupByKey"
  | "combinePerKey"
  | "withTimestamps"
  | "windowInto"
  | "asSingleton"
  | "read"
  | "create"
  | "createTimestamped"
  | "readTestStream";

/** By the method that takes them. */
const NAMES: Readonly<Record<Method, Readonly<Record<string, true>>>> = {
  map: MAP,
  flatMap: MAP,
  filter: FILTER,
  parDo: PAR_DO,
  groupByKey: GROUP,
  combinePerKey: COMBINE,
  withTimestamps: { allowedTimestampSkew: true },
  windowInto: WINDOWING,
  asSingleton: { default: true },
  read: { timestamps: true, coder: true },
  create: { timestamps: true, coder: true },
  createTimestamped: { coder: true },
  readTestStream: { coder: true, bounded: true },
};

/** @throws OPTION_UNKNOWN, TRANSFORM_INVALID */
export function checkStepOptions(place: StepPlace, kind: Method, options: unknown): void {
  atPlace(place, () => {
    checkOptionNames(kind, options, NAMES[kind]);
    if ("retry" in NAMES[kind]) checkOptionNames("retry", (options as CallOptions | undefined)?.retry, RETRY);
  });
}

/** The options of `windowInto`. */
export const WINDOWING_OPTIONS: readonly string[] = Object.keys(WINDOWING);
