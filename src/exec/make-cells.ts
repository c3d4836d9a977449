/** The handles of a step's declared cells, by their kinds; in strict mode those that check. */
import type { AnyCombine } from "../fn/combine-fn.ts";
import type { StateSpec, StateSpecs } from "../fn/state.ts";
import {
  BagHandle,
  CombiningHandle,
  MapHandle,
  mapKeyBy,
  OrderedListHandle,
  SetHandle,
  Slot,
  type StateBinding,
  ValueHandle,
} from "./state-cells.ts";
import { strictHandle } from "./strict-cells.ts";

function handleFor(spec: StateSpec<unknown>, slot: Slot): unknown {
  switch (spec.kind) {
    case "value":
      return new ValueHandle(slot);
    case "bag":
      return new BagHandle(slot);
    case "combining":
      return new CombiningHandle(slot, spec.combineFn as AnyCombine);
    case "map":
      return new MapHandle(slot, mapKeyBy(spec.keyCoder));
    case "set":
      return new SetHandle(slot, mapKeyBy(spec.coder));
    case "orderedList":
      return new OrderedListHandle(slot);
  }
}

/** The handles of a step's declared cells, standing on `binding.record`. */
export function makeCells(
  specs: StateSpecs,
  binding: StateBinding,
  slotOf: (index: number, spec: StateSpec<unknown>) => Slot = (index, { ttl }) => new Slot(binding, index, ttl),
): Readonly<Record<string, unknown>> {
  const make = binding.strict ? strictHandle : handleFor;
  const cells: Record<string, unknown> = {};
  Object.entries(specs).forEach(([name, spec], index) => {
    cells[name] = make(spec, slotOf(index, spec));
  });
  return Object.freeze(cells);
}
