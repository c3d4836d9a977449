/** `apply`: runs a transform, with the names of its steps inside the composite's. */
import { isAsyncFunction } from "../fn/inspect.ts";
import { describe } from "./checks.ts";
import { stepError, type GraphBuilder } from "./builder.ts";
import { isStepTransform } from "./transform.ts";

/**
 * @param args an optional name, and a transform
 * @throws TRANSFORM_INVALID, ASYNC_NOT_ALLOWED, DUPLICATE_STEP_NAME
 */
export function applyTransform(builder: GraphBuilder, input: unknown, args: readonly unknown[]): unknown {
  const given = typeof args[0] === "string" ? args[0] : undefined;
  const transform = typeof args[0] === "string" ? args[1] : args[0];
  if (isStepTransform(transform)) return transform(input, given);
  const derived = typeof transform === "function" && transform.name !== "" ? transform.name : "Composite";
  const place = builder.place(given, derived);
  if (typeof transform !== "function") {
    throw stepError("TRANSFORM_INVALID", place, {
      what: `"${place.name}" is not a transform but ${describe(transform)}`,
      fix: "pass a function from a collection to a collection, as countPerElement() returns one",
    });
  }
  if (isAsyncFunction(transform)) {
    throw stepError("ASYNC_NOT_ALLOWED", place, {
      what: `the composite "${place.name}" is async`,
      why: "the steps that it applies are named inside it while it is called",
      fix: "await what it needs in build(p, options), and pass it in",
    });
  }
  const result = builder.inScope(place.name, () => (transform as (input: unknown) => unknown)(input));
  if (typeof result === "function") {
    throw stepError("TRANSFORM_INVALID", place, {
      what: `"${place.name}" returned a function when it was applied`,
      why: "what makes a transform was passed in place of the transform that it makes",
      fix: transform.name === "" ? "call it" : `call it: .apply(${transform.name}())`,
    });
  }
  return result;
}
