/** What a simulated job reads from and writes to: its own sources, by fits and starts, and places that outlive it for its sinks. */
import { decodeFromBytes, encodeToBytes, type Coder } from "../../coders/coder.ts";
import type { Epoch, Sink, SinkWriter } from "../../fn/sink.ts";
import type { Source, SourceReader } from "../../fn/source.ts";
import type { Life } from "./life.ts";

/** Where one step writes: what has become visible there, by whole epochs. */
export class Place {
  readonly step: string;
  readonly elements: unknown[] = [];
  readonly #coder: Coder<unknown>;
  #last: Epoch = 0;

  constructor(step: string, coder: Coder<unknown>) {
    this.step = step;
    this.#coder = coder;
  }

  sink(life: Life): Sink<unknown> {
    return { name: `simulated(${this.step})`, open: () => this.#writer(life) };
  }

  #writer(life: Life): SinkWriter<unknown> {
    const { world } = life;
    let pending: Uint8Array[] = [];
    let isFull = false;
    const named = (what: string): string => `"${this.step}" ${what}`;
    return {
      write: (value) => {
        if (isFull) throw new Error(named("is written to while it can take no more"));
        pending.push(encodeToBytes(this.#coder, value));
        isFull = world.happens(world.chances.stall);
        return !isFull;
      },
      flush: async () => {
        await life.later();
        isFull = false;
      },
      seal: () => {
        const chunks = pending;
        pending = [];
        return chunks;
      },
      commit: async (epoch, chunks) => {
        life.point(named(`commits epoch ${epoch}: ${chunks.length} elements`));
        await life.later();
        this.#mayFail(life, epoch, "before it was done");
        if (epoch > this.#last) {
          this.#last = epoch;
          for (const chunk of chunks) this.elements.push(decodeFromBytes(this.#coder, chunk));
        }
        life.point(named(`has committed epoch ${epoch}`));
        await life.later();
        this.#mayFail(life, epoch, "when it was done");
      },
      lastCommitted: () => Promise.resolve(this.#last),
      close: () => {},
    };
  }

  #mayFail(life: Life, epoch: Epoch, when: string): void {
    if (!life.world.happens(life.world.chances.commitFailure)) return;
    life.point(`"${this.step}" says that the commit of epoch ${epoch} has failed, ${when}`);
    throw new Error(`the commit of epoch ${epoch} failed, as was drawn`);
  }
}

/** How many elements a poll gives at most. */
const POLL_MAX = 8;

/** The source, polled a few elements at a time, at times though it says that it has nothing. */
export function simulatedSource(source: Source<unknown>, step: string, life: Life): Source<unknown> {
  return {
    ...source,
    splits: (desired) => source.splits(desired),
    async open(split, position) {
      return simulatedReader(await source.open(split, position), step, life);
    },
  };
}

function simulatedReader(
  reader: SourceReader<unknown, unknown>,
  step: string,
  life: Life,
): SourceReader<unknown, unknown> {
  const { world } = life;
  return {
    ...optional(reader),
    poll(max, into) {
      if (world.happens(world.chances.stall)) return "more";
      const said = reader.poll(Math.min(max, 1 + world.random.int(POLL_MAX)), into);
      life.point(`"${step}" was read: ${said}`);
      return said;
    },
    ready: () => reader.ready(),
    position: () => reader.position(),
    close: () => reader.close(),
  };
}

/** What a reader has or has not. */
function optional(reader: SourceReader<unknown, unknown>): Partial<SourceReader<unknown, unknown>> {
  return {
    ...(reader.watermark && { watermark: () => (reader.watermark as () => number)() }),
    ...(reader.committed && { committed: (position: unknown) => reader.committed?.(position) }),
  };
}
