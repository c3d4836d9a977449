/** The memory into which files are read. */

/** Where chunks get their buffers from. */
export interface Buffers {
  /** A buffer of at least so many bytes, at the beginning of its memory. */
  take(bytes: number): Buffer;
  /** Its content is not needed any more. */
  give(buffer: Buffer): void;
}

/** What stands where no buffer is held. */
export const NOTHING: Buffer = Buffer.alloc(0);
const KEPT_MOST_BYTES = 1 << 20;
const KEPT_MOST = 4;

/** One buffer for all that go by it, larger ones aside: its content is good until the next one is taken. */
export function oneBuffer(): Buffers {
  let kept: Buffer = NOTHING;
  return {
    take(bytes) {
      if (bytes <= kept.length) return kept;
      const buffer = newBuffer(bytes);
      if (bytes <= KEPT_MOST_BYTES) kept = buffer;
      return buffer;
    },
    give() {},
  };
}

/** A buffer for each that takes one; a few of those given back are kept for the next. */
export function bufferPool(): Buffers {
  const free: Buffer[] = [];
  return {
    take(bytes) {
      const last = free.pop();
      return last !== undefined && bytes <= last.length ? last : newBuffer(bytes);
    },
    give(buffer) {
      if (free.length < KEPT_MOST && buffer.length <= KEPT_MOST_BYTES && buffer !== NOTHING) free.push(buffer);
    },
  };
}

/** A multiple of four, so that it can be seen as words too. */
function newBuffer(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow((bytes + 3) & ~3);
}
