/** A helper of a user's own, in a file whose name has that of ours in it. */
import type { PCollection } from "tidemark";
import { assertThat } from "tidemark/testing";

export function assertTwice<T>(collection: PCollection<T>, expected: readonly T[]): void {
  assertThat(collection).containsInAnyOrder([...expected, ...expected]);
}
