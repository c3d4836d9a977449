/** Which line of its file a byte belongs to: told in errors, and counted only then. */
import { closeSync, openSync, readSync } from "node:fs";

/** Farther into a file counting would take longer than the number is worth. */
const COUNTED_BYTES_MOST = 1 << 30;
const STEP_BYTES = 1 << 20;
const LF = 10;

/**
 * The number of the line that begins at byte `offset`; the first line of a file is 1.
 * @returns undefined beyond the first GiB, and where the file cannot be read any more
 *
 * Cost: the file is read up to there, about 1 s for a GiB.
 */
export function lineNumberAt(file: string, offset: number): number | undefined {
  if (offset > COUNTED_BYTES_MOST) return undefined;
  const buffer = Buffer.allocUnsafe(Math.min(STEP_BYTES, offset));
  let fd: number | undefined;
  try {
    fd = openSync(file, "r");
    let line = 1;
    for (let at = 0; at < offset;) {
      const length = readSync(fd, buffer, 0, Math.min(buffer.length, offset - at), at);
      if (length === 0) return undefined;
      const bytes = buffer.subarray(0, length);
      for (let feed = bytes.indexOf(LF); feed >= 0; feed = bytes.indexOf(LF, feed + 1)) line++;
      at += length;
    }
    return line;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
