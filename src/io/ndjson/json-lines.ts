/** Lines of text to values, by a function such as `JSON.parse`. */
import { isTidemarkError } from "../../base/errors.ts";
import type { Batch } from "../../fn/source.ts";
import type { LineChunks } from "../text/line-chunks.ts";
import type { LineKind } from "../text/line-source.ts";
import type { InvalidLines } from "./invalid-lines.ts";

export class JsonLines<T> implements LineKind<T> {
  readonly kind = "ndjson";
  readonly #parse: (line: string) => T;
  readonly #invalid: InvalidLines;

  constructor(parse: (line: string) => T, invalid: InvalidLines) {
    this.#parse = parse;
    this.#invalid = invalid;
  }

  readonly deliver = (chunk: LineChunks, from: number, to: number, into: Batch<T>): void => {
    const parse = this.#parse;
    const { lines } = chunk;
    for (let i = from; i < to; i++) {
      const line = lines[i] as string;
      let value: T;
      try {
        value = parse(line);
      } catch (error) {
        if (isTidemarkError(error, "ASYNC_NOT_ALLOWED")) throw error;
        // Not looked at before parsing: few lines are blank, and no blank line is JSON.
        if (line.trim() !== "") this.#invalid.add(chunk.file, chunk.offsetOf(i), line, error);
        continue;
      }
      into.add(value);
    }
  };

  onOpen(): void {
    this.#invalid.readerOpened();
  }

  onClose(): void {
    this.#invalid.readerClosed();
  }
}
