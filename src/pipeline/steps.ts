/**
 * The steps on a collection, one function for each kind: checks it, adds it, and says what its output carries.
 * Path: PCollection, Pipeline -> HERE -> builder.
 *
 * Callers give types; here everything is plain data and untyped functions.
 */
import type { Coder } from "../coders/coder.ts";
import type { AnyCombine } from "../fn/combine-fn.ts";
import { keyCoderOf, valueCoderOf } from "../coders/composites.ts";
import type { CallOptions } from "../fn/call-options.ts";
import type { OutputTags } from "../fn/do-fn.ts";
import { isKeyedDoFn } from "../fn/inspect.ts";
import type { Sink } from "../fn/sink.ts";
import type { SideInputs } from "../fn/view.ts";
import type { ElementFn } from "../graph/graph.ts";
import type { Timestamp } from "../model/time.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { afterGrouping, DEFAULT_WINDOWING, windowingStrategy } from "../windowing/strategy.ts";
import {
  atPlace,
  stepError,
  type CollectionNode,
  type CollectionTraits,
  type Shape,
  type StepDraft,
  type StepPlace,
} from "./builder.ts";
import {
  checkCallOptions,
  checkCoder,
  checkCombineFn,
  checkFunction,
  checkGrouping,
  checkKeyedDoFn,
  checkStateSpecs,
  checkTimers,
  checkSync,
  checkWindowFn,
  describe,
  shapeOf,
} from "./checks.ts";
import { toCombineFn } from "./combine.ts";
import { checkDoFnMembers, checkStepOptions, WINDOWING_OPTIONS } from "./options.ts";
import { deadLetterCoder, groupedCoder, lateCoder, pairCoder } from "./derived-coders.ts";
import type { StepNaming } from "./naming.ts";
import type { AnyDoFn, WindowIntoOptions } from "./types.ts";

/** Options of element-wise steps, whatever their types. */
export interface ElementwiseOptions extends CallOptions {
  readonly sideInputs?: SideInputs;
  readonly coder?: Coder<never>;
}

/** What a ready-made transform knows of the element-wise step that it adds. */
export interface Known {
  readonly shape?: Shape;
  /** The coder of its outputs, where the program gives none. */
  readonly coder?: Coder<unknown> | undefined;
  /** The user's function inside, where it has to be synchronous. */
  readonly keyFn?: { readonly fn: unknown };
}

/** Output names that steps make themselves. */
const RESERVED_TAGS = ["late", "deadLetter"];

export function addElementwise(
  input: CollectionNode,
  naming: StepNaming,
  kind: "map" | "flatMap" | "filter",
  fn: unknown,
  options: ElementwiseOptions = {},
  known: Known = {},
): StepDraft {
  const place = input.builder.place(naming.given, naming.derived);
  checkFunction(place, "what is applied to each element", fn);
  if (known.keyFn !== undefined) {
    checkFunction(place, "the key function", known.keyFn.fn);
    checkSync(place, "the key function", known.keyFn.fn);
  }
  checkStepOptions(place, kind, options);
  const { sideInputs, coder: given, ...call } = options;
  checkCallOptions(place, call);
  checkCoder(place, given);
  const coder = (given as Coder<unknown> | undefined) ?? known.coder;
  const main: CollectionTraits =
    kind === "filter" ? input : { ...input, coder, shape: coder === undefined ? known.shape : shapeOf(coder) };
  const spec = { kind, fn: fn as ElementFn, call: Object.freeze(call) };
  return input.builder.add({ place, spec, inputs: [input], sideInputs, outputs: { main } });
}

export function addParDo(
  input: CollectionNode,
  naming: StepNaming,
  doFn: AnyDoFn,
  options: CallOptions & { readonly keyCoder?: Coder<never> } = {},
): StepDraft {
  const place = input.builder.place(naming.given, naming.derived);
  checkDoFn(place, doFn);
  checkStateSpecs(place, doFn.state);
  checkStepOptions(place, "parDo", options);
  const { keyCoder: given, ...call } = options;
  checkCallOptions(place, call);
  const isKeyed = isKeyedDoFn(doFn);
  if (isKeyed) checkKeyedDoFn(place, input, given);
  checkTimers(place, doFn);
  const keyCoder = isKeyed ? keyCoderFor(input, given) : given;
  const tags: OutputTags = { main: {}, ...doFn.outputs };
  for (const { coder } of Object.values(tags)) checkCoder(place, coder);
  const outputs: Record<string, CollectionTraits> = {};
  for (const [tag, { coder }] of Object.entries(tags)) {
    outputs[tag] = {
      windowing: input.windowing,
      bounded: input.bounded,
      coder,
      shape: shapeOf(coder),
    };
  }
  const spec = {
    kind: "parDo" as const,
    doFn: doFn as never,
    call: Object.freeze(call),
    ...(keyCoder && { keyCoder }),
  };
  return input.builder.add({ place, spec, inputs: [input], sideInputs: doFn.sideInputs, outputs });
}

export function addPartition(input: CollectionNode, naming: StepNaming, parts: number, fn: unknown): StepDraft {
  const place = input.builder.place(naming.given, naming.derived);
  checkFunction(place, "the partition function", fn);
  checkSync(place, "the partition function", fn);
  if (!Number.isInteger(parts) || parts < 1) {
    throw stepError("PARTITION_INVALID", place, {
      what: `"${place.name}" cannot make ${parts} parts`,
      fix: "give a whole number of parts, 1 or more",
    });
  }
  const outputs = Object.fromEntries(Array.from({ length: parts }, (_, part) => [String(part), input]));
  const spec = { kind: "partition" as const, parts, fn: fn as (element: unknown, parts: number) => number };
  return input.builder.add({ place, spec, inputs: [input], outputs });
}

export function addTimestamps(
  input: CollectionNode,
  naming: StepNaming,
  fn: unknown,
  options: { readonly allowedTimestampSkew?: number } | undefined,
): StepDraft {
  const place = input.builder.place(naming.given, naming.derived);
  checkStepOptions(place, "withTimestamps", options);
  const allowedTimestampSkew = options?.allowedTimestampSkew ?? 0;
  checkFunction(place, "the timestamp function", fn);
  checkSync(place, "the timestamp function", fn);
  if (!(allowedTimestampSkew >= 0)) {
    throw stepError("TIMESTAMP_SKEW_INVALID", place, {
      what: `the allowedTimestampSkew of "${place.name}" is ${allowedTimestampSkew}`,
      fix: "give a number of milliseconds, 0 or more, or Infinity",
    });
  }
  const spec = { kind: "timestamps" as const, fn: fn as (element: unknown) => Timestamp, allowedTimestampSkew };
  return input.builder.add({ place, spec, inputs: [input], outputs: { main: input } });
}

export function addWindowInto(
  input: CollectionNode,
  naming: StepNaming,
  windowFn: WindowFn | WindowIntoOptions,
  options: WindowIntoOptions = {},
): StepDraft {
  const place = input.builder.place(naming.given, naming.derived);
  if (isWindowFn(windowFn)) {
    checkWindowFn(place, windowFn);
    checkStepOptions(place, "windowInto", options);
    return windowed(
      input,
      place,
      atPlace(place, () => windowingStrategy(windowFn, options)),
      false,
    );
  }
  checkChanges(place, windowFn);
  const { windowFn: kept, ...before } = input.windowing;
  return windowed(
    input,
    place,
    atPlace(place, () => windowingStrategy(kept, { ...before, ...windowFn })),
    true,
  );
}

/** Gives a collection the windowing of another, and assigns its elements anew. */
export function addWindowing(input: CollectionNode, naming: StepNaming, windowing: WindowingStrategy): StepDraft {
  return windowed(input, input.builder.place(naming.given, naming.derived), windowing, false);
}

function windowed(
  input: CollectionNode,
  place: StepPlace,
  windowing: WindowingStrategy,
  keepsWindows: boolean,
): StepDraft {
  const outputs = { main: { ...input, windowing } };
  return input.builder.add({ place, spec: { kind: "windowInto", keepsWindows }, inputs: [input], outputs });
}

function isWindowFn(value: unknown): value is WindowFn {
  return typeof (value as WindowFn | undefined)?.assign === "function";
}

/** Windowing without a WindowFn has to say what it changes. */
function checkChanges(place: StepPlace, options: unknown): void {
  const isObject = typeof options === "object" && options !== null && !Array.isArray(options);
  if (isObject && Object.keys(options).length > 0) {
    checkStepOptions(place, "windowInto", options);
    return;
  }
  throw stepError("TRANSFORM_INVALID", place, {
    what: `"${place.name}" windows by ${describe(options)}`,
    why: `it takes a WindowFn, or changes of the windowing alone: ${WINDOWING_OPTIONS.join(", ")}`,
    fix: "write windowInto(fixedWindows(seconds(60))), or windowInto({ trigger }) to keep the windows",
  });
}

export function addReshuffle(input: CollectionNode, naming: StepNaming): StepDraft {
  const place = input.builder.place(naming.given, naming.derived);
  return input.builder.add({ place, spec: { kind: "reshuffle" }, inputs: [input], outputs: { main: input } });
}

export function addGroupByKey(
  input: CollectionNode,
  naming: StepNaming,
  options: { readonly keyCoder?: Coder<never> } = {},
): StepDraft {
  const place = input.builder.place(naming.given, naming.derived);
  checkStepOptions(place, "groupByKey", options);
  const given = options.keyCoder;
  checkGrouping(place, input, given, input.builder.allowUnsafeTriggers);
  const keyCoder = keyCoderFor(input, given);
  const spec = { kind: "groupByKey" as const, ...(keyCoder && { keyCoder }) };
  const main = grouped(input, groupedCoder(keyCoder, valueCoderOf(input.coder)));
  return input.builder.add({ place, spec, inputs: [input], outputs: { main } });
}

export function addCombinePerKey(
  input: CollectionNode,
  naming: StepNaming,
  combiner: unknown,
  options: { readonly keyCoder?: Coder<never>; readonly sideInputs?: SideInputs } = {},
): StepDraft {
  const place = input.builder.place(naming.given, naming.derived);
  checkStepOptions(place, "combinePerKey", options);
  const { keyCoder: given, sideInputs } = options;
  if (combiner === null || (typeof combiner !== "object" && typeof combiner !== "function")) {
    throw stepError("COMBINE_FN_INVALID", place, {
      what: `"${place.name}" combines by ${describe(combiner)}`,
      fix: "give a CombineFn such as sumFn(), or a plain function over the values",
    });
  }
  checkSync(place, "the combining function", combiner);
  const inputCoder = valueCoderOf(input.coder);
  if (typeof combiner === "object") checkCombineFn(place, combiner as AnyCombine);
  const combineFn = toCombineFn(combiner, inputCoder);
  checkCoder(place, combineFn.accumulatorCoder);
  checkCoder(place, combineFn.outputCoder);
  checkGrouping(place, input, given, input.builder.allowUnsafeTriggers);
  const keyCoder = keyCoderFor(input, given);
  const spec = {
    kind: "combinePerKey" as const,
    combineFn,
    name: combineFn.name ?? "Combine",
    ...(keyCoder && { keyCoder }),
  };
  const main = grouped(input, pairCoder(keyCoder, combineFn.outputCoder));
  return input.builder.add({ place, spec, inputs: [input], sideInputs, outputs: { main } });
}

export function addWrite(input: CollectionNode, naming: StepNaming, given: unknown): void {
  const place = input.builder.place(naming.given, naming.derived);
  const sink = given as Sink<unknown> | undefined;
  if (typeof sink?.open !== "function") {
    throw stepError("TRANSFORM_INVALID", place, {
      what: `"${place.name}" writes to ${describe(sink)}`,
      fix: "give a sink, or use .apply(text.write(path))",
    });
  }
  input.builder.add({ place, spec: { kind: "write", sink }, inputs: [input] });
}

/** What a root step's output carries. */
export function rootTraits(bounded: boolean, coder: Coder<never> | undefined, shape: Shape): CollectionTraits {
  return {
    windowing: DEFAULT_WINDOWING,
    bounded,
    coder,
    shape: shapeOf(coder) ?? shape,
  };
}

/** The late elements of a grouping or stateful step: in the global window, so that nothing drops them again. */
export function lateOutput(step: StepDraft): CollectionNode {
  const input = step.inputs[0] as CollectionNode;
  return input.builder.output(step, "late", {
    windowing: DEFAULT_WINDOWING,
    bounded: input.bounded,
    coder: lateCoder(input.coder, input.windowing.windowFn),
    shape: "other",
  });
}

/** The elements that a step gave up on, in the windows in which they came. */
export function deadLetterOutput(step: StepDraft): CollectionNode {
  const input = step.inputs[0] as CollectionNode;
  return input.builder.output(step, "deadLetter", { ...input, coder: deadLetterCoder(input.coder), shape: "other" });
}

function grouped({ windowing, bounded }: CollectionNode, coder: Coder<unknown> | undefined): CollectionTraits {
  return { windowing: afterGrouping(windowing), bounded, coder, shape: "kv" };
}

/** By what a step compares its keys: the coder given to it, else that of its input's keys. */
function keyCoderFor(input: CollectionNode, given: Coder<never> | undefined): Coder<unknown> | undefined {
  return given ?? keyCoderOf(input.coder);
}

function checkDoFn(place: StepPlace, doFn: AnyDoFn): void {
  if (typeof doFn?.process !== "function") {
    throw stepError("TRANSFORM_INVALID", place, {
      what: `the DoFn of "${place.name}" has no process(element, context): it is ${describe(doFn)}`,
      fix: "pass an object with a process function, or an instance (not the class itself)",
    });
  }
  checkDoFnMembers(place, doFn);
  for (const tag of RESERVED_TAGS) {
    if (doFn.outputs?.[tag] === undefined) continue;
    throw stepError("OUTPUT_TAG_RESERVED", place, {
      what: `the DoFn of "${place.name}" declares an output "${tag}"`,
      why: `"${tag}" is the output that the step makes by itself`,
      fix: "give the output another name",
    });
  }
}
