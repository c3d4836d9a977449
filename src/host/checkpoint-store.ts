/**
 * Where the checkpoints of one job are kept.
 *
 * S1 A checkpoint is there as a whole or not at all, whatever is cut off while it is written.
 * S2 One job writes at a time; a second one is refused as long as the first lives.
 */
import type { Epoch } from "../fn/sink.ts";
import type { RecordRows, Snapshot, SnapshotSink } from "./snapshot.ts";

/**
 * `checkpoint`: made while the job runs. `savepoint`: made to stop it. `final`: its input is over and all has been handled.
 * `drained`: the same, but its input was cut off, so nothing can go on from there.
 */
export type CheckpointKind = "checkpoint" | "savepoint" | "final" | "drained";

export interface StoredCheckpoint {
  readonly epoch: Epoch;
  readonly kind: CheckpointKind;
  /** Milliseconds of the clock of the job that made it. */
  readonly createdMs: number;
  readonly snapshot: Snapshot;
}

/** What another version of the program makes of a checkpoint. */
export interface StoreChanges {
  /** New names of steps by their old ones. */
  readonly renamed: ReadonlyMap<string, string>;
  /** Steps of which nothing is kept. */
  readonly dropped: readonly string[];
}

export interface CheckpointStore {
  /** The same in all restarts of a job. */
  readonly jobId: string;
  /** Whether the job has ended, and its output is where it belongs. */
  readonly ended: boolean;
  /** The newest checkpoint that is good; undefined where there is none. */
  newest(): StoredCheckpoint | undefined;
  /** Changes the newest checkpoint, as one; `newest` gives it as it is then. Before `begin`. */
  upgrade(changes: StoreChanges): void;
  /** Begins a checkpoint. One at a time. */
  begin(epoch: Epoch): SnapshotSink;
  /** Resolves when it is on the disk. */
  commit(epoch: Epoch, kind: CheckpointKind, createdMs: number): Promise<void>;
  /** What has been folded so far: the changes of all epochs up to the one that `folded` told last, one row for each record. */
  rows(step: string): RecordRows;
  /** Asks that what can be folded is; `folded` hears of it. */
  fold(): void;
  /** Told when rows have all changes up to an epoch. Set by who reads them. */
  folded: ((epoch: Epoch) => void) | undefined;
  /** The job has ended. */
  end(): Promise<void>;
  /** Lets go of what it holds. */
  close(): Promise<void>;
}
