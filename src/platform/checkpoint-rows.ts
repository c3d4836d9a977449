/** What the job that reads a checkpoint database and the thread that writes it agree on: which chunks are changes, and checksums. */
import { crc32 } from "node:zlib";
import { CHANGE_KINDS } from "../host/current-entries.ts";

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

export function entrySum(kind: string, step: string, window: Uint8Array, key: Uint8Array, body: Uint8Array): number {
  return crc32(body, crc32(key, crc32(window, crc32(`${kind}\n${step}\n${window.length}\n${key.length}`))));
}
