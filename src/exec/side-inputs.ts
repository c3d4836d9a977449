/** Side inputs as user code sees them, and the gate that keeps elements back until theirs are ready. */
import { TidemarkError } from "../base/errors.ts";
import { preview } from "../base/preview.ts";
import type { DeterministicCoder } from "../coders/coder.ts";
import { keyCoderOf } from "../coders/composites.ts";
import { keyCoderFor } from "../coders/key.ts";
import type { PipelineGraph, Step, StepId, ViewId, ViewNode } from "../graph/graph.ts";
import { viewRetention } from "../graph/views.ts";
import type { Emitter } from "../host/emitter.ts";
import type { SideInputHost, StageHost } from "../host/host.ts";
import type { MissingView } from "../host/pending.ts";
import type { MapKey } from "../host/records.ts";
import type { Pane } from "../model/pane.ts";
import { MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import { formatWindow, GLOBAL_WINDOW, type Window } from "../model/window.ts";
import type { SideInputReader } from "./do-fn-context.ts";

/** What stands for a key in a Map: by content, or by the coder of the pairs' keys. */
type ToMapKey = (key: unknown) => MapKey;

/** A Map whose keys are equal as those of groupings are, read only. */
class KeyedView<V> implements ReadonlyMap<unknown, V> {
  readonly #entries: Map<MapKey, [unknown, V]>;
  readonly #toMapKey: ToMapKey;

  constructor(entries: Map<MapKey, [unknown, V]>, toMapKey: ToMapKey) {
    this.#entries = entries;
    this.#toMapKey = toMapKey;
    // Iterating hands these pairs out.
    for (const entry of entries.values()) Object.freeze(entry);
  }
  get size(): number {
    return this.#entries.size;
  }
  get(key: unknown): V | undefined {
    return this.#entries.get(this.#toMapKey(key))?.[1];
  }
  has(key: unknown): boolean {
    return this.#entries.has(this.#toMapKey(key));
  }
  forEach(callback: (value: V, key: unknown, map: ReadonlyMap<unknown, V>) => void): void {
    for (const [key, value] of this.#entries.values()) callback(value, key, this);
  }
  *entries(): MapIterator<[unknown, V]> {
    yield* this.#entries.values();
  }
  *keys(): MapIterator<unknown> {
    for (const [key] of this.#entries.values()) yield key;
  }
  *values(): MapIterator<V> {
    for (const [, value] of this.#entries.values()) yield value;
  }
  [Symbol.iterator](): MapIterator<[unknown, V]> {
    return this.entries();
  }
}

interface NamedView {
  readonly name: string;
  readonly node: ViewNode;
  readonly defaultValue: { readonly value: unknown } | undefined;
  readonly toMapKey: ToMapKey;
  /** The window of the step that was looked from last, and the view's own for it. */
  window: Window | undefined;
  sideWindow: Window;
  /** Built values by the view's window, with the contents that they were built from. */
  built: Map<string, { readonly contents: readonly unknown[] | undefined; readonly value: unknown }>;
}

/** So many are kept: windows that are looked into by turns. */
const BUILT_MAX = 64;

/** The windows of side inputs that belong to those of a step's elements, and how long they are kept. */
export class SideWindows {
  readonly #step: string;
  readonly #views: readonly { readonly node: ViewNode; readonly retention: number }[];

  /** @param step its name, for messages */
  constructor(step: string, views: readonly ViewId[], graph: PipelineGraph) {
    this.#step = step;
    this.#views = views.map((id) => ({ node: graph.views[id] as ViewNode, retention: viewRetention(graph, id) }));
  }

  /** The window of the side input that elements in `window` see. */
  of({ windowing: { windowFn } }: ViewNode, window: Window): Window {
    const side = windowFn.sideInputWindow(window);
    if (side.maxTimestamp + (windowFn.maximumLookback ?? 0) < window.maxTimestamp) {
      throw lookbackError(this.#step, windowFn.name, window, side);
    }
    return side;
  }

  /** Whether all that elements in `window` see is ready. */
  areReady(window: Window, host: SideInputHost): boolean {
    for (const { node } of this.#views) if (!host.ready(node.id, this.of(node, window))) return false;
    return true;
  }

  /** What is not. */
  missing(window: Window, host: SideInputHost): readonly MissingView[] {
    return this.#views
      .map(({ node }) => ({ view: node.id, window: this.of(node, window) }))
      .filter((missing) => !host.ready(missing.view, missing.window));
  }

  /** Whether one of them may be forgotten: past its retention, contents that are absent say nothing. */
  areExpired(window: Window, watermark: Timestamp): boolean {
    for (const { node, retention } of this.#views) {
      if (this.of(node, window).maxTimestamp + retention < watermark) return true;
    }
    return false;
  }
}

function lookbackError(step: string, windowFn: string, window: Window, side: Window): TidemarkError {
  return new TidemarkError("SIDE_INPUT_WINDOW_UNKNOWN", {
    what: `step "${step}" looks from window ${formatWindow(window)} into ${formatWindow(side)} of a side input, which ended before`,
    why: "a side input is kept for as long as a window that ends no earlier may ask for it",
    fix: `give the windows ${windowFn} a maximumLookback of ${window.maxTimestamp - side.maxTimestamp} ms or more`,
    step,
    window: formatWindow(window),
  });
}

/** The side inputs of one step. */
export class StepSideInputs implements SideInputReader {
  readonly values: Readonly<Record<string, unknown>>;
  readonly #step: Step;
  readonly #host: StageHost;
  readonly #views: readonly NamedView[];
  readonly windows: SideWindows;
  #window: Window = GLOBAL_WINDOW;

  constructor(step: Step, graph: PipelineGraph, host: StageHost) {
    this.#step = step;
    this.#host = host;
    this.windows = new SideWindows(step.name, Object.values(step.sideInputs), graph);
    this.#views = Object.entries(step.sideInputs).map(([name, id]) => {
      const node = graph.views[id] as ViewNode;
      const { spec, inputs } = graph.steps[node.step] as Step;
      const keyCoder = keyCoderOf(graph.collections[inputs[0] as number]?.coder) as
        DeterministicCoder<unknown> | undefined;
      const { toMapKey } = keyCoderFor(keyCoder);
      const defaultValue = spec.kind === "view" ? spec.defaultValue : undefined;
      return { name, node, defaultValue, toMapKey, window: undefined, sideWindow: GLOBAL_WINDOW, built: new Map() };
    });
    const values = {};
    for (const view of this.#views)
      Object.defineProperty(values, view.name, { enumerable: true, get: () => this.#value(view) });
    this.values = values;
  }

  get size(): number {
    return this.#views.length;
  }

  moveTo(window: Window): void {
    this.#window = window;
  }

  #value(view: NamedView): unknown {
    if (view.window !== this.#window) {
      view.sideWindow = this.windows.of(view.node, this.#window);
      view.window = this.#window;
    }
    const { sideWindow } = view;
    const contents = this.#host.sideInputs.contents(view.node.id, sideWindow);
    const built = view.built.get(sideWindow.id);
    if (built !== undefined && built.contents === contents) return built.value;
    const value = buildView(view, contents ?? [], this.#step.name, sideWindow);
    if (view.built.size >= BUILT_MAX) view.built = new Map();
    view.built.set(sideWindow.id, { contents, value });
    return value;
  }
}

/** The view's value. Frozen where it is an array: all elements of the window, and other steps, see the same one. */
function buildView(view: NamedView, contents: readonly unknown[], step: string, window: Window): unknown {
  switch (view.node.kind) {
    case "iterable":
    case "list":
      return Object.freeze(contents);
    case "singleton": {
      if (contents.length === 1) return contents[0];
      if (contents.length === 0 && view.defaultValue !== undefined) return view.defaultValue.value;
      throw singletonError(view.name, contents.length, step, window);
    }
    case "map": {
      const entries = new Map<MapKey, [unknown, unknown]>();
      for (const [key, value] of contents as readonly (readonly [unknown, unknown])[]) {
        const mapKey = view.toMapKey(key);
        if (entries.has(mapKey)) throw duplicateKey(view.name, key, step, window);
        entries.set(mapKey, [key, value]);
      }
      return new KeyedView(entries, view.toMapKey);
    }
    case "multimap": {
      const entries = new Map<MapKey, [unknown, unknown[]]>();
      for (const [key, value] of contents as readonly (readonly [unknown, unknown])[]) {
        const mapKey = view.toMapKey(key);
        const entry = entries.get(mapKey);
        if (entry === undefined) entries.set(mapKey, [key, [value]]);
        else entry[1].push(value);
      }
      for (const [, values] of entries.values()) Object.freeze(values);
      return new KeyedView<readonly unknown[]>(entries, view.toMapKey);
    }
  }
}

function singletonError(name: string, count: number, step: string, window: Window): TidemarkError {
  return new TidemarkError(count === 0 ? "SINGLETON_EMPTY" : "SINGLETON_NOT_ONE", {
    what: `the singleton side input "${name}" of step "${step}" has ${count} elements in window ${formatWindow(window)}`,
    why: "a singleton view needs exactly one element for each window",
    fix:
      count === 0
        ? "give a default: .asSingleton({ default: value })"
        : "combine to one element first, or use .asIterable()",
    step,
    window: formatWindow(window),
  });
}

function duplicateKey(name: string, key: unknown, step: string, window: Window): TidemarkError {
  return new TidemarkError("MAP_VIEW_DUPLICATE_KEY", {
    what: `the map side input "${name}" of step "${step}" has the key ${preview(key)} more than once in window ${formatWindow(window)}`,
    why: "a map view holds one value for each key",
    fix: "combine per key first, or use .asMultimap()",
    step,
    key: preview(key),
    window: formatWindow(window),
  });
}

/**
 * Lets elements through whose views are ready, and parks the others, window by window.
 * An element that would find a view forgotten is dropped, and counted.
 */
export class SideInputGate implements Emitter {
  readonly #sideInputs: StepSideInputs;
  readonly #stepId: StepId;
  readonly #host: StageHost;
  readonly #judgesLateness: boolean;
  readonly #inner: Emitter;
  /** The window of the element that was let through last, and the watermark then: at that, others of it go through too. */
  #open: Window | undefined;
  #openAt: Timestamp = MIN_TIMESTAMP;

  /** @param judgesLateness whether the step drops late elements by itself, before it looks into its side inputs */
  constructor(sideInputs: StepSideInputs, stepId: StepId, host: StageHost, inner: Emitter, judgesLateness: boolean) {
    this.#sideInputs = sideInputs;
    this.#stepId = stepId;
    this.#host = host;
    this.#judgesLateness = judgesLateness;
    this.#inner = inner;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    const sides = this.#sideInputs.windows;
    const watermark = this.#host.inputWatermark();
    for (const window of windows) {
      const isOpen = window === this.#open && watermark === this.#openAt;
      if (!isOpen && !this.#judgesLateness && sides.areExpired(window, watermark)) {
        this.#host.dropped(this.#stepId, "view");
      } else if (isOpen || sides.areReady(window, this.#host.sideInputs)) {
        this.#open = window;
        this.#openAt = watermark;
        this.#sideInputs.moveTo(window);
        this.#inner.emit(value, timestamp, windows.length === 1 ? windows : [window], pane);
      } else this.#host.sideInputs.park(value, timestamp, window, pane);
    }
  }
}
