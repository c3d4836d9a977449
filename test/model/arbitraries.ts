/**
 * Random scenarios, and what each of them reached.
 * Place: scenario.ts, run.ts -> HERE -> tests that compare the engine with the reference model.
 *
 * A1 Every scenario keeps the language's rules: the watermark never goes back, no program sets a timer after its window's
 *    expiry, and triggers that may finish are allowed.
 * A2 Times are small and close together, so that elements fall on window edges and watermarks on the ends of windows.
 * A3 `cutBundles` moves the borders between bundles, and nothing else: the order of elements, and what stands between them, stay.
 */
import fc from "fast-check";
import type {
  GoldenElement,
  GoldenEvent,
  GoldenPane,
  GoldenPipeline,
  GoldenTrigger,
  GoldenWindowFn,
  ReferenceResult,
  Scenario,
} from "./scenario.ts";

const KEYS = ["a", "b", "c"] as const;

/** What a scenario may reach; see `classify`. */
export const CLASSES = [
  "sessions merging two fired windows",
  "late data after closing",
  "discarding with lateness",
  "empty on-time pane",
  "equal timestamps",
  "watermark jumps over several windows",
  "two groupings in a row",
  "keys that expire between bundles",
] as const;
export type ScenarioClass = (typeof CLASSES)[number];

export interface ScenarioOptions {
  /** Default: all of them. */
  readonly kinds?: readonly GoldenPipeline["kind"][];
  /** Only pipelines that give the same panes however elements are cut into bundles. Default false. */
  readonly bundleBlind?: boolean;
}

/** Any scenario of the language, with at most some forty elements. */
export function scenarios(options: ScenarioOptions = {}): fc.Arbitrary<Scenario> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ pipeline: pipelines(options), events: scripts() }) },
    { weight: 1, arbitrary: bridges(options) },
  );
}

/** How a script's consecutive elements are cut into bundles: `true` begins a new one. Used in turn, and over again. */
export function bundleCuts(): fc.Arbitrary<readonly boolean[]> {
  return fc.array(fc.boolean(), { minLength: 1, maxLength: 12 });
}

/** The same script with other bundles. Bundles that stand side by side are joined first, then cut. */
export function cutBundles(events: readonly GoldenEvent[], cuts: readonly boolean[]): GoldenEvent[] {
  const out: GoldenEvent[] = [];
  let bundle: GoldenElement[] | undefined;
  let turn = 0;
  for (const event of events) {
    if (!("elements" in event)) {
      bundle = undefined;
      out.push(event);
      continue;
    }
    for (const element of event.elements) {
      if (bundle === undefined || cuts[turn++ % cuts.length] === true) {
        bundle = [];
        out.push({ elements: bundle });
      }
      bundle.push(element);
    }
  }
  return out;
}

// ---- pipelines -------------------------------------------------------------------------------------------------------

function pipelines(
  options: ScenarioOptions,
  window: fc.Arbitrary<GoldenWindowFn> = windowFns(),
  trigger: fc.Arbitrary<GoldenTrigger> = triggers(),
): fc.Arbitrary<GoldenPipeline> {
  const kinds = options.kinds ?? ["group", "combine", "cascade", "cascadeRewindow", "stateful"];
  const grouped = kinds.filter((kind) => kind !== "stateful");
  const choices: fc.WeightedArbitrary<GoldenPipeline>[] = [];
  if (grouped.length > 0)
    choices.push({ weight: 8, arbitrary: groupings(grouped, options.bundleBlind ?? false, window, trigger) });
  if (kinds.includes("stateful")) choices.push({ weight: 1, arbitrary: programs() });
  return fc.oneof(...choices);
}

function groupings(
  kinds: readonly GoldenPipeline["kind"][],
  bundleBlind: boolean,
  window: fc.Arbitrary<GoldenWindowFn>,
  trigger: fc.Arbitrary<GoldenTrigger>,
): fc.Arbitrary<GoldenPipeline> {
  return fc
    .record({
      kind: fc.constantFrom(...kinds),
      window,
      window2: windowFns(),
      trigger: bundleBlind ? blindTriggers() : trigger,
      accumulation: fc.constantFrom("accumulating" as const, "discarding" as const),
      allowedLateness: bundleBlind ? fc.constant(0) : fc.constantFrom(0, 0, 1, 5, 20, 20, 1000, 1000),
      timestampCombiner: timestampCombiners(bundleBlind),
      closingBehavior: fc.constantFrom("fireIfNonEmpty" as const, "fireIfNonEmpty" as const, "fireAlways" as const),
      onTimeBehavior: fc.constantFrom("fireAlways" as const, "fireAlways" as const, "fireIfNonEmpty" as const),
      combine: fc.constantFrom("sum" as const, "count" as const),
    })
    .map(({ window2, combine, ...common }): GoldenPipeline => {
      const pipeline = { ...common, allowUnsafeTriggers: true };
      if (pipeline.kind === "group") return pipeline;
      return pipeline.kind === "cascadeRewindow" ? { ...pipeline, combine, window2 } : { ...pipeline, combine };
    });
}

function timestampCombiners(bundleBlind: boolean): fc.Arbitrary<GoldenPipeline["timestampCombiner"]> {
  // The hold of a latest timestamp moves with each bundle, and with it what is too late to move it.
  if (bundleBlind) return fc.constantFrom("endOfWindow", "earliest");
  return fc.constantFrom("endOfWindow", "endOfWindow", "earliest", "latest");
}

function programs(): fc.Arbitrary<GoldenPipeline> {
  const base = {
    kind: "stateful",
    trigger: { type: "default" },
    accumulation: "discarding",
    timestampCombiner: "endOfWindow",
  } as const;
  const windowed = fc.record({
    program: fc.constantFrom("runningCount" as const, "bufferUntilWindowEnd" as const, "processingFlush" as const),
    window: fc.oneof(fixedWindows(), slidingWindows()),
    allowedLateness: fc.constantFrom(0, 5, 20),
    delay: fc.constantFrom(1, 5),
  });
  const global = fc.record({
    program: fc.constantFrom(
      "idleFlush" as const,
      "cancelOnNegative" as const,
      "tagTimers" as const,
      "ticker" as const,
    ),
    window: fc.constant({ type: "global" } as const),
    allowedLateness: fc.constant(0),
    gap: fc.constantFrom(3, 10),
    period: fc.constantFrom(1, 7),
    count: fc.integer({ min: 1, max: 4 }),
  });
  return fc.oneof(windowed, global).map((own): GoldenPipeline => ({ ...base, ...own }));
}

function fixedWindows(): fc.Arbitrary<GoldenWindowFn> {
  return fc.constantFrom(0, 0, 3).map((offset) => ({ type: "fixed", size: 10, offset }));
}

function slidingWindows(): fc.Arbitrary<GoldenWindowFn> {
  // Periods that divide the size, that do not, and one that is longer than it.
  return fc.constantFrom(5, 4, 7, 13).map((period) => ({ type: "sliding", size: 10, period, offset: 0 }));
}

function sessionWindows(): fc.Arbitrary<GoldenWindowFn> {
  return fc.constantFrom(3, 5, 10).map((gap) => ({ type: "sessions", gap }));
}

function windowFns(): fc.Arbitrary<GoldenWindowFn> {
  return fc.oneof(
    { weight: 4, arbitrary: fixedWindows() },
    { weight: 2, arbitrary: slidingWindows() },
    { weight: 3, arbitrary: sessionWindows() },
    { weight: 1, arbitrary: fc.constant({ type: "global" } as const) },
  );
}

// ---- triggers --------------------------------------------------------------------------------------------------------

function simple(): fc.Arbitrary<GoldenTrigger> {
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.integer({ min: 1, max: 3 }).map((count): GoldenTrigger => ({ type: "afterCount", count })),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(1, 4).map((delay): GoldenTrigger => ({ type: "afterProcessingTime", delay })),
    },
  );
}

function once(): fc.Arbitrary<GoldenTrigger> {
  const several = fc.array(fc.oneof({ weight: 4, arbitrary: simple() }, { weight: 1, arbitrary: atEnd() }), {
    minLength: 2,
    maxLength: 3,
  });
  return fc.oneof(
    { weight: 6, arbitrary: simple() },
    { weight: 1, arbitrary: several.map((of): GoldenTrigger => ({ type: "afterAny", of })) },
    { weight: 1, arbitrary: several.map((of): GoldenTrigger => ({ type: "afterAll", of })) },
  );
}

function atEnd(): fc.Arbitrary<GoldenTrigger> {
  return fc.constant({ type: "afterWatermark" });
}

function aroundWatermark(): fc.Arbitrary<GoldenTrigger> {
  return fc.oneof(
    atEnd(),
    once().map((early): GoldenTrigger => ({ type: "afterWatermark", early })),
    once().map((late): GoldenTrigger => ({ type: "afterWatermark", late })),
    fc.record({ early: once(), late: once() }).map((both): GoldenTrigger => ({ type: "afterWatermark", ...both })),
  );
}

function repeating(): fc.Arbitrary<GoldenTrigger> {
  return once().map((of): GoldenTrigger => ({ type: "repeatedly", of }));
}

function triggers(): fc.Arbitrary<GoldenTrigger> {
  const parts = fc.array(fc.oneof({ weight: 3, arbitrary: once() }, { weight: 1, arbitrary: aroundWatermark() }), {
    minLength: 2,
    maxLength: 3,
  });
  const repeated = repeating();
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant({ type: "default" } as const) },
    { weight: 6, arbitrary: aroundWatermark() },
    { weight: 6, arbitrary: repeated },
    { weight: 2, arbitrary: once() },
    { weight: 1, arbitrary: parts.map((of): GoldenTrigger => ({ type: "afterEach", of })) },
    { weight: 1, arbitrary: parts.map((of): GoldenTrigger => ({ type: "repeatedly", of: { type: "afterEach", of } })) },
    {
      weight: 1,
      arbitrary: fc
        .record({ of: repeated, until: fc.oneof(atEnd(), once()) })
        .map((p): GoldenTrigger => ({ type: "orFinally", ...p })),
    },
    { weight: 1, arbitrary: fc.constantFrom({ type: "never" } as const, { type: "always" } as const) },
  );
}

/** Triggers that fire by the watermark alone, as long as no element may be late. */
function blindTriggers(): fc.Arbitrary<GoldenTrigger> {
  return fc.constantFrom<GoldenTrigger[]>({ type: "default" }, { type: "never" }, { type: "afterWatermark" });
}

// ---- scripts ---------------------------------------------------------------------------------------------------------

type Action =
  | {
      readonly do: "add";
      readonly key: string;
      readonly value: number;
      readonly place: number;
      readonly near: boolean;
      readonly joined: boolean;
    }
  | { readonly do: "watermark"; readonly place: number; readonly by: boolean }
  | { readonly do: "wait"; readonly ms: number };

/** Instants on and beside the edges of windows of 10, more often than others. */
function places(min: number, max: number): fc.Arbitrary<number> {
  const edge = fc.record({ tens: fc.integer({ min: min / 10, max: max / 10 }), nudge: fc.constantFrom(-1, 0, 1) });
  return fc.oneof(
    { weight: 3, arbitrary: edge.map(({ tens, nudge }) => tens * 10 + nudge) },
    { weight: 2, arbitrary: fc.integer({ min, max }) },
  );
}

function actions(): fc.Arbitrary<Action> {
  const element = fc.record({
    do: fc.constant("add" as const),
    key: fc.constantFrom(...KEYS, "a"),
    value: fc.integer({ min: -2, max: 9 }),
    place: places(-20, 40),
    near: fc.boolean(),
    joined: fc.boolean(),
  });
  const watermark = fc.record({ do: fc.constant("watermark" as const), place: places(-10, 40), by: fc.boolean() });
  const wait = fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 6 }) });
  return fc.oneof(
    { weight: 8, arbitrary: element },
    { weight: 2, arbitrary: watermark },
    { weight: 1, arbitrary: wait },
  );
}

function scripts(): fc.Arbitrary<GoldenEvent[]> {
  return fc
    .tuple(fc.array(actions(), { minLength: 3, maxLength: 40, size: "max" }), endings())
    .map(([list, end]) => [...played(list), ...end]);
}

function endings(): fc.Arbitrary<GoldenEvent[]> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant<GoldenEvent[]>([{ watermark: "inf" }]) },
    { weight: 1, arbitrary: fc.constant<GoldenEvent[]>([]) },
  );
}

/** Places become instants: `near` and `by` count from the watermark, once there is one; the watermark never goes back. */
function played(list: readonly Action[]): GoldenEvent[] {
  const events: GoldenEvent[] = [];
  let watermark: number | undefined;
  let bundle: GoldenElement[] | undefined;
  for (const action of list) {
    if (action.do === "add") {
      const { key, value, place, near, joined } = action;
      // Near the watermark means up to two windows behind it, and three before.
      const ts = near && watermark !== undefined ? watermark + place - 10 : place;
      if (bundle === undefined || !joined) events.push({ elements: (bundle = []) });
      bundle.push({ key, value, ts });
      continue;
    }
    bundle = undefined;
    if (action.do === "wait") {
      events.push({ advanceProcessingTime: action.ms });
    } else {
      watermark =
        watermark === undefined
          ? action.place
          : Math.max(watermark, action.by ? watermark + Math.abs(action.place) : action.place);
      events.push({ watermark });
    }
  }
  return events;
}

/** Two sessions of one key, side by side, time for both to fire, and then the element that joins them. */
function bridges(options: ScenarioOptions): fc.Arbitrary<Scenario> {
  const some = fc.array(actions(), { maxLength: 6 });
  const parts = fc.record({
    pipeline: pipelines(options, sessionWindows(), fc.oneof(triggers(), repeating())),
    before: some,
    first: places(0, 30),
    more: fc.nat(8),
    fill: fc.integer({ min: 1, max: 3 }),
    after: some,
    end: endings(),
  });
  return parts.map(({ pipeline, before, first, more, fill, after, end }) => {
    const gap = pipeline.window.type === "sessions" ? pipeline.window.gap : 10;
    const apart = gap + (more % (gap - 1));
    const at = (ts: number): Action[] =>
      Array.from(
        { length: fill },
        (_, i) => ({ do: "add", key: "a", value: i, place: ts, near: false, joined: i > 0 }) as const,
      );
    const bridge: Action[] = [
      ...at(first),
      ...at(first + apart),
      { do: "wait", ms: 4 },
      ...at(first + Math.ceil(apart / 2)),
    ];
    return { pipeline, events: [...played([...before, ...bridge, ...after]), ...end] };
  });
}

// ---- classes ---------------------------------------------------------------------------------------------------------

/** Which of the classes a scenario and its result belong to. */
export function classify(scenario: Scenario, result: ReferenceResult): ReadonlySet<ScenarioClass> {
  const found = new Set<ScenarioClass>();
  const { pipeline, events } = scenario;
  const { panes, late, marks } = result;
  const stateful = pipeline.kind === "stateful";
  if (
    pipeline.window.type === "sessions" &&
    marks.some((mark) => mark.kind === "merged" && mark.step === 0 && mark.fired >= 2)
  ) {
    found.add("sessions merging two fired windows");
  }
  const afterPane = late.some((drop) => panes.some((pane) => samePlace(pane, drop)));
  if (late.some((drop) => drop.reason === "closed") || afterPane) found.add("late data after closing");
  const afterAnother = panes.some((pane) => pane.timing === "LATE" && pane.index > 0);
  if (!stateful && pipeline.accumulation === "discarding" && pipeline.allowedLateness > 0 && afterAnother)
    found.add("discarding with lateness");
  if (marks.some((mark) => mark.kind === "emptyOnTime")) found.add("empty on-time pane");
  if (hasEqualTimestamps(events)) found.add("equal timestamps");
  if (marks.some((mark) => mark.kind === "windowsEnded" && mark.windows >= 2))
    found.add("watermark jumps over several windows");
  if ((pipeline.kind === "cascade" || pipeline.kind === "cascadeRewindow") && panes.length > 0)
    found.add("two groupings in a row");
  if (marks.some((mark) => mark.kind === "keyReturned")) found.add("keys that expire between bundles");
  return found;
}

function samePlace(pane: GoldenPane, drop: { readonly key: string; readonly window: unknown }): boolean {
  return pane.key === drop.key && JSON.stringify(pane.window) === JSON.stringify(drop.window);
}

/** Two elements of one key at one instant. */
function hasEqualTimestamps(events: readonly GoldenEvent[]): boolean {
  const elements = events.flatMap((event) => ("elements" in event ? event.elements : []));
  return new Set(elements.map(({ key, ts }) => `${key} ${ts}`)).size < elements.length;
}
