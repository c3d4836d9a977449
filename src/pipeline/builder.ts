/**
 * The graph while a program builds it: steps, collections and views get ids and names here, and are frozen at the end.
 * Path: Pipeline, PCollection -> HERE -> graph/graph.ts.
 *
 * N1 A step's path name is unique: a given one that is taken is an error, a derived one gets a number.
 * N2 Ids are positions, in order of creation; an output that is asked for later gets a later id.
 * N3 Nothing is added after `freeze`.
 */
import { isTidemarkError, TidemarkError, type TidemarkErrorOptions } from "../base/errors.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import type { Coder } from "../coders/coder.ts";
import type { PCollectionView, ViewKind } from "../fn/view.ts";
import type {
  Collection,
  CollectionId,
  PipelineGraph,
  Step,
  StepId,
  StepSpec,
  ViewId,
  ViewNode,
} from "../graph/graph.ts";
import { validateGraph } from "../graph/validate.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { userLocation } from "../base/frames.ts";

/** What is known of a collection's elements before any exist: pairs, no pairs, or nothing. */
export type Shape = "kv" | "other" | undefined;

/** What a collection carries beside its elements. */
export interface CollectionTraits {
  readonly windowing: WindowingStrategy;
  readonly bounded: boolean;
  readonly coder: Coder<unknown> | undefined;
  readonly shape: Shape;
}

/** A collection while the graph is being built. */
export interface CollectionNode extends CollectionTraits {
  readonly builder: GraphBuilder;
  readonly id: CollectionId;
}

/** A step's name and place, taken before it is checked and added. */
export interface StepPlace {
  readonly name: string;
  readonly at: string | undefined;
}

/** A step while the graph is being built. */
export interface StepDraft extends StepPlace {
  readonly id: StepId;
  readonly spec: StepSpec;
  readonly inputs: readonly CollectionNode[];
  readonly outputs: Record<string, CollectionNode>;
  readonly sideInputs: Readonly<Record<string, ViewId>>;
}

/** A view handle; what it belongs to is for the builder only. */
export class ViewHandle<V> implements PCollectionView<V> {
  readonly viewId: ViewId;
  readonly kind: ViewKind;
  readonly #builder: GraphBuilder;

  constructor(viewId: ViewId, kind: ViewKind, builder: GraphBuilder) {
    this.viewId = viewId;
    this.kind = kind;
    this.#builder = builder;
  }

  belongsTo(builder: GraphBuilder): boolean {
    return this.#builder === builder;
  }
}

/** Everything needed to add a step. */
export interface StepRequest {
  readonly place: StepPlace;
  readonly spec: StepSpec;
  readonly inputs?: readonly CollectionNode[];
  readonly sideInputs?: Readonly<Record<string, PCollectionView<unknown>>> | undefined;
  readonly outputs?: Readonly<Record<string, CollectionTraits>>;
}

/** Runs `check`; its coded errors get the step's name and place. */
export function atPlace<O>(place: StepPlace, check: () => O): O {
  try {
    return check();
  } catch (error) {
    throw isTidemarkError(error)
      ? error.withContext({ step: place.name, ...(place.at !== undefined && { at: place.at }) })
      : error;
  }
}

/** An error about a step, with its name and place. */
export function stepError(code: ErrorCode, place: StepPlace, text: TidemarkErrorOptions): TidemarkError {
  return new TidemarkError(code, { ...text, step: place.name, ...(place.at !== undefined && { at: place.at }) });
}

/**
 * Makes of a step what the method that added it returns: collections of its outputs. Handed in, since those are collections
 * whose methods add steps.
 */
export interface StepResults {
  elementwise(step: StepDraft): unknown;
  keyed(step: StepDraft): unknown;
  parDo(step: StepDraft): unknown;
}

/** What a program says beside its steps. */
export interface BuilderOptions {
  readonly allowUnsafeTriggers: boolean;
  readonly transformNameMapping: Readonly<Record<string, string>>;
  readonly results: StepResults;
}

export class GraphBuilder {
  readonly name: string;
  readonly allowUnsafeTriggers: boolean;
  readonly #transformNameMapping: Readonly<Record<string, string>>;
  readonly results: StepResults;
  readonly #steps: StepDraft[] = [];
  readonly #collections: { node: CollectionNode; producer: StepId; tag: string }[] = [];
  readonly #views: ViewNode[] = [];
  /** Path names of steps and composites, with the places that took them. */
  readonly #names = new Map<string, string | undefined>();
  #scope = "";
  #closed = false;

  constructor(name: string, options: BuilderOptions) {
    this.name = name;
    this.results = options.results;
    this.allowUnsafeTriggers = options.allowUnsafeTriggers;
    this.#transformNameMapping = options.transformNameMapping;
  }

  /**
   * Takes the name of a step or composite in the composite being expanded.
   * @param given the user's own name; @param derived used, with a number where needed, when there is none
   * @throws DUPLICATE_STEP_NAME, STEP_NAME_INVALID, PIPELINE_CLOSED
   */
  place(given: string | undefined, derived: string): StepPlace {
    const at = userLocation();
    this.#assertOpen(given ?? derived, at);
    const name = this.#scope + (given ?? this.#free(derived));
    if (given !== undefined) this.#checkGiven(given, name, at);
    this.#names.set(name, at);
    return { name, at };
  }

  /** The name of the composite that is being expanded; empty outside of any. */
  get scope(): string {
    return this.#scope.slice(0, -1);
  }

  /** Runs `expand` with the names of its steps inside the composite `name`. */
  inScope<O>(name: string, expand: () => O): O {
    const outer = this.#scope;
    this.#scope = name === "" ? "" : `${name}/`;
    try {
      return expand();
    } finally {
      this.#scope = outer;
    }
  }

  /** Adds a step. @throws OTHER_PIPELINE when an input or side input is not of this pipeline */
  add(request: StepRequest): StepDraft {
    const { place, spec, inputs = [], sideInputs = {}, outputs = {} } = request;
    for (const input of inputs) if (input.builder !== this) throw otherPipeline(place, "collection");
    const step: StepDraft = {
      ...place,
      id: this.#steps.length,
      spec: Object.freeze(spec),
      inputs,
      outputs: {},
      sideInputs: this.#sideInputIds(place, sideInputs),
    };
    this.#steps.push(step);
    for (const [tag, traits] of Object.entries(outputs)) this.output(step, tag, traits);
    return step;
  }

  /** The output `tag` of `step`, made when it is first asked for. */
  output(step: StepDraft, tag: string, traits: CollectionTraits): CollectionNode {
    const present = step.outputs[tag];
    if (present !== undefined) return present;
    this.#assertOpen(step.name, step.at);
    const node: CollectionNode = { ...traits, builder: this, id: this.#collections.length };
    this.#collections.push({ node, producer: step.id, tag });
    step.outputs[tag] = node;
    return node;
  }

  /** Adds the step that makes a side input, and the view. */
  addView<V>(
    place: StepPlace,
    kind: ViewKind,
    input: CollectionNode,
    defaultValue: { readonly value: unknown } | undefined,
  ): ViewHandle<V> {
    const viewId = this.#views.length;
    const step = this.add({
      place,
      spec: { kind: "view", view: kind, viewId, ...(defaultValue && { defaultValue }) },
      inputs: [input],
    });
    this.#views.push(Object.freeze({ id: viewId, step: step.id, kind, windowing: input.windowing }));
    return new ViewHandle<V>(viewId, kind, this);
  }

  /** The graph, frozen. @throws PIPELINE_EMPTY when the program built nothing */
  freeze(): PipelineGraph {
    this.#closed = true;
    if (this.#steps.length === 0) {
      throw new TidemarkError("PIPELINE_EMPTY", {
        what: `the program "${this.name}" built no steps`,
        why: "a pipeline begins with a source, as in p.create([...]) or p.apply(text.read(path))",
        fix: "apply the source to the `p` that build(p, options) is given, and await what is asynchronous in build",
      });
    }
    const graph: PipelineGraph = Object.freeze({
      name: this.name,
      steps: Object.freeze(this.#steps.map(freezeStep)),
      collections: Object.freeze(this.#collections.map(freezeCollection)),
      views: Object.freeze([...this.#views]),
      transformNameMapping: Object.freeze({ ...this.#transformNameMapping }),
    });
    validateGraph(graph);
    this.#checkSinks(graph.steps);
    return graph;
  }

  /** Of two that write the same place as a whole only the last would be seen. */
  #checkSinks(steps: readonly Step[]): void {
    const writers = new Map<string, string>();
    for (const { name, spec } of steps) {
      const replaces = spec.kind === "write" ? spec.sink.replaces : undefined;
      if (replaces === undefined) continue;
      const other = writers.get(replaces);
      if (other !== undefined) {
        throw stepError(
          "SINK_TWICE",
          { name, at: this.#names.get(name) },
          {
            what: `the steps "${other}" and "${name}" both write ${replaces}`,
            why: "each writes it as a whole, so that only the output of the one that ends last would be left",
            fix: "give each a place of its own, or write flatten([a, b]) once",
          },
        );
      }
      writers.set(replaces, name);
    }
  }

  #free(derived: string): string {
    if (!this.#names.has(this.#scope + derived)) return derived;
    for (let n = 2; ; n++) if (!this.#names.has(`${this.#scope}${derived}${n}`)) return `${derived}${n}`;
  }

  #checkGiven(given: string, path: string, at: string | undefined): void {
    if (given.trim() === "" || given.includes("/")) {
      throw stepError(
        "STEP_NAME_INVALID",
        { name: path, at },
        {
          what: `${JSON.stringify(given)} cannot be the name of a step`,
          why: "names are not empty, and `/` separates a composite from its steps",
          fix: "give a name without `/`",
        },
      );
    }
    if (!this.#names.has(path)) return;
    const first = this.#names.get(path);
    throw stepError(
      "DUPLICATE_STEP_NAME",
      { name: path, at },
      {
        what: `the name "${path}" is given twice${first === undefined ? "" : `: first at ${first}`}${at === undefined ? "" : `, again at ${at}`}`,
        why: "the name of a step identifies its state, metrics and errors",
        fix: "give one of the two another name",
      },
    );
  }

  #assertOpen(name: string, at: string | undefined): void {
    if (!this.#closed) return;
    throw stepError(
      "PIPELINE_CLOSED",
      { name, at },
      {
        what: `"${name}" was applied after build(p, options) of "${this.name}" had returned`,
        why: "the graph is complete when build returns, or when its promise resolves",
        fix: "apply it inside build, and await what is asynchronous there",
      },
    );
  }

  #sideInputIds(
    place: StepPlace,
    views: Readonly<Record<string, PCollectionView<unknown>>>,
  ): Readonly<Record<string, ViewId>> {
    const ids: Record<string, ViewId> = {};
    for (const [name, view] of Object.entries(views)) {
      if (!(view instanceof ViewHandle)) {
        throw stepError("SIDE_INPUT_INVALID", place, {
          what: `the side input "${name}" of "${place.name}" is not a view`,
          fix: "make one of the collection with .asSingleton(), .asList(), .asIterable(), .asMap() or .asMultimap()",
        });
      }
      if (!view.belongsTo(this)) throw otherPipeline(place, `side input "${name}"`);
      ids[name] = view.viewId;
    }
    return Object.freeze(ids);
  }
}

function otherPipeline(place: StepPlace, what: string): TidemarkError {
  return stepError("OTHER_PIPELINE", place, {
    what: `a ${what} of "${place.name}" belongs to another pipeline`,
    why: "collections and views are positions in the graph of the pipeline that made them",
    fix: "make it from the `p` of this build, inside the same call of build(p, options)",
  });
}

function freezeStep(step: StepDraft): Step {
  const outputs = Object.fromEntries(Object.entries(step.outputs).map(([tag, node]) => [tag, node.id]));
  return Object.freeze({
    id: step.id,
    name: step.name,
    spec: step.spec,
    inputs: Object.freeze(step.inputs.map((input) => input.id)),
    outputs: Object.freeze(outputs),
    sideInputs: step.sideInputs,
    at: step.at,
  });
}

function freezeCollection({
  node,
  producer,
  tag,
}: {
  node: CollectionNode;
  producer: StepId;
  tag: string;
}): Collection {
  return Object.freeze({
    id: node.id,
    producer,
    tag,
    windowing: node.windowing,
    bounded: node.bounded,
    coder: node.coder,
  });
}
