/** Short texts of values, for errors. */
const PREVIEW_LENGTH = 120;

/** A short text of any value; never throws. */
export function preview(value: unknown): string {
  let text: string;
  try {
    text =
      typeof value === "string"
        ? JSON.stringify(value)
        : typeof value === "bigint"
          ? `${value}n`
          : // JSON has no NaN and no Infinity.
            typeof value === "number"
            ? String(value)
            : (JSON.stringify(value) ?? String(value));
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > PREVIEW_LENGTH ? `${text.slice(0, PREVIEW_LENGTH)}…` : text;
}
