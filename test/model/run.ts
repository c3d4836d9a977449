/**
 * The reference model: plays a scenario through one keyed step, or two in a row, and tells what came out.
 * Place: grouping.ts, stateful.ts -> HERE -> golden.test.ts, edge-cases.test.ts, and the tests that compare the engine.
 *
 * M1 It recomputes everything from lists and shares no code with src: slow, plain, and wrong only in its own way.
 * M2 What a step emits while one event is handled reaches the next step as one bundle for each of: the event's elements,
 *    its watermark, its moment of processing time. The next step's watermark follows the bundle, never overtakes it.
 * M3 Delays in processing time are checked when elements and watermarks are at rest, step by step downstream.
 */
import { Grouping, type Input, type Output, type Step } from "./grouping.ts";
import {
  ScenarioError,
  WATERMARK_END,
  type GoldenCombine,
  type GoldenEvent,
  type GoldenPane,
  type GoldenPipeline,
  type GoldenWindowFn,
  type LateRecord,
  type Mark,
  type ReferenceResult,
  type Scenario,
} from "./scenario.ts";
import { Stateful } from "./stateful.ts";
import { continuation } from "./triggers.ts";
import { assign, merges, showInstant, showWindow } from "./windows.ts";

/** A step, and the windows that its input is put in first; without them it keeps its windows. */
interface Stage {
  readonly step: Step;
  readonly into: GoldenWindowFn | undefined;
}

/**
 * Plays a scenario.
 * @returns its panes, in no order that means anything; every element dropped, once for each window; and the marks
 * @throws ScenarioError when the scenario breaks the language's rules
 * Cost: O(events × keys × windows), and worse where windows merge. Meant for tens of elements.
 */
export function runReference(scenario: Scenario): ReferenceResult {
  const late: LateRecord[] = [];
  const marks: Mark[] = [];
  const player = new Player(stagesOf(scenario.pipeline, late, marks));
  for (const event of scenario.events) player.play(event);
  return { panes: player.panes, late, marks };
}

function stagesOf(pipeline: GoldenPipeline, late: LateRecord[], marks: Mark[]): Stage[] {
  const { kind, window, trigger } = pipeline;
  const first = (combine: (values: readonly number[]) => number | readonly number[]): Stage => ({
    step: new Grouping({ step: 0, pipeline, trigger, merging: merges(window), combine, late, marks }),
    into: window,
  });
  switch (kind) {
    case "group":
      return [first((values) => values.toSorted((a, b) => a - b))];
    case "combine":
      return [first((values) => combined(pipeline.combine, values))];
    case "stateful":
      return [{ step: new Stateful(0, pipeline, late, marks), into: window }];
    case "cascade": {
      // The panes' windows have been merged once; the second grouping takes each as it is.
      const second = { step: 1, pipeline, trigger: continuation(trigger), merging: false, combine: sum, late, marks };
      return [first((values) => combined(pipeline.combine, values)), { step: new Grouping(second), into: undefined }];
    }
    case "cascadeRewindow": {
      const { window2 } = pipeline;
      if (window2 === undefined) throw new ScenarioError("cascadeRewindow needs window2");
      const second = {
        step: 1,
        pipeline,
        trigger: { type: "default" },
        merging: merges(window2),
        combine: sum,
        late,
        marks,
      } as const;
      return [first((values) => combined(pipeline.combine, values)), { step: new Grouping(second), into: window2 }];
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function combined(combine: GoldenCombine | undefined, values: readonly number[]): number {
  switch (combine) {
    case "sum":
      return sum(values);
    case "count":
      return values.length;
    case "mean":
      return sum(values) / values.length;
    case "max":
      return Math.max(...values);
    case undefined:
      throw new ScenarioError("a combining pipeline needs `combine`");
  }
}

class Player {
  readonly panes: GoldenPane[] = [];
  readonly #stages: readonly Stage[];
  #watermark = -Infinity;
  #now = 0;

  constructor(stages: readonly Stage[]) {
    this.#stages = stages;
  }

  play(event: GoldenEvent): void {
    const [source] = this.#stages;
    if (source === undefined) throw new ScenarioError("the pipeline has no step");
    if ("elements" in event) {
      this.#deliver(0, source.step.bundle(this.#inputs(source, event.elements)));
    } else if ("watermark" in event) {
      const to = event.watermark === "inf" ? WATERMARK_END : event.watermark;
      if (to < this.#watermark) throw new ScenarioError(`the watermark goes back from ${this.#watermark} to ${to}`);
      this.#watermark = to;
      this.#deliver(0, source.step.advanceWatermark(to));
    } else {
      this.#now += event.advanceProcessingTime;
    }
    this.#propagateWatermarks();
    this.#stages.forEach(({ step }, i) => {
      this.#deliver(i, step.checkProcessingTime(this.#now));
      this.#propagateWatermarks();
    });
  }

  #inputs(stage: Stage, elements: readonly { key: string; value: number; ts: number }[]): Input[] {
    const { into } = stage;
    if (into === undefined) throw new ScenarioError("the source's elements need windows");
    return elements.map(({ key, value, ts }) => ({ key, value, ts, windows: assign(into, ts) }));
  }

  /** Hands what stage `from` has emitted to the next one, or to the answer. */
  #deliver(from: number, outputs: readonly Output[]): void {
    const next = this.#stages[from + 1];
    if (next === undefined) {
      this.panes.push(...outputs.map(shown));
    } else if (outputs.length > 0) {
      const { into } = next;
      const bundle = outputs.map((output) => rekeyed(output, into));
      this.#deliver(from + 1, next.step.bundle(bundle));
    }
  }

  #propagateWatermarks(): void {
    this.#stages.forEach(({ step }, i) => {
      step.rest();
      const next = this.#stages[i + 1];
      if (next !== undefined) this.#deliver(i + 1, next.step.advanceWatermark(step.outputWatermark));
    });
  }
}

function rekeyed({ value, ts, window }: Output, into: GoldenWindowFn | undefined): Input {
  if (typeof value !== "number") throw new ScenarioError("only numbers go on to a second grouping");
  return { key: "all", value, ts, windows: into === undefined ? [window] : assign(into, ts) };
}

function shown({ key, value, ts, window, pane }: Output): GoldenPane {
  return { key, window: showWindow(window), value, ...pane, timestamp: showInstant(ts) };
}
