/** Assertions of Tidemark's own invariants. A failure is a bug of Tidemark, never of the user's program. */
import { TidemarkError } from "./errors.ts";

const REPORT = {
  fix: "please report it, with this message: it is a mistake of Tidemark's",
  domain: "internal",
} as const;

/** Throws `INVARIANT` with `message` (which names the rule and shows both values) when `condition` is false. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new TidemarkError("INVARIANT", { what: message, ...REPORT });
}

/** For the default branch of a switch over a closed union: a new case must break the build. */
export function unreachable(value: never): never {
  throw new TidemarkError("INVARIANT", { what: `unexpected case ${JSON.stringify(value)}`, ...REPORT });
}
