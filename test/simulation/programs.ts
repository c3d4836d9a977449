/** Programs that are simulated, and what must have come out of them, worked out from their input alone. */
import {
  coGroupByKey,
  combinePerKey,
  countFn,
  eventTime,
  eventTimer,
  fixedWindows,
  type KV,
  output,
  type PCollection,
  type Pipeline,
  pipeline,
  type Program,
  sessions,
  type Sink,
  type Source,
  sumFn,
  valueState,
  bagState,
  withKeys,
} from "tidemark";

const SPLITS = 3;
const EACH = 20;
const KEYS = 4;

interface Event {
  readonly id: number;
  readonly time: number;
  readonly key: string;
}

/** Of all splits: each is in the order of its times, one ahead of the other. */
const EVENTS: readonly (readonly Event[])[] = Array.from({ length: SPLITS }, (_, split) =>
  Array.from({ length: EACH }, (__, i) => {
    const id = split * EACH + i;
    // Runs of near times with gaps between them: sessions begin and end.
    return { id, time: i * 7 + Math.floor(i / 5) * 40 + split, key: `k${(id * 7) % KEYS}` };
  }),
);
const ALL = EVENTS.flat();

const events: Source<Event, number, number> = {
  name: "events",
  bounded: true,
  splits: () => EVENTS.map((_, split) => split),
  open(split, position = 0) {
    let next = position;
    const own = EVENTS[split] as readonly Event[];
    return {
      poll(max, into) {
        for (const end = Math.min(own.length, next + max); next < end;) into.add(own[next++] as Event);
        return next < own.length ? "more" : "end";
      },
      ready: () => Promise.resolve(),
      position: () => next,
      close: () => {},
    };
  },
};

/** Its place is the simulation's. */
const nowhere: Sink<unknown> = {
  name: "nowhere",
  open() {
    throw new Error("a simulation replaces it");
  },
};

function keyed(p: Pipeline): PCollection<KV<string, Event>> {
  return p
    .read("Events", events, { timestamps: eventTime((event: Event) => event.time, { outOfOrderness: 200 }) })
    .apply(
      "ByKey",
      withKeys((event: Event) => event.key),
    );
}

function simulated(name: string, build: (p: Pipeline) => PCollection<unknown>): Program {
  return pipeline({ name, build: (p) => build(p).write("Out", nowhere) }) as Program;
}

/** Elements of each key in each of the groups that `groupOf` says, as lines. */
function grouped(
  groupOf: (event: Event) => number,
  line: (key: string, group: number, own: readonly Event[]) => string,
) {
  const groups = new Map<string, Event[]>();
  for (const event of ALL) {
    const group = `${event.key} ${groupOf(event)}`;
    groups.set(group, [...(groups.get(group) ?? []), event]);
  }
  return Array.from(groups, ([group, own]) => {
    const [key, n] = group.split(" ") as [string, string];
    return line(key, Number(n), own);
  });
}

const WINDOW = 50;
const windowOf = ({ time }: Event): number => Math.floor(time / WINDOW) * WINDOW;
const ids = (own: readonly Event[]): string =>
  own
    .map(({ id }) => id)
    .toSorted((a, b) => a - b)
    .join();
const total = (own: readonly Event[]): number => own.reduce((sum, { id }) => sum + id, 0);

/** Where sessions of a key begin. */
function sessionsOf(gap: number): readonly string[] {
  const lines: string[] = [];
  for (let k = 0; k < KEYS; k++) {
    const own = ALL.filter(({ key }) => key === `k${k}`).toSorted((a, b) => a.time - b.time);
    let session: Event[] = [];
    for (const event of own) {
      if (session.length > 0 && event.time - (session.at(-1) as Event).time >= gap) {
        lines.push(`k${k}: ${session.length}`);
        session = [];
      }
      session.push(event);
    }
    lines.push(`k${k}: ${session.length}`);
  }
  return lines;
}

export interface SimulatedProgram {
  readonly program: Program;
  /** Lines of step `Out`, in any order. */
  readonly truth: readonly string[];
}

export const PROGRAMS: Readonly<Record<string, SimulatedProgram>> = {
  windows: {
    program: simulated("windows", (p) =>
      keyed(p)
        .windowInto(fixedWindows(WINDOW))
        .map(([key, { id }]): KV<string, number> => [key, id])
        .apply(combinePerKey(sumFn()))
        .map(([key, sum], { window }) => `${key} ${window.maxTimestamp}: ${sum}`),
    ),
    truth: grouped(windowOf, (key, start, own) => `${key} ${start + WINDOW - 1}: ${total(own)}`),
  },
  sessions: {
    program: simulated("sessions", (p) =>
      keyed(p)
        .windowInto(sessions(30))
        .apply(combinePerKey(countFn()))
        .map(([key, count]) => `${key}: ${count}`),
    ),
    truth: sessionsOf(30),
  },
  timers: {
    program: simulated("timers", (p) =>
      keyed(p).parDo("Timers", {
        state: { own: bagState<number>(), windows: valueState<readonly number[]>() },
        timers: { end: eventTimer() },
        outputs: { main: output<string>() },
        process([, event], { state, timers }) {
          const own = windowOf(event);
          state.own.add(event.id);
          const windows = state.windows.read() ?? [];
          if (!windows.includes(own)) state.windows.write([...windows, own]);
          timers.end.set(1_000);
        },
        onTimer: {
          end({ key, state, output: put }) {
            put(`${key}: ${[...state.own.read()].toSorted((a, b) => a - b).join()} in ${state.windows.read()?.length}`);
          },
        },
      }),
    ),
    truth: grouped(
      () => 0,
      (key, _, own) => `${key}: ${ids(own)} in ${new Set(own.map((event) => windowOf(event))).size}`,
    ),
  },
  calls: {
    program: simulated("calls", (p) => {
      const failed = new Set<number>();
      return p.read("Events", events).map(
        "Call",
        async ({ id }) => {
          await Promise.resolve();
          // Every fifth fails at its first attempt in the process.
          if (id % 5 === 0 && !failed.has(id)) {
            failed.add(id);
            throw new Error("busy");
          }
          return `answer ${id}`;
        },
        { concurrency: 4, retry: { attempts: 3, backoff: 10 } },
      );
    }),
    truth: ALL.map(({ id }) => `answer ${id}`),
  },
  join: {
    program: simulated("join", (p) => {
      const all = keyed(p).windowInto(fixedWindows(WINDOW));
      const [even, odd] = [0, 1].map((rest) => all.filter(`Rest${rest}`, ([, { id }]) => id % 2 === rest));
      return coGroupByKey({ even: even as typeof all, odd: odd as typeof all }).map(
        ([key, pair], { window }) => `${key} ${window.maxTimestamp}: ${ids([...pair.even])} and ${ids([...pair.odd])}`,
      );
    }),
    truth: grouped(windowOf, (key, start, own) => {
      const [even, odd] = [0, 1].map((rest) => ids(own.filter(({ id }) => id % 2 === rest)));
      return `${key} ${start + WINDOW - 1}: ${even} and ${odd}`;
    }),
  },
};
