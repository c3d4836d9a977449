/**
 * Renames steps in a checkpoint database, and takes out what is given up of them: in one transaction, so that the folder is always
 * that of one version of the program.
 *
 * Only the checkpoint that the job goes on from is left: the others are those of a program that nobody goes back to.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Epoch } from "../fn/sink.ts";
import type { StoreChanges } from "../host/checkpoint-store.ts";
import type { ChunkRow, CheckpointRow } from "./checkpoint-reader.ts";
import { addSum, CHANGES, checkpointSum, chunkSum } from "./checkpoint-rows.ts";

export function upgradeDatabase(database: DatabaseSync, from: Epoch, { renamed, dropped }: StoreChanges): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    database.prepare("DELETE FROM checkpoint WHERE epoch <> ?").run(from);
    database.prepare(`DELETE FROM chunk WHERE epoch <> ? AND kind NOT IN ${CHANGES}`).run(from);
    for (const step of dropped) drop(database, step);
    rename(database, renamed);
    sumUp(database, from);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function drop(database: DatabaseSync, step: string): void {
  for (const table of ["entry", "added"])
    database.prepare(`DELETE FROM ${table} WHERE step IN (SELECT id FROM step WHERE name = ?)`).run(step);
  database.prepare("DELETE FROM step WHERE name = ?").run(step);
  database.prepare("DELETE FROM chunk WHERE step = ?").run(step);
}

/** No new name is that of a step that is there. */
function rename(database: DatabaseSync, renamed: ReadonlyMap<string, string>): void {
  const put = database.prepare("UPDATE chunk SET step = ?, crc = ? WHERE epoch = ? AND ordinal = ?");
  for (const [old, step] of renamed) {
    database.prepare("UPDATE step SET name = ? WHERE name = ?").run(step, old);
    const chunks = database.prepare("SELECT * FROM chunk WHERE step = ?").all(old) as unknown as ChunkRow[];
    for (const chunk of chunks) put.run(step, chunkSum({ ...chunk, step }, chunk.body), chunk.epoch, chunk.ordinal);
  }
}

/** The checkpoint consists of what is left. */
function sumUp(database: DatabaseSync, epoch: Epoch): void {
  const row = database.prepare("SELECT * FROM checkpoint WHERE epoch = ?").get(epoch) as unknown as CheckpointRow;
  const chunks = database
    .prepare("SELECT crc FROM chunk WHERE epoch = ? ORDER BY ordinal")
    .all(epoch) as unknown as ChunkRow[];
  const sum = chunks.reduce((before, { crc }) => addSum(before, crc), 0);
  const crc = checkpointSum(epoch, row.kind, row.created_ms, chunks.length, sum);
  database.prepare("UPDATE checkpoint SET chunks = ?, crc = ? WHERE epoch = ?").run(chunks.length, crc, epoch);
}
