/**
 * Explanations in words: what has not fired, what it needs, who holds that back, and what would change it.
 *
 * W1 Event times and points of the clock are written in ISO time, durations in seconds.
 */
import { unreachable } from "../base/assert.ts";
import type { Need } from "../model/need.ts";
import { formatTimestamp, type Timestamp } from "../model/time.ts";
import type { Explanation, HoldCause, SourceFacts, Waiting } from "./explanation.ts";

/**
 * An explanation for people: what waits, and, once for all that wait for it, each cause. "" where nothing waits.
 *
 * @example
 * ```ts
 * describeExplanation({
 *   now: 0,
 *   waiting: [
 *     {
 *       step: "Fives",
 *       what: "pane",
 *       window: "global",
 *       key: '"a"',
 *       others: 0,
 *       need: { kind: "count", have: 3, of: 5 },
 *       watermark: 0,
 *       chain: [],
 *       cause: { kind: "trigger", step: "Fives" },
 *     },
 *   ],
 *   more: 0,
 * });
 * // -> '"Fives" has not fired window global of key "a"\n  needs 5 elements, of which 3 have come\n  cause: its trigger alone'
 * ```
 */
export function describeExplanation({ now, waiting, more }: Explanation): string {
  const byCause = new Map<string, Waiting[]>();
  for (const one of waiting) {
    const cause = JSON.stringify(one.cause);
    byCause.set(cause, [...(byCause.get(cause) ?? []), one]);
  }
  const parts = [...byCause.values()].map((alike) => describeAlike(alike, now));
  if (more > 0) parts.push(`and ${more} more window${more === 1 ? "" : "s"}`);
  return parts.join("\n");
}

/** What waits for one cause; that is said once. */
function describeAlike(alike: readonly Waiting[], now: number): string {
  const lines = alike.flatMap((one) => [headline(one), `  needs ${needText(one.need, one.watermark, now)}`]);
  const { cause } = alike[0] as Waiting;
  const chain = alike.map((one) => one.chain).find(({ length }) => length > 1) ?? [];
  const path = chain.map(
    ({ step, side, watermark }) => `"${step}" ${side === "input" ? "in" : "out"} ${time(watermark)}`,
  );
  if (path.length > 0) lines.push(`  path: ${path.join(" <- ")}`);
  lines.push(`  cause: ${describeCause(cause, now)}`);
  const fix = fixOf(cause);
  if (fix !== undefined) lines.push(`  fix: ${fix}`);
  return lines.join("\n");
}

/** What has not come, in words. */
export function headline({ step, what, window, key, element, timer, others }: Waiting): string {
  const where = window === undefined ? "" : ` window ${window}`;
  const within = window === undefined ? "" : ` in window ${window}`;
  const ofKey = key === undefined ? "" : ` of key ${key}`;
  const more = (noun: string): string =>
    others === 0 ? "" : ` (and ${others} more ${noun}${others === 1 ? "" : "s"})`;
  switch (what) {
    case "pane":
      return `"${step}" has not fired${where}${ofKey}${more("key")}`;
    case "timer":
      return `timer "${timer ?? ""}" of "${step}" has not fired${ofKey}${within}${more("key")}`;
    case "expiry":
      return `"${step}" has not expired${where}${ofKey}${more("key")}`;
    case "element":
      return `"${step}" has not handled ${element === undefined ? "an element" : element}${ofKey}${within}${more("element")}`;
    case "write":
      return `"${step}" takes no more for now`;
    case "end":
      return `the job has not ended: "${step}" may still get something`;
    default:
      return unreachable(what);
  }
}

export function needText(need: Need, watermark: Timestamp, now: number): string {
  const part = (one: Need): string => needText(one, watermark, now);
  switch (need.kind) {
    case "watermark":
      return `its watermark after ${time(need.after)}; it stands at ${time(watermark)}`;
    case "clock":
      return `the clock at ${time(need.due)}, in ${duration(need.due - now)}`;
    case "count":
      return `${need.of} elements, of which ${need.have} ${need.have === 1 ? "has" : "have"} come`;
    case "element":
      return "a new element";
    case "all":
      return `${need.of} conditions at once, of which ${need.met} ${need.met === 1 ? "is" : "are"} met: ${need.needs.map(part).join(", and ")}`;
    case "any":
      return need.needs.map(part).join(", or ");
    case "each":
      return `${need.of} conditions in turn, of which ${need.done} ${need.done === 1 ? "is" : "are"} over: now ${part(need.need)}`;
    case "expiry":
      return need.after === undefined
        ? "the window's expiry"
        : `the window's expiry, since no trigger fires it any more: ${part({ kind: "watermark", after: need.after })}`;
    case "met":
      return "nothing: it comes in the next turn";
    case "sideInput":
      return `the side input of "${need.step}" for window ${need.window}: something in it, or its watermark after ${time(need.after)}`;
    case "call":
      return "the result of its call";
    case "bundle":
      return "startBundle or finishBundle to come back";
    case "flush":
      return "its sink to have flushed";
    case "end":
      return "the end of the input";
    default:
      return unreachable(need);
  }
}

/** Who holds something back, in words. */
export function describeCause(cause: HoldCause, now: number): string {
  const since = (at: number): string => `for ${duration(now - at)}`;
  switch (cause.kind) {
    case "split": {
      const { latest, given, quietSince, tellsNoTime, timestamps, watermark } = cause;
      if (tellsNoTime)
        return `${splitText(cause)} has no watermark: neither its reader nor a timestamp policy says how far event time has come`;
      const last =
        latest !== undefined
          ? `gave its latest element at event time ${time(latest)}`
          : given
            ? "has given elements without event times"
            : "has given no element yet";
      const said = timestamps === "source" && given ? `, says that event time has come to ${time(watermark)}` : "";
      const quiet = quietSince === undefined ? "" : `, and has been quiet ${since(quietSince)}`;
      return `${splitText(cause)} ${last}${said}${quiet}`;
    }
    case "allIdle":
      return `all splits of ${sourceText(cause)} are idle, the last one ${since(cause.quietSince)}, and its time stands still meanwhile (whenAllIdle is "hold")`;
    case "reading":
      return `"${cause.step}" goes on by itself`;
    case "clock":
      return `the watermark of "${cause.step}" follows the clock`;
    case "script":
      return cause.eventsLeft > 0
        ? `the script of "${cause.step}" has ${cause.eventsLeft} events left to play`
        : `the script of "${cause.step}" is over, and has left the watermark at ${time(cause.watermark)}`;
    case "full":
      return `"${cause.step}" has taken no more ${since(cause.since)}: its sink is flushing, and sources above it are not read`;
    case "timer": {
      const { step, timer, tag, key, window, domain, at, holdAt } = cause;
      const when =
        domain === "event"
          ? `when the watermark is after ${time(at)}`
          : `at ${time(at)} by the clock, in ${duration(at - now)}`;
      const holds = holdAt === undefined ? "" : `, and holds the watermark at ${time(holdAt)} until then`;
      return `timer "${timer}"${tag === "" ? "" : ` (${tag})`} of "${step}", key ${key}, window ${window}, fires ${when}${holds}`;
    }
    case "state": {
      const { step, window, key, holdAt, until, need } = cause;
      const kept =
        need === undefined
          ? `keeps the state of window ${window} for onWindowExpiration`
          : `keeps elements of window ${window}${key === undefined ? "" : ` of key ${key}`} that no pane has put out (needs ${needText(need, holdAt, now)})`;
      return `"${step}" ${kept}; until the window expires, with the watermark after ${time(until)}, they hold its watermark at ${time(holdAt)}`;
    }
    case "call": {
      const { step, element, key, since: began, attempt, retryAt, timeout } = cause;
      const of = element === undefined ? `for key ${key ?? ""}` : `for element ${element}`;
      const limit = timeout === undefined ? "no timeout" : `timeout ${duration(timeout)}`;
      if (retryAt !== undefined)
        return `the call of "${step}" ${of} has failed, and is made again in ${duration(retryAt - now)} (attempt ${attempt + 1})`;
      return began === undefined
        ? `the call of "${step}" ${of} is queued behind others`
        : `the call of "${step}" ${of} has been running ${since(began)} (attempt ${attempt}, ${limit})`;
    }
    case "session":
      return `the session grows: elements of its key keep coming before its gap is over; with the first alone it would have ended after ${time(cause.firstEnd)}`;
    case "bundle":
      return `startBundle or finishBundle of "${cause.step}" has not come back ${since(cause.since)}`;
    case "trigger":
      return "its trigger alone";
    default:
      return unreachable(cause);
  }
}

function fixOf(cause: HoldCause): string | undefined {
  switch (cause.kind) {
    case "split":
    case "allIdle":
      return quietFix(cause);
    case "script":
      return cause.eventsLeft > 0 ? undefined : "end it with advanceWatermarkToInfinity()";
    case "call":
      return cause.timeout === undefined && cause.retryAt === undefined
        ? `look at the promise that "${cause.step}" returns, or give the step a timeout`
        : undefined;
    case "full":
      return `look at what the sink of "${cause.step}" writes to`;
    case "state":
      return cause.need === undefined
        ? undefined
        : "let the trigger fire at the window's end too, as afterWatermark does, or allow less lateness";
    default:
      return undefined;
  }
}

/** The option of a source that would let time go on without what is quiet. */
export function quietFix(cause: Extract<HoldCause, { readonly kind: "split" | "allIdle" }>): string {
  const { step } = cause;
  if (cause.kind === "split" && cause.tellsNoTime)
    return `read "${step}" with timestamps: eventTime(…) or processingTime(), or give its reader a watermark()`;
  if (cause.kind === "allIdle")
    return `give the source of "${step}" quiet: { whenAllIdle: "followClock" }, if its event times are those of the clock`;
  const { idleAfter } = cause;
  if (idleAfter !== undefined) return `its idleAfter is ${duration(idleAfter)}: from then on it does not count`;
  return cause.splits === 1
    ? `give the source of "${step}" quiet: { idleAfter: …, whenAllIdle: "followClock" }, if its event times are those of the clock`
    : `give the source of "${step}" quiet: { idleAfter: … }, so that a quiet split holds nothing back`;
}

function sourceText({ step, source }: SourceFacts): string {
  return `source "${step}" (${source})`;
}

function splitText({ split, splits, ...source }: SourceFacts & { readonly split: number }): string {
  return splits === 1
    ? sourceText({ splits, ...source })
    : `split ${split} of ${splits} of ${sourceText({ splits, ...source })}`;
}

const time = formatTimestamp;

function duration(ms: number): string {
  return `${Math.max(0, ms / 1000).toFixed(1)} s`;
}
