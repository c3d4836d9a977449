/** Refuses options under names that do not exist: from JavaScript they would have no effect, and nobody be told. */
import { TidemarkError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** The names of the options `O`, all of them: one that is missing does not compile. */
export type OptionNames<O> = Readonly<Record<keyof O, true>>;

/**
 * @param of what takes the options, as in `map` or `text.read`
 * @throws OPTION_UNKNOWN naming the nearest one that exists; TRANSFORM_INVALID where the options are no object
 */
export function checkOptionNames(of: string, options: unknown, names: Readonly<Record<string, true>>): void {
  if (options === undefined || options === null) return;
  const known = Object.keys(names);
  if (typeof options !== "object" || Array.isArray(options)) {
    throw new TidemarkError("TRANSFORM_INVALID", {
      what: `${of} is given ${Array.isArray(options) ? "an array" : `a ${typeof options}`} in place of its options`,
      fix: `give an object with some of ${known.join(", ")}`,
    });
  }
  for (const name of Object.keys(options)) if (!Object.hasOwn(names, name)) throw unknownOption(of, name, known);
}

function unknownOption(of: string, name: string, known: readonly string[]): TidemarkError {
  const meant = nearest(name, known);
  return new TidemarkError("OPTION_UNKNOWN", {
    what: `${of} has no option "${name}"`,
    why: `its options are ${known.join(", ")}`,
    fix: meant === undefined ? "take it away" : `write ${meant}`,
  });
}
