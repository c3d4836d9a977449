/** The names of steps, as the methods that add them take them. */

/** The name that a step is given, or the one that is derived for it. */
export interface StepNaming {
  readonly given: string | undefined;
  readonly derived: string;
}

/** An optional first name, and the other arguments. */
export function splitName(args: readonly unknown[]): {
  readonly given: string | undefined;
  readonly rest: readonly unknown[];
} {
  const [first, ...others] = args;
  return typeof first === "string" ? { given: first, rest: others } : { given: undefined, rest: args };
}
