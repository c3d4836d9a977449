/**
 * l1: a running count per key of elements made in the process at a rate; the latency of each from its creation stamp, and
 * from the time at which it was due.
 */
import {
  combiningState,
  countFn,
  type KV,
  output,
  type Pipeline,
  pipeline,
  type Program,
  type Sink,
  type Source,
  type SourceReader,
} from "tidemark";

interface Stamped {
  readonly key: string;
  readonly index: number;
  readonly stamp: number;
}

const KEYS = 1000;

/** Makes `rate` elements a second, as many as are due at each poll. */
function stampedSource(rate: number, count: number, startedAt: number): Source<Stamped> {
  return {
    name: `stamped(${rate}/s)`,
    bounded: false,
    splits: () => [0],
    open: (): SourceReader<Stamped, number> => {
      let index = 0;
      return {
        poll(max, into) {
          const due = Math.min(count, Math.floor(((performance.now() - startedAt) * rate) / 1000), index + max);
          for (; index < due; index++) into.add({ key: `k${(index * 7919) % KEYS}`, index, stamp: performance.now() });
          return index === count ? "end" : "idle";
        },
        ready: () => new Promise((resolve) => setTimeout(resolve, 1)),
        position: () => index,
        close: () => {},
      };
    },
  };
}

/** Takes the time at which each element comes out. */
function stopwatchSink(rate: number, startedAt: number, latency: Float64Array, scheduled: Float64Array): Sink<Stamped> {
  return {
    name: "stopwatch",
    open: () => ({
      write({ index, stamp }) {
        const now = performance.now();
        latency[index] = now - stamp;
        scheduled[index] = now - (startedAt + (index * 1000) / rate);
      },
      seal: () => [],
      commit: async () => {},
      lastCommitted: async () => 0,
      close: () => {},
    }),
  };
}

/** The program, and the figures that it fills in. */
export function latencyProgram(rate: number, secondsLong: number): { program: Program; figures: () => object } {
  const count = rate * secondsLong;
  const latency = new Float64Array(count);
  const scheduled = new Float64Array(count);
  const startedAt = performance.now() + 50;
  const build = (p: Pipeline): void => {
    p.read(stampedSource(rate, count, startedAt))
      .map("By key", (element): KV<string, Stamped> => [element.key, element])
      .parDo("Count", {
        state: { count: combiningState(countFn()) },
        outputs: { main: output<Stamped>() },
        process([, element], { state, output }) {
          state.count.add(element);
          output(element);
        },
      })
      .write(stopwatchSink(rate, startedAt, latency, scheduled));
  };
  return { program: pipeline({ name: "l1", build }) as Program, figures: () => summary(latency, scheduled, rate) };
}

/** Percentiles in milliseconds; the first five seconds are warm-up and left out. */
function summary(latency: Float64Array, scheduled: Float64Array, rate: number): object {
  const skip = Math.min(latency.length >> 1, rate * 5);
  const percentiles = (values: Float64Array): number[] => {
    const sorted = values.slice(skip).sort();
    const at = (share: number): number =>
      Number((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number).toFixed(3));
    return [at(0.5), at(0.99), at(0.999), at(1)];
  };
  const [p50, p99, p999, max] = percentiles(latency);
  const [sched_p50, sched_p99, sched_p999, sched_max] = percentiles(scheduled);
  return { n: latency.length - skip, p50, p99, p999, max, sched_p50, sched_p99, sched_p999, sched_max };
}
