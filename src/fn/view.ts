/**
 * Side inputs: a collection as a value that the functions of another step can look into.
 *
 * V1 A view belongs to a window of its own collection; an element sees the view of the window that its own maps to.
 * V2 An element is not processed before its view is there; what a view holds does not change during a call.
 */

export type ViewKind = "singleton" | "iterable" | "list" | "map" | "multimap";

/** A handle to a collection as a side input; `V` is the type by which user code sees it. */
export interface PCollectionView<V> {
  readonly viewId: number;
  readonly kind: ViewKind;
  /** Never present: carries `V`. */
  readonly view?: V;
}

/** The side inputs of a step, by the name under which its function sees them. */
export type SideInputs = Readonly<Record<string, PCollectionView<unknown>>>;
/** No side inputs. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- a record without members is what it means
export type NoSideInputs = Readonly<Record<never, never>>;
/** The values that user code sees, from the views given. */
export type SideInputValues<V extends SideInputs> = {
  readonly [N in keyof V]: V[N] extends PCollectionView<infer X> ? X : never;
};
/** The last parameter of functions that see their side inputs there; none where they have none. */
export type SideInputArgs<V extends SideInputs> = [keyof V] extends [never] ? [] : [sideInputs: SideInputValues<V>];
