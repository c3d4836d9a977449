/** Coders: values to bytes and back. The public ones; the rest of Tidemark imports from the files. */
export { ByteReader } from "./byte-reader.ts";
export { ByteWriter } from "./byte-writer.ts";
export { decodeFromBytes, encodeToBytes, type Coder, type DeterministicCoder } from "./coder.ts";
export { iterableCoder, kvCoder, lengthPrefixCoder, nullableCoder } from "./composites.ts";
export { timestampCoder } from "./instant.ts";
export { boolCoder, bytesCoder, doubleCoder, stringCoder, varintBigCoder, varintCoder } from "./primitives.ts";
export { valueCoder } from "./value.ts";
export { globalWindowCoder, intervalWindowCoder } from "./windows.ts";
