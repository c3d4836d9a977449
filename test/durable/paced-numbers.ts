/** A source whose pace is that of the checkpoints of its job. */
import type { Source } from "tidemark";

/** How far a job has come. */
export interface Progress {
  read: number;
  /** Up to where its source has heard that it is safe. */
  safe: number;
}

export const begun = (): Progress => ({ read: 0, safe: 0 });

/** Numbers from 0 up to `total`; after `atOnce` of them it waits until a checkpoint has them. */
export function pacedNumbers(total: number, progress: Progress, atOnce: number): Source<number, string, number> {
  return {
    name: "numbers",
    bounded: false,
    splits: () => ["all"],
    open(_, position = 0) {
      let next = position;
      let goOn = (): void => {};
      progress.safe = position;
      return {
        poll(_max, into) {
          const end = Math.min(progress.safe + atOnce, total);
          while (next < end) into.add(next++);
          progress.read = next;
          return next < total ? "idle" : "end";
        },
        ready: () => new Promise<void>((resolve) => (goOn = resolve)),
        position: () => next,
        committed(upTo) {
          progress.safe = upTo;
          goOn();
        },
        close: () => {},
      };
    },
  };
}
