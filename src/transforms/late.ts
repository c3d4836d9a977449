/** Late elements as the program knows them: without the keys that a transform gave them. */
import type { Late } from "../fn/set-aside.ts";
import type { KV } from "../fn/do-fn.ts";
import { nodeOf, type PCollection } from "../pipeline/collection.ts";
import { lateCoder } from "../pipeline/derived-coders.ts";
import type { KeyedResult } from "../pipeline/results.ts";
import { elementwise } from "../pipeline/typed-steps.ts";

/**
 * The late elements of `grouped`, each as it came into the composite that is being expanded: made when they are first asked for.
 * @param input the composite's input; @param part where the element is in the pair that was made of it: 0 or 1
 */
export function lateElements<T>(
  input: PCollection<T>,
  grouped: KeyedResult<KV<unknown, unknown>, unknown>,
  part: 0 | 1,
): () => PCollection<Late<T>> {
  const { builder, coder, windowing } = nodeOf(input);
  const { scope } = builder;
  let made: PCollection<Late<T>> | undefined;
  return () => {
    made ??= builder.inScope(scope, () =>
      elementwise<Late<KV<unknown, unknown>>, Late<T>>(
        nodeOf(grouped.late),
        { given: "Late", derived: "Late" },
        "map",
        (late: Late<KV<unknown, unknown>>) => ({ ...late, element: late.element[part] }),
        {},
        { shape: "other", coder: lateCoder(coder, windowing.windowFn) },
      ),
    );
    return made;
  };
}
