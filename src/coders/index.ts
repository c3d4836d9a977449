/** Coders: values to bytes and back. */
export { ByteReader, corrupt } from "./byte-reader.ts";
export { ByteWriter } from "./byte-writer.ts";
export { decodeFromBytes, encodeToBytes, type Coder, type CoderContext, type DeterministicCoder } from "./coder.ts";
export {
  iterableCoder,
  kvCoder,
  lengthPrefixCoder,
  nullableCoder,
  shardedKeyCoder,
  stateBackedIterableCoder,
  type IterableCoder,
  type ShardedKey,
} from "./composites.ts";
export { timestampCoder } from "./instant.ts";
export { canonicalCoder, canonicalKey, hashBytes, keyBytes, keyCoderFor, keyGroup, keyHash, KEY_GROUPS, type KeyCoder, type MapKey } from "./key.ts";
export { boolCoder, bytesCoder, doubleCoder, stringCoder, varintBigCoder, varintCoder } from "./primitives.ts";
export { valueCoder } from "./value.ts";
export {
  paramWindowedValueCoder,
  paramWindowedValuePayload,
  timerCoder,
  windowedValueCoder,
  type ElementParts,
  type TimerSetting,
  type TimerValue,
  type WindowedValue,
  type WindowedValueCoder,
} from "./windowed-value.ts";
export { customWindowCoder, globalWindowCoder, intervalWindowCoder, paneCoder } from "./windows.ts";
