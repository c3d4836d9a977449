/** Strict mode: what a step keeps must be encodable, and nobody changes it behind the engine's back. */
import { valueCoder } from "../coders/value.ts";
import { encodeToBytes } from "../coders/coder.ts";
import { stepFailure } from "./errors.ts";

/** Freezes plain data all the way down. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}

/** The check that state cells make of each value written; in strict mode it encodes the value once and freezes it. */
export function checkKept(step: string, strict: boolean): (value: unknown) => void {
  if (!strict) return () => {};
  return (value) => {
    try {
      encodeToBytes(valueCoder, value);
    } catch (error) {
      throw stepFailure(error, { step });
    }
    deepFreeze(value);
  };
}
