/**
 * Writes lines epoch by epoch: beside their place, to be renamed at the end, or behind what the file has. For jobs that survive
 * restarts.
 *
 * Beside the file lie, for as long as the job has not ended: the text so far, under a name that the job's id gives, and a small
 * record of which epoch that text ends with and how long it is.
 *
 * W1 Nothing is written before its epoch is committed: what a checkpoint does not know is not in the file.
 * W2 `commit` is idempotent, whenever it was cut off: what lies behind the recorded length is cut away first.
 * W3 The record is replaced by rename, after the text is on the disk; so it never claims text that is not there.
 * W4 After `finish` the record says so until `close`, so that a restart between the two changes nothing.
 * W5 A file that is appended to has a record before it has a line of the job: what is behind the recorded length is the job's.
 */
import { type FileHandle, open, readFile, rename, rm, stat } from "node:fs/promises";
import { constants } from "node:fs";
import { assert } from "../../base/assert.ts";
import { TidemarkError } from "../../base/errors.ts";
import type { Epoch, SinkWriter } from "../../fn/sink.ts";
import { type TargetFile, writeError } from "../../platform/files.ts";
import { WRITE_CHARACTERS } from "./direct-writer.ts";

/** The small record beside the text. */
interface Committed {
  readonly epoch: Epoch;
  readonly lengthBytes: number;
  readonly finished: boolean;
}

const NOTHING: Committed = Object.freeze({ epoch: 0, lengthBytes: 0, finished: false });
const NEW_FILE_MODE = 0o666;

export class EpochWriter<T> implements SinkWriter<T> {
  readonly #target: TargetFile;
  readonly #appends: boolean;
  /** Where the text grows. */
  readonly #textPath: string;
  readonly #recordPath: string;
  readonly #header: string;
  readonly #format: (value: T) => string;
  #committed: Committed;
  #text = "";
  /** The epoch's text so far, encoded. */
  #chunks: Uint8Array[] = [];

  private constructor(
    target: TargetFile,
    header: string,
    format: (value: T) => string,
    asidePath: string,
    append: boolean,
    committed: Committed,
  ) {
    this.#target = target;
    this.#header = header;
    this.#format = format;
    this.#appends = append;
    this.#textPath = append ? target.path : asidePath;
    this.#recordPath = recordPathOf(asidePath);
    this.#committed = committed;
  }

  /** @throws SINK_STATE_DAMAGED, FILE_UNWRITABLE */
  static async open<T>(
    target: TargetFile,
    header: string,
    format: (value: T) => string,
    jobId: string,
    append = false,
  ): Promise<EpochWriter<T>> {
    const asidePath = `${target.path}.tmp-${encodeURIComponent(jobId)}`;
    const committed = await readRecord(recordPathOf(asidePath));
    const writer = new EpochWriter(target, header, format, asidePath, append, committed ?? NOTHING);
    if (append && committed === undefined) await writer.#beginAppending();
    return writer;
  }

  async #beginAppending(): Promise<void> {
    await this.#attempt(async () => {
      const size = (await exists(this.#textPath)) ? (await stat(this.#textPath)).size : 0;
      await this.#record({ epoch: 0, lengthBytes: size, finished: false });
    });
  }

  /** Takes everything: an epoch's text waits in memory until it is sealed. */
  write(value: T): void {
    this.#text += this.#format(value) + "\n";
    if (this.#text.length >= WRITE_CHARACTERS) this.#encode();
  }

  seal(epoch: Epoch): Uint8Array[] {
    assert(
      epoch > this.#committed.epoch,
      `W1 epoch ${epoch} is sealed after epoch ${this.#committed.epoch} was committed`,
    );
    this.#encode();
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  async commit(epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void> {
    if (epoch <= this.#committed.epoch) return;
    assert(!this.#committed.finished, `W4 epoch ${epoch} is committed after the end`);
    await this.#attempt(async () => {
      const lengthBytes = await this.#append(chunks);
      await this.#record({ epoch, lengthBytes, finished: false });
    });
  }

  lastCommitted(): Promise<Epoch> {
    return Promise.resolve(this.#committed.epoch);
  }

  async finish(): Promise<void> {
    assert(this.#text === "" && this.#chunks.length === 0, "K4 the input is over before its last epoch was sealed");
    await this.#attempt(async () => {
      if (!this.#committed.finished) {
        const lengthBytes = await this.#append([]);
        await this.#record({ ...this.#committed, lengthBytes, finished: true });
      }
      // Where it is gone, an earlier run has already renamed it.
      if (!this.#appends && (await exists(this.#textPath))) await rename(this.#textPath, this.#target.path);
    });
  }

  /** Forgets what is not sealed. What is committed stays beside the file: a restart goes on from there. */
  abort(): void {
    this.#text = "";
    this.#chunks = [];
  }

  async close(): Promise<void> {
    if (this.#committed.finished) await rm(this.#recordPath, { force: true });
  }

  #encode(): void {
    if (this.#text === "") return;
    this.#chunks.push(Buffer.from(this.#text));
    this.#text = "";
  }

  /** Puts `chunks` behind what is committed, on the disk. @returns the length with them */
  async #append(chunks: readonly Uint8Array[]): Promise<number> {
    const handle = await open(this.#textPath, constants.O_RDWR | constants.O_CREAT, this.#target.mode ?? NEW_FILE_MODE);
    try {
      let length = this.#committed.lengthBytes;
      await this.#cutBack(handle, length);
      // The header belongs to no epoch: it is there as soon as anything is.
      const all = length === 0 && this.#header !== "" ? [Buffer.from(this.#header), ...chunks] : chunks;
      for (const chunk of all) {
        await writeAll(handle, chunk, length);
        length += chunk.length;
      }
      await handle.datasync();
      return length;
    } finally {
      await handle.close();
    }
  }

  async #cutBack(handle: FileHandle, length: number): Promise<void> {
    const { size } = await handle.stat();
    if (size < length) throw damaged(this.#textPath, `it has ${size} bytes, and ${length} were committed`);
    await handle.truncate(length);
  }

  async #record(committed: Committed): Promise<void> {
    const fresh = `${this.#recordPath}.new`;
    const handle = await open(fresh, "w");
    try {
      await handle.writeFile(JSON.stringify(committed));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(fresh, this.#recordPath);
    this.#committed = committed;
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw writeError(error, this.#target.path);
    }
  }
}

function recordPathOf(asidePath: string): string {
  return `${asidePath}.json`;
}

async function readRecord(path: string): Promise<Committed | undefined> {
  let json: string;
  try {
    json = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw writeError(error, path);
  }
  try {
    const { epoch, lengthBytes, finished } = JSON.parse(json) as Partial<Committed>;
    if (Number.isSafeInteger(epoch) && Number.isSafeInteger(lengthBytes) && typeof finished === "boolean") {
      return { epoch: epoch as number, lengthBytes: lengthBytes as number, finished };
    }
  } catch (error) {
    throw damaged(path, String(error));
  }
  throw damaged(path, "it lacks the epoch, the length, or whether the job has ended");
}

/** `write` of a handle may take fewer bytes than it is given. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

function damaged(path: string, why: string): TidemarkError {
  return new TidemarkError("SINK_STATE_DAMAGED", {
    what: `the unfinished output ${path} does not match what the job has committed`,
    why,
    fix: "restore the file, or start the job anew without its checkpoints",
    domain: "external",
  });
}
