/** What becomes of lines that are not what they should be: an error, or counted over all readers of a source. */
import { TidemarkError } from "../../base/errors.ts";
import { lineNumberAt } from "../text/line-number.ts";

/** What is done about invalid lines; all members optional. */
export interface InvalidLineOptions {
  /** An invalid line: the error NDJSON_INVALID or NDJSON_RECORD_INVALID (`fail`, the default), or passed over and counted (`skip`). */
  readonly onInvalid?: "fail" | "skip";
  /** Told once, when all files have been read, how many lines were passed over. Default: `process.emitWarning`. */
  readonly onWarning?: (message: string) => void;
}

/** A line is JSON, but not the record that was declared; the message says why. */
export class RecordRefused extends Error {}

export class InvalidLines {
  readonly #patterns: string;
  readonly #skips: boolean;
  readonly #warn: (message: string) => void;
  #openReaders = 0;
  #skipped = 0;
  #firstSkipped = "";

  constructor(patterns: string, options: InvalidLineOptions) {
    this.#patterns = patterns;
    this.#skips = options.onInvalid === "skip";
    this.#warn = options.onWarning ?? ((message) => process.emitWarning(message, { code: "NDJSON_SKIPPED" }));
  }

  readerOpened(): void {
    this.#openReaders++;
  }

  readerClosed(): void {
    if (--this.#openReaders > 0 || this.#skipped === 0) return;
    this.#warn(
      `ndjson.read(${this.#patterns}) skipped invalid lines: ${this.#skipped}, the first of them ${this.#firstSkipped}`,
    );
    this.#skipped = 0;
  }

  /**
   * The line that begins at byte `offset` of `file` is invalid.
   * @throws NDJSON_INVALID or, for a RecordRefused, NDJSON_RECORD_INVALID, unless lines are passed over
   */
  add(file: string, offset: number, line: string, error: unknown): void {
    if (!this.#skips) throw invalidLine(placeOf(file, offset), line, error);
    if (this.#skipped++ === 0) this.#firstSkipped = placeOf(file, offset);
  }
}

function placeOf(file: string, offset: number): string {
  const line = lineNumberAt(file, offset);
  return `at byte ${offset} of ${file}${line === undefined ? "" : ` (line ${line})`}`;
}

function invalidLine(place: string, line: string, error: unknown): TidemarkError {
  const fix = 'or pass { onInvalid: "skip" } to pass over such lines and have them counted';
  if (error instanceof RecordRefused) {
    return new TidemarkError("NDJSON_RECORD_INVALID", {
      what: `the line ${place} is not the declared record: ${error.message}`,
      why: "every record has the fields that are declared, of their types; nothing is converted or filled in unseen",
      fix: `mend the file, declare the field as optional(…), nullable(…) or "json", ${fix}`,
      element: shorten(line),
    });
  }
  return new TidemarkError("NDJSON_INVALID", {
    what: `the line ${place} is not valid: ${error instanceof Error ? error.message : String(error)}`,
    why: "every line of newline-delimited JSON is one whole JSON value",
    fix: `mend the file, ${fix}`,
    element: shorten(line),
    cause: error,
  });
}

const PREVIEW_CHARACTERS = 120;

function shorten(line: string): string {
  return line.length > PREVIEW_CHARACTERS ? `${line.slice(0, PREVIEW_CHARACTERS)}…` : line;
}
