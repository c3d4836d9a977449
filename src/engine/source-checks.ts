/** What sources may do wrong: JavaScript programs, and casts, may give anything. All of it is SOURCE_INVALID. */
import { TidemarkError } from "../base/errors.ts";
import { preview } from "../base/preview.ts";
import type { SourceReader } from "../fn/source.ts";

/** @throws SOURCE_INVALID where it lacks methods */
export function checkReader(step: string, reader: unknown): void {
  const missing = READER_METHODS.filter(
    (name) => typeof (reader as SourceReader<unknown, unknown> | null | undefined)?.[name] !== "function",
  );
  if (missing.length === 0) return;
  throw new TidemarkError("SOURCE_INVALID", {
    what: `the reader that the source of step "${step}" opened has no ${missing.join("(), ")}()`,
    why: "the engine reads a split by them",
    fix: `give an object with ${READER_METHODS.join(", ")}`,
    step,
  });
}

const READER_METHODS = ["poll", "ready", "position", "close"] as const;

export function unknownResult(step: string, said: unknown): TidemarkError {
  return new TidemarkError("SOURCE_INVALID", {
    what: `poll() of the source of step "${step}" returned ${preview(said)}`,
    why: "it says whether there is more to read at once, nothing for now, or nothing ever again",
    fix: 'return "more", "idle" or "end"',
    step,
  });
}

export function watermarkInvalid(step: string, watermark: unknown): TidemarkError {
  return new TidemarkError("SOURCE_INVALID", {
    what: `watermark() of the source of step "${step}" returned ${preview(watermark)}`,
    why: "a watermark is an event time: everything before it has come",
    fix: "return milliseconds since 1970, MIN_TIMESTAMP as long as nothing is known, or leave watermark() out",
    step,
  });
}
