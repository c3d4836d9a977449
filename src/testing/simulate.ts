/**
 * Simulates a job whose process may die at any moment: virtual time, a seeded order of all that is not determined, and crashes
 * between any two operations of its store, its sources and its sinks. One seed, one run: the trace is the same to the byte.
 *
 * U1 Sources are the program's own. Sinks are replaced by places that outlive the process and keep the contract of `SinkWriter`.
 * U2 Functions that ask the machine's clock, draw random numbers or do input and output make a run depend on them.
 */
import { checkOptionNames, type OptionNames } from "../base/option-names.ts";
import { TidemarkError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { seededRandom } from "../base/random.ts";
import { valueCoder } from "../coders/value.ts";
import { describeExplanation } from "../explain/words.ts";
import type { CollectionId, PipelineGraph, Step } from "../graph/graph.ts";
import type { Program } from "../pipeline/index.ts";
import { buildProgram } from "../program/build.ts";
import { EmbeddedJob } from "../runners/embedded/job.ts";
import { MemoryCheckpoints } from "./memory-checkpoints.ts";
import { type Chances, Life, World } from "./simulation/life.ts";
import { Place, simulatedSource } from "./simulation/outside.ts";
import { SimulatedStore } from "./simulation/store.ts";

/** What may go wrong; all members optional, chances from 0 to 1 at each occasion. */
export interface SimulatedFaults {
  /** How many times the process dies at most. Default 5. */
  readonly crashes?: number;
  /** That it dies at a point: an operation of the store, a poll, a commit, a turn. Default 0.01. */
  readonly crash?: number;
  /** That a source or sink makes the job wait, or the clock jumps. Default 0.05. */
  readonly stall?: number;
  /** That a sink says that a commit has failed, before it was done or after: it is then told again. Default 0.05. */
  readonly commitFailure?: number;
}

/** How a job is simulated. */
export interface SimulationOptions {
  /** Decides all that happens. */
  readonly seed: number;
  /** Options of the program, raw. */
  readonly options?: unknown;
  /** Default: all of them. `{ crash: 0, stall: 0, commitFailure: 0 }` for none. */
  readonly faults?: SimulatedFaults;
}

/** What a simulated job has done. */
export interface Simulation {
  readonly seed: number;
  readonly crashes: number;
  /** What happened, in order: the virtual time in ms, and what. */
  readonly trace: readonly string[];
  /** What a step that writes has made visible, in that order. @throws STEP_UNKNOWN */
  written(step: string): readonly unknown[];
}

/**
 * Runs `program` to its end through crashes and stalls that `seed` decides. It has to end: its sources are bounded, or give an end.
 * @throws SIMULATION_STUCK where nothing goes on any more; what the job fails with
 *
 * @example
 * ```ts
 * const program = pipeline({
 *   name: "totals",
 *   build: (p) =>
 *     p.create([["ann", 1], ["bob", 2], ["ann", 3]]).apply(combinePerKey(sumFn())).write("Out", collectSink("out", [])),
 * });
 * for (let seed = 0; seed < 20; seed++) {
 *   const { written } = await simulate(program, { seed });
 *   const totals = written("Out").toSorted(); // whatever has crashed, each total is there once
 *   if (totals.join() !== "ann,4,bob,2") throw new Error(`seed ${seed}`);
 * }
 * const [first, again] = [await simulate(program, { seed: 7 }), await simulate(program, { seed: 7 })];
 * first.trace.join() === again.trace.join(); // -> true
 * ```
 */
export async function simulate(program: Program, options: SimulationOptions): Promise<Simulation> {
  checkOptionNames("simulate", options, OPTIONS);
  const { seed, faults = {} } = options;
  checkOptionNames("the faults of simulate", faults, FAULTS);
  const { crashes = 5, crash = 0.01, stall = 0.05, commitFailure = 0.05 } = faults;
  const chances: Chances = { crash, stall, commitFailure };
  const world = new World(seededRandom(seed), chances, crashes);
  const built = await buildProgram(program, options.options ?? {});
  const places = placesOf(built.graph);
  const disk = new MemoryCheckpoints(() => world.random.int(4) === 0);
  const everyMs = 1 + world.random.int(20);
  const stateMemory = world.random.int(2) === 0 ? 0 : Infinity;
  while (!(await lives(new Life(world)))) world.now += world.random.int(1000);

  /** @returns whether it came to the end of the job */
  async function lives(life: Life): Promise<boolean> {
    world.note("the job is started");
    const job = new EmbeddedJob(simulated(built.graph, places, life), {
      clock: life.clock,
      options: built.options,
      encoded: true,
      strict: true,
      warn: () => {},
      cutBundle: () => 1 + world.random.int(4),
      delay: (arrive) => life.delay(arrive),
      checkpoints: { store: new SimulatedStore(disk, life), everyMs, stateMemory },
    });
    return await playOut(job, life);
  }

  return {
    seed,
    crashes: world.crashes,
    trace: world.trace,
    written: (step) => writtenBy(places, step),
  };
}

const OPTIONS: OptionNames<SimulationOptions> = { seed: true, options: true, faults: true };
const FAULTS: OptionNames<SimulatedFaults> = { crashes: true, crash: true, stall: true, commitFailure: true };

/** Rounds of the event loop without anything that happens, after which a job is stuck. */
const PATIENCE = 5_000;

async function playOut(job: EmbeddedJob, life: Life): Promise<boolean> {
  const over: { failed?: { readonly error: unknown }; isDone?: true } = {};
  job.done.then(
    () => (over.isDone = true),
    (error: unknown) => (over.failed = { error }),
  );
  for (let quiet = 0; ; quiet++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (life.isDead) break;
    if (over.failed !== undefined) throw over.failed.error;
    if (over.isDone === true) return true;
    if (life.step()) quiet = 0;
    else if (quiet > PATIENCE) throw stuck(job, life);
  }
  // What user code holds is let go of; a dead process has no more say in anything.
  void job.cancel();
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  return false;
}

function stuck(job: EmbeddedJob, { world }: Life): TidemarkError {
  return new TidemarkError("SIMULATION_STUCK", {
    what: `the simulated job does not go on: ${world.trace.at(-1)}`,
    why: "nothing is left that could happen: no timer, no result, no turn",
    fix: "settle what is waited for; a source has to end, and functions must not wait for the machine's clock",
    waiting: describeExplanation(job.explain({}, true)),
  });
}

function placesOf(graph: PipelineGraph): ReadonlyMap<string, Place> {
  const places = graph.steps.flatMap((step): [string, Place][] => {
    const coder = graph.collections[step.inputs[0] as CollectionId]?.coder;
    return step.spec.kind === "write" ? [[step.name, new Place(step.name, coder ?? valueCoder)]] : [];
  });
  return new Map(places);
}

function writtenBy(places: ReadonlyMap<string, Place>, step: string): readonly unknown[] {
  const place = places.get(step);
  if (place !== undefined) return place.elements;
  const names = [...places.keys()];
  const meant = nearest(step, names);
  throw new TidemarkError("STEP_UNKNOWN", {
    what: `no step "${step}" writes`,
    fix:
      meant === undefined
        ? `those that write are ${names.map((name) => `"${name}"`).join(", ")}`
        : `did you mean "${meant}"?`,
  });
}

/** The graph with its sources and sinks replaced. */
function simulated(graph: PipelineGraph, places: ReadonlyMap<string, Place>, life: Life): PipelineGraph {
  const replaced = (step: Step): Step => {
    const { spec, name } = step;
    if (spec.kind === "write") return { ...step, spec: { ...spec, sink: (places.get(name) as Place).sink(life) } };
    if (spec.kind === "read") return { ...step, spec: { ...spec, source: simulatedSource(spec.source, name, life) } };
    return step;
  };
  return { ...graph, steps: graph.steps.map(replaced) };
}
