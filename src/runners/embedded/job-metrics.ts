/** The figures of a job, from those of its engine: by step, since stages are the plan's business. */
import type { MetricValue } from "../../fn/metrics.ts";
import type { EngineMetrics, StageMetrics } from "../../engine/metrics.ts";
import type { Collection, CollectionId, PipelineGraph, Step, StepId } from "../../graph/graph.ts";
import type { DropReason } from "../../host/host.ts";
import type { Stage } from "../../host/stage.ts";
import { formatTimestamp } from "../../model/time.ts";

/**
 * Figures of one step of a running job. Steps that the plan has fused into one stage run as one: bundles and watermark are those
 * of the stage, and what only a stage knows as a whole, busy time, keys, timers, state and what waits, stands at its first step
 * (only that one keeps anything) and is 0 at the others.
 */
export interface StepMetrics {
  readonly name: string;
  /** The name of its stage. */
  readonly stage: string;
  /** Elements that came into the step; of a source those that it read. */
  readonly elementsIn: number;
  /** Elements that the step put out, in all its outputs; one that goes to several steps counts once. */
  readonly elementsOut: number;
  readonly bundles: number;
  /**
   * Milliseconds that the stage has been at work: reading, ending its bundles, firing its timers. Elements that it puts out
   * are handled by the steps behind it there and then, so a source's time has most of theirs; what they put out when a window
   * or a timer fires is in their own. Async functions are not in it. 0 in tests, whose clock is simulated.
   */
  readonly busyMs: number;
  /** Milliseconds of event time: the stage puts nothing out before it, but what is late. */
  readonly watermark: number;
  /** Keys for which something is kept, once for each window. */
  readonly keys: number;
  /** What is kept for them, in bytes: about, as up to 64 of them would be written. */
  readonly stateBytes: number;
  /** Timers that are set. */
  readonly timers: number;
  /** Elements that wait: for side inputs, for calls, or to be taken up. */
  readonly pending: number;
  /** What it dropped, in all. */
  readonly dropped: number;
  /**
   * The same by reason: elements whose window had `expired` or whose trigger had finished (`closed`), in the `gap` between two
   * windows, too late for a side input (`view`); processing-time timers (`timer`) whose window expired before they were due.
   */
  readonly droppedBy: Readonly<Partial<Record<DropReason, number>>>;
}

/** Figures of a job. */
export interface JobMetrics {
  /** When they were taken: milliseconds of the job's clock. */
  readonly takenAt: number;
  /** Milliseconds since the job was started. */
  readonly elapsedMs: number;
  /** Elements read by all sources. */
  readonly elementsRead: number;
  /** What all steps dropped. */
  readonly dropped: number;
  /** The least watermark of the last stages: how far results are complete. */
  readonly watermark: number;
  /** Stage by stage, in the order in which elements pass through them. */
  readonly steps: readonly StepMetrics[];
  /** What user code has counted: see `Metrics`. */
  readonly user: readonly UserMetric[];
}

/** A metric of user code. */
export type UserMetric = MetricValue & {
  /** The step's name. */
  readonly step: string;
  readonly name: string;
};

/** What the figures are made of. */
interface Measured {
  readonly graph: PipelineGraph;
  readonly stages: readonly Stage[];
  metrics(): EngineMetrics;
}

/** @param takenAt ms of the job's clock @param job undefined before it runs */
export function jobMetrics(job: Measured | undefined, takenAt: number, elapsedMs: number): JobMetrics {
  if (job === undefined) {
    const watermark = Number.NEGATIVE_INFINITY;
    return { takenAt, elapsedMs, elementsRead: 0, dropped: 0, watermark, steps: [], user: [] };
  }
  const metrics = job.metrics();
  const { graph, stages } = job;
  const elements = new Elements(graph, stages, metrics);
  const stepOf = (id: StepId): Step => graph.steps[id] as Step;
  // An impulse is a beginning, not data.
  const reads = ({ kind, steps }: Stage): boolean =>
    kind === "source" && stepOf(steps[0] as StepId).spec.kind !== "impulse";
  return {
    takenAt,
    elapsedMs,
    elementsRead: metrics.stages.reduce((sum, s, i) => (reads(stages[i] as Stage) ? sum + s.elementsIn : sum), 0),
    dropped: metrics.dropped.reduce((sum, drop) => sum + drop.count, 0),
    watermark: Math.min(...metrics.stages.map((s) => s.outputWatermark)),
    steps: stages.flatMap(({ steps }, i) =>
      steps.map((id, place) => {
        const figures = figuresOf(metrics.stages[i] as StageMetrics, place === 0);
        const losses = lossesOf(id, metrics.dropped);
        return { name: stepOf(id).name, ...figures, ...elements.through(stepOf(id)), ...losses };
      }),
    ),
    user: metrics.user.map(({ step, name, metric }) => ({ step: stepOf(step).name, name, ...metric })),
  };
}

type OfStage = Omit<StepMetrics, "name" | "elementsIn" | "elementsOut" | "dropped" | "droppedBy">;

function figuresOf(stage: StageMetrics, isFirst: boolean): OfStage {
  const { name, bundles, outputWatermark: watermark, busyMs, keys, stateBytes, timers, pending } = stage;
  const kept = isFirst ? { busyMs, keys, stateBytes, timers, pending } : NOTHING_KEPT;
  return { stage: name, bundles, watermark, ...kept };
}

const NOTHING_KEPT = { busyMs: 0, keys: 0, stateBytes: 0, timers: 0, pending: 0 };

function lossesOf(id: StepId, dropped: EngineMetrics["dropped"]): Pick<StepMetrics, "dropped" | "droppedBy"> {
  const own = dropped.filter(({ step }) => step === id);
  const droppedBy = Object.fromEntries(own.map(({ reason, count }) => [reason, count]));
  return { dropped: own.reduce((sum, { count }) => sum + count, 0), droppedBy };
}

/** How many elements collections have had: counted, or as many as came into the step that makes them, but for what it dropped. */
class Elements {
  readonly #graph: PipelineGraph;
  readonly #dropped: EngineMetrics["dropped"];
  readonly #known: Map<CollectionId, number>;
  /** What sources have read. */
  readonly #read = new Map<StepId, number>();

  constructor(graph: PipelineGraph, stages: readonly Stage[], { stages: figures, elements, dropped }: EngineMetrics) {
    this.#graph = graph;
    this.#dropped = dropped;
    this.#known = new Map(elements);
    stages.forEach(({ kind, steps }, i) => {
      if (kind === "source") this.#read.set(steps[0] as StepId, (figures[i] as StageMetrics).elementsIn);
    });
  }

  through(step: Step): { elementsIn: number; elementsOut: number } {
    const elementsOut = Object.values(step.outputs).reduce((sum, output) => sum + this.#of(output), 0);
    return { elementsIn: this.#into(step), elementsOut };
  }

  #into(step: Step): number {
    return this.#read.get(step.id) ?? step.inputs.reduce((sum, input) => sum + this.#of(input), 0);
  }

  #of(collection: CollectionId): number {
    let count = this.#known.get(collection);
    if (count === undefined) {
      const { producer } = this.#graph.collections[collection] as Collection;
      count = this.#into(this.#graph.steps[producer] as Step) - lossesOf(producer, this.#dropped).dropped;
      this.#known.set(collection, count);
    }
    return count;
  }
}

/**
 * One line for each stage, for people: what it stands at.
 *
 * @example
 * ```ts
 * describeStages(await runTest((p) => p.create(["a", "b"]))); // -> "Create: watermark +∞, 2 in, 0 keys, 0 timers, 0 pending"
 * ```
 */
export function describeStages(metrics: JobMetrics): string {
  const firsts = metrics.steps.filter(({ stage }, i, steps) => stage !== steps[i - 1]?.stage);
  return firsts
    .map(
      (s) =>
        `${s.stage}: watermark ${formatTimestamp(s.watermark)}, ${s.elementsIn} in, ${s.keys} keys, ${s.timers} timers, ${s.pending} pending`,
    )
    .join("\n");
}
