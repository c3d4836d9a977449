/** Well-formed text: strings without half a surrogate pair. Only they have a UTF-8 form. */
import { TidemarkError } from "../base/errors.ts";

/** Node has this method since 20; the ES2023 library of the compiler does not list it. */
interface WellFormedCheck {
  isWellFormed(): boolean;
}

/** Whether `text` has a UTF-8 form. O(1) for text within U+00FF, else O(n). */
export function isWellFormed(text: string): boolean {
  return (text as unknown as WellFormedCheck).isWellFormed();
}

/** @throws `VALUE_NOT_ENCODABLE` when `text` has no UTF-8 form */
export function checkWellFormed(text: string): void {
  if (isWellFormed(text)) return;
  throw new TidemarkError("VALUE_NOT_ENCODABLE", {
    what: `the text ${JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)} has half a surrogate pair`,
    why: "a pair was cut apart, perhaps by slice or substring in the middle of an emoji; UTF-8 cannot hold one half",
    fix: "cut by code points ([...text]), or call text.toWellFormed() first",
  });
}
