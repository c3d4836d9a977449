/** The options of steps by name: what is given under another one is refused where the step is added. */
import { checkOptionNames, type OptionNames } from "../base/option-names.ts";
import type { CallOptions, RetryOptions } from "../fn/call-options.ts";
import type { DoFn } from "../fn/do-fn.ts";
import { atPlace, stepError, type StepPlace } from "./builder.ts";
import type {
  AnyDoFn,
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

/** All members of a DoFn: one that is missing does not compile. */
const DO_FN: OptionNames<DoFn<unknown>> = {
  state: true,
  timers: true,
  sideInputs: true,
  outputs: true,
  allowedTimestampSkew: true,
  setup: true,
  startBundle: true,
  process: true,
  finishBundle: true,
  teardown: true,
  onTimer: true,
  onWindowExpiration: true,
};
const withoutPlural = (name: string): string => name.toLowerCase().replace(/s$/, "");

/**
 * A DoFn may have members of its own, but none that is a known one but for an `s` or a capital: it would be looked for in vain.
 * @throws OPTION_UNKNOWN
 */
export function checkDoFnMembers(place: StepPlace, doFn: AnyDoFn): void {
  if (Object.getPrototypeOf(doFn) !== Object.prototype) return;
  for (const name of Object.keys(doFn)) {
    if (Object.hasOwn(DO_FN, name)) continue;
    const meant = Object.keys(DO_FN).find((known) => withoutPlural(known) === withoutPlural(name));
    if (meant === undefined) continue;
    throw stepError("OPTION_UNKNOWN", place, {
      what: `the DoFn of "${place.name}" has a member "${name}"`,
      why: `nobody looks at it: a DoFn has ${Object.keys(DO_FN).join(", ")}`,
      fix: `write ${meant}`,
    });
  }
}
