/**
 * Writes lines beside their place, and renames at the end. For runs without checkpoints.
 *
 * W1 The file appears whole or not at all: `finish` renames, `abort` and `close` remove what is not finished.
 * W2 Text is written in the background; at most `WAITING_MOST_BYTES` and one buffer wait in memory, as long as `flush` is awaited
 *    when `write` says so.
 * W3 A failure of the disk comes out of the next `write`, `flush` or `finish`, whichever is first.
 */
import { rename, rm } from "node:fs/promises";
import { assert } from "../../base/assert.ts";
import type { TidemarkError } from "../../base/errors.ts";
import type { SinkWriter } from "../../fn/sink.ts";
import { type TargetFile, writeError } from "../../platform/files.ts";
import { type AsideFile, openAside, sweepAside } from "../../platform/aside.ts";

/** How much text is gathered before it is encoded and handed on. */
export const WRITE_CHARACTERS: number = 256 * 1024;
const WAITING_MOST_BYTES = 4 * 1024 * 1024;
const NEW_FILE_MODE = 0o666;

export class DirectWriter<T> implements SinkWriter<T> {
  readonly #target: TargetFile;
  readonly #aside: AsideFile;
  readonly #format: (value: T) => string;
  #text: string;
  /** Bytes given to the file that it has not taken yet. */
  #waitingBytes = 0;
  #written: Promise<void> = Promise.resolve();
  #failure: TidemarkError | undefined;
  #state: "open" | "finished" | "closed" = "open";

  /** @param aside the writer closes it */
  constructor(target: TargetFile, aside: AsideFile, header: string, format: (value: T) => string) {
    this.#target = target;
    this.#aside = aside;
    this.#format = format;
    this.#text = header;
  }

  /** @throws FILE_UNWRITABLE */
  static async open<T>(target: TargetFile, header: string, format: (value: T) => string): Promise<DirectWriter<T>> {
    await sweepAside(target.path);
    return new DirectWriter(target, await openAside(target.path, target.mode ?? NEW_FILE_MODE), header, format);
  }

  write(value: T): boolean {
    this.#text += this.#format(value) + "\n";
    if (this.#text.length < WRITE_CHARACTERS) return true;
    this.#checkFailure();
    this.#send();
    return this.#waitingBytes < WAITING_MOST_BYTES;
  }

  async flush(): Promise<void> {
    this.#send();
    await this.#written;
    this.#checkFailure();
  }

  async finish(): Promise<void> {
    await this.flush();
    try {
      await this.#aside.handle.close();
      await rename(this.#aside.path, this.#target.path);
    } catch (error) {
      throw writeError(error, this.#target.path);
    }
    this.#state = "finished";
  }

  async abort(): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = "closed";
    if (state !== "open") return;
    await this.#written;
    await this.#aside.handle.close();
    await rm(this.#aside.path, { force: true });
  }

  seal(): Uint8Array[] {
    return this.#withoutEpochs();
  }

  async commit(): Promise<void> {
    return this.#withoutEpochs();
  }

  async lastCommitted(): Promise<number> {
    return this.#withoutEpochs();
  }

  #withoutEpochs(): never {
    assert(false, "sink K6: a sink that was opened without a job id has no epochs");
  }

  #send(): void {
    if (this.#text === "") return;
    const bytes = Buffer.from(this.#text);
    this.#text = "";
    this.#waitingBytes += bytes.length;
    this.#written = this.#written.then(() => this.#put(bytes));
  }

  /** Never rejects: what is appended to this promise must go on, and a failure is kept for whoever asks next. */
  async #put(bytes: Buffer): Promise<void> {
    try {
      if (this.#failure === undefined) await this.#aside.handle.appendFile(bytes);
    } catch (error) {
      this.#failure = writeError(error, this.#target.path);
    }
    this.#waitingBytes -= bytes.length;
  }

  #checkFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
