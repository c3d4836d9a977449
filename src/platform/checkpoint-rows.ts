/**
 * What the job that reads a checkpoint database and the thread that writes it agree on: tables, which chunks are changes, checksums.
 *
 * `chunk` has what checkpoints consist of, as it came. Changes become rows later: `entry` has what was put last of each key and
 * window, `added` what that has been extended by since.
 */
import { crc32 } from "node:zlib";
import { CHANGE_KINDS } from "../host/current-entries.ts";
import type { EntryTimes } from "../host/snapshot.ts";

export const SCHEMA = `
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS checkpoint (epoch INTEGER PRIMARY KEY, kind TEXT, created_ms REAL, chunks INTEGER, crc INTEGER);
  CREATE TABLE IF NOT EXISTS chunk (epoch INTEGER, ordinal INTEGER, kind TEXT, step TEXT, body BLOB, crc INTEGER);
  CREATE UNIQUE INDEX IF NOT EXISTS chunk_place ON chunk (epoch, ordinal);
  CREATE TABLE IF NOT EXISTS step (id INTEGER PRIMARY KEY, kind TEXT, name TEXT, UNIQUE (kind, name));
  CREATE TABLE IF NOT EXISTS entry (step INTEGER, window BLOB, key BLOB, event REAL, processing REAL, hold REAL, body BLOB,
    crc INTEGER, PRIMARY KEY (step, window, key)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entry_event ON entry (step, event) WHERE event IS NOT NULL;
  CREATE INDEX IF NOT EXISTS entry_processing ON entry (step, processing) WHERE processing IS NOT NULL;
  CREATE INDEX IF NOT EXISTS entry_hold ON entry (step, hold) WHERE hold IS NOT NULL;
  CREATE TABLE IF NOT EXISTS added (step INTEGER, window BLOB, key BLOB, epoch INTEGER, body BLOB, crc INTEGER,
    PRIMARY KEY (step, window, key, epoch)) WITHOUT ROWID;
`;

/** In SQL: the kinds of chunks that are changes, and the order in which they are taken up. */
export const CHANGES: string = `('${CHANGE_KINDS.join("', '")}')`;
export const CHANGE_ORDER = "epoch, kind = 'gone' DESC, ordinal";

/** Where a chunk belongs, which its checksum is over too. */
export interface ChunkPlace {
  readonly epoch: number;
  readonly ordinal: number;
  readonly kind: string;
  readonly step: string;
}

export function chunkSum({ epoch, ordinal, kind, step }: ChunkPlace, body: Uint8Array): number {
  return crc32(body, crc32(`${epoch}\n${ordinal}\n${kind}\n${step}`));
}

/** That of all chunks so far and one more. */
export function addSum(sum: number, ofChunk: number): number {
  return crc32(`${ofChunk}`, sum);
}

/** @param ofChunks by `addSum`, in their order */
export function checkpointSum(
  epoch: number,
  kind: string,
  createdMs: number,
  chunks: number,
  ofChunks: number,
): number {
  return crc32(`${epoch}\n${kind}\n${createdMs}\n${chunks}`, ofChunks);
}

/** Of a row of `entry`. @param step its number */
export function entrySum(
  step: number,
  window: Uint8Array,
  key: Uint8Array,
  { event, processing, hold }: EntryTimes,
  body: Uint8Array,
): number {
  const place = `${step}\n${window.length}\n${key.length}\n${event}\n${processing}\n${hold}`;
  return crc32(body, crc32(key, crc32(window, crc32(place))));
}

/** Of a row of `added`. */
export function addedSum(step: number, window: Uint8Array, key: Uint8Array, epoch: number, body: Uint8Array): number {
  return crc32(body, crc32(key, crc32(window, crc32(`${step}\n${window.length}\n${key.length}\n${epoch}`))));
}

/** Times as columns have them. */
export function column(time: number): number | null {
  return time === Infinity ? null : time;
}
