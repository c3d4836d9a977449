/** The contents of side inputs, by view and window. */
import type { ViewId } from "../graph/graph.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";

/** New contents of a window of a view; none where it was forgotten. */
export interface ViewChange {
  readonly view: ViewId;
  readonly window: Window;
  readonly contents: readonly unknown[] | undefined;
}

interface ViewState {
  readonly windows: Map<string, { readonly window: Window; readonly contents: readonly unknown[] }>;
  /** The output watermark of the stage that makes the view: past a window's end, an absent view is an empty one. */
  readonly watermark: () => Timestamp;
}

export class SideInputStore {
  readonly #views = new Map<ViewId, ViewState>();
  /** What has changed since the last checkpoint, with checkpoints. */
  #changed: Map<ViewId, Map<string, ViewChange>> | undefined;
  /** Goes up with every change that could make an element ready. */
  version = 0;

  declare(view: ViewId, watermark: () => Timestamp): void {
    this.#views.set(view, { windows: new Map(), watermark });
  }

  ready(view: ViewId, window: Window): boolean {
    const state = this.#views.get(view) as ViewState;
    return state.windows.has(window.id) || state.watermark() > window.maxTimestamp;
  }

  contents(view: ViewId, window: Window): readonly unknown[] | undefined {
    return this.#views.get(view)?.windows.get(window.id)?.contents;
  }

  put(view: ViewId, window: Window, contents: readonly unknown[]): void {
    this.#views.get(view)?.windows.set(window.id, { window, contents });
    this.version++;
    this.#note({ view, window, contents });
  }

  #note(change: ViewChange): void {
    if (this.#changed === undefined) return;
    let windows = this.#changed.get(change.view);
    if (windows === undefined) this.#changed.set(change.view, (windows = new Map()));
    windows.set(change.window.id, change);
  }

  /** Begins to note changes. */
  track(): void {
    this.#changed = new Map();
  }

  /** The changes since the last time, the last of each window. */
  takeChanges(): readonly ViewChange[] {
    const changed = this.#changed;
    if (changed === undefined) return [];
    this.#changed = new Map();
    return [...changed.values()].flatMap((windows) => [...windows.values()]);
  }

  restore(view: ViewId, window: Window, contents: readonly unknown[]): void {
    this.#views.get(view)?.windows.set(window.id, { window, contents });
    this.version++;
  }

  /** Forgets the windows of a view that nobody can ask for any more. */
  expire(view: ViewId, watermark: Timestamp, retention: number): void {
    const windows = this.#views.get(view)?.windows;
    if (windows === undefined) return;
    for (const [id, { window }] of windows) {
      if (window.maxTimestamp + retention >= watermark) continue;
      windows.delete(id);
      this.#note({ view, window, contents: undefined });
    }
  }
}
