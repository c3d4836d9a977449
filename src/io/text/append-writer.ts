/**
 * Appends lines to a file as they come. For runs without checkpoints, and for those that would rather see a line twice than wait for
 * a checkpoint.
 *
 * A1 What is not known to be on the disk when an epoch is sealed is sealed with it; so no line is lost, but one that was on its way
 *    may be written again after a crash.
 * A2 A failure of the disk comes out of the next call, and of none before.
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import type { Epoch, SinkWriter } from "../../fn/sink.ts";
import { type TargetFile, writeError } from "../../platform/files.ts";
import { WRITE_CHARACTERS } from "./direct-writer.ts";

const WAITING_MOST_BYTES = 4 * 1024 * 1024;
const NEW_FILE_MODE = 0o666;

export class AppendWriter<T> implements SinkWriter<T> {
  readonly #target: TargetFile;
  readonly #handle: FileHandle;
  readonly #format: (value: T) => string;
  #text: string;
  #isScheduled = false;
  /** What the file has not taken yet, in the order in which it is going to. */
  readonly #waiting = new Set<Uint8Array>();
  #waitingBytes = 0;
  #written: Promise<void> = Promise.resolve();
  /** Epochs that were sealed here: what they have is on its way. */
  readonly #sealed = new Set<Epoch>();
  #failure: Error | undefined;

  private constructor(target: TargetFile, handle: FileHandle, header: string, format: (value: T) => string) {
    this.#target = target;
    this.#handle = handle;
    this.#text = header;
    this.#format = format;
  }

  /** @throws FILE_UNWRITABLE */
  static async open<T>(target: TargetFile, header: string, format: (value: T) => string): Promise<AppendWriter<T>> {
    try {
      const handle = await open(target.path, "a", target.mode ?? NEW_FILE_MODE);
      const { size } = await stat(target.path);
      return new AppendWriter(target, handle, size === 0 ? header : "", format);
    } catch (error) {
      throw writeError(error, target.path);
    }
  }

  write(value: T): boolean {
    this.#text += this.#format(value) + "\n";
    this.#checkFailure();
    if (this.#text.length >= WRITE_CHARACTERS) this.#send();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => this.#send());
    }
    return this.#waitingBytes < WAITING_MOST_BYTES;
  }

  #send(): void {
    this.#isScheduled = false;
    if (this.#text === "") return;
    this.#append(Buffer.from(this.#text));
    this.#text = "";
  }

  #append(bytes: Uint8Array): void {
    this.#waiting.add(bytes);
    this.#waitingBytes += bytes.length;
    this.#written = this.#written.then(() => this.#put(bytes));
  }

  /** Never rejects: a failure is kept for whoever asks next. */
  async #put(bytes: Uint8Array): Promise<void> {
    try {
      if (this.#failure !== undefined) return;
      await this.#handle.appendFile(bytes);
      this.#waiting.delete(bytes);
      this.#waitingBytes -= bytes.length;
    } catch (error) {
      this.#failure = writeError(error, this.#target.path);
    }
  }

  #checkFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async flush(): Promise<void> {
    this.#send();
    await this.#written;
    this.#checkFailure();
  }

  seal(epoch: Epoch): Uint8Array[] {
    this.#checkFailure();
    this.#send();
    this.#sealed.add(epoch);
    return Array.from(this.#waiting, (bytes) => new Uint8Array(bytes));
  }

  async commit(epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void> {
    // Sealed by another process, which is gone: some of it may be there, and some not.
    if (!this.#sealed.delete(epoch)) for (const chunk of chunks) this.#append(chunk);
    await this.flush();
    try {
      await this.#handle.datasync();
    } catch (error) {
      throw writeError(error, this.#target.path);
    }
  }

  /** It keeps no account of epochs: what was sealed last is written again. */
  lastCommitted(): Promise<Epoch> {
    return Promise.resolve(0);
  }

  finish(): Promise<void> {
    return this.flush();
  }

  async abort(): Promise<void> {
    await this.#written;
  }

  async close(): Promise<void> {
    await this.#written;
    await this.#handle.close();
  }
}
