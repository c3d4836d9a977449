/**
 * Triggers of the reference model: a tree of small objects per key and window.
 * Place: scenario.ts -> HERE -> grouping.ts.
 *
 * R1 A node answers `shouldFire` from its own state and the moment; asking changes nothing.
 * R2 Firing may finish a node. A finished node stays finished until a repetition above it starts anew or a merge revives it.
 * R3 Clearing a node forgets its progress towards the next pane, and never whether it is finished.
 * R4 Where windows merge, nodes that wait for their turn see the elements too, since a merge may make it their turn.
 * R5 A processing-time delay is over when the clock reaches it. (Beam's direct runner waits until the clock is past it;
 *    scripts cannot tell the two apart unless they stop at that very millisecond.)
 */
import { ScenarioError, type GoldenTrigger } from "./scenario.ts";

export interface TriggerNode {
  readonly spec: GoldenTrigger;
  readonly children: TriggerNode[];
  finished: boolean;
  /** Of `afterCount`: elements since the last pane. */
  count: number;
  /** Of the processing-time triggers: when the delay is over. */
  due: number | undefined;
}

/** What a trigger may look at. */
export interface Moment {
  readonly watermark: number;
  readonly now: number;
  /** The last instant of the window. */
  readonly last: number;
  /** Whether the window function merges windows. */
  readonly merging: boolean;
  /** True while processing-time delays are checked: everything upstream is at rest. */
  readonly atRest: boolean;
}

export function plant(spec: GoldenTrigger): TriggerNode {
  return { spec, children: branches(spec).map(plant), finished: false, count: 0, due: undefined };
}

function branches(spec: GoldenTrigger): readonly GoldenTrigger[] {
  switch (spec.type) {
    case "repeatedly":
      return [spec.of];
    case "afterAny":
    case "afterAll":
    case "afterEach":
      return spec.of;
    case "orFinally":
      return [spec.of, spec.until];
    case "afterWatermark":
      if (spec.early === undefined && spec.late === undefined) return [];
      return spec.late === undefined ? [spec.early ?? { type: "never" }] : [spec.early ?? { type: "never" }, spec.late];
    default:
      return [];
  }
}

function child(node: TriggerNode, index: number): TriggerNode {
  const found = node.children[index];
  if (found === undefined) throw new ScenarioError(`${node.spec.type} has no part ${index}`);
  return found;
}

function firstUnfinished(node: TriggerNode): TriggerNode | undefined {
  return node.children.find((part) => !part.finished);
}

function ended(moment: Moment): boolean {
  return moment.watermark > moment.last;
}

/** An element has come into the window. */
export function onElement(node: TriggerNode, moment: Moment): void {
  switch (node.spec.type) {
    case "afterCount":
      node.count += 1;
      return;
    case "afterProcessingTime":
      node.due ??= moment.now + node.spec.delay;
      return;
    case "afterSynchronizedProcessingTime":
      node.due ??= moment.now;
      return;
    case "afterAll":
      for (const part of node.children) if (!part.finished) onElement(part, moment);
      return;
    case "afterWatermark":
    case "afterEach": {
      const listening = moment.merging ? node.children : node.children.filter((part) => part === firstUnfinished(node));
      for (const part of listening) onElement(part, moment);
      return;
    }
    default:
      for (const part of node.children) onElement(part, moment);
  }
}

/** The trigger of a window newly made of others. @param sources their trees; not changed */
export function mergeTrees(spec: GoldenTrigger, sources: readonly TriggerNode[], moment: Moment): TriggerNode {
  const merged = plant(spec);
  onMerge(merged, sources, moment);
  return merged;
}

function onMerge(node: TriggerNode, sources: readonly TriggerNode[], moment: Moment): void {
  const mergeChild = (i: number): void =>
    onMerge(
      child(node, i),
      sources.map((source) => child(source, i)),
      moment,
    );
  switch (node.spec.type) {
    case "default":
    case "never":
    case "always":
      return;
    case "afterCount":
      if (sources.some((source) => source.finished)) node.finished = true;
      else node.count = sources.reduce((sum, source) => sum + source.count, 0);
      return;
    case "afterProcessingTime":
    case "afterSynchronizedProcessingTime": {
      const dues = sources.flatMap((source) => (source.due === undefined ? [] : [source.due]));
      node.due = dues.length === 0 ? undefined : Math.min(...dues);
      return;
    }
    case "repeatedly":
      mergeChild(0);
      return;
    case "afterAny":
    case "orFinally":
      node.children.forEach((_, i) => mergeChild(i));
      node.finished = node.children.some((part) => part.finished);
      return;
    case "afterAll":
      node.children.forEach((_, i) => mergeChild(i));
      node.finished = node.children.every((part) => part.finished);
      return;
    case "afterEach": {
      let reached = true;
      node.children.forEach((part, i) => {
        if (!reached) return;
        mergeChild(i);
        reached = part.finished;
      });
      node.finished = node.children.every((part) => part.finished);
      return;
    }
    case "afterWatermark": {
      if (node.children.length === 0) {
        node.finished = sources.every((source) => source.finished) && ended(moment);
        return;
      }
      const early = child(node, 0);
      const late = node.children[1];
      // One source that still waits for its end is enough: its elements have had no on-time firing yet.
      const done = sources.every((source) => child(source, 0).finished) && ended(moment);
      if (!done) {
        // A source that has had its on-time firing brings nothing to early ones.
        const waiting = sources.map((source) => child(source, 0)).filter((part) => !part.finished);
        onMerge(early, waiting, moment);
        early.finished = false;
      } else {
        early.finished = true;
        if (late !== undefined) mergeChild(1);
        else node.finished = true;
      }
    }
  }
}

export function shouldFire(node: TriggerNode, moment: Moment): boolean {
  switch (node.spec.type) {
    case "default":
      return ended(moment);
    case "never":
      return false;
    case "always":
      return true;
    case "afterCount":
      return node.count >= node.spec.count;
    case "afterProcessingTime":
      return node.due !== undefined && moment.now >= node.due;
    case "afterSynchronizedProcessingTime":
      return moment.atRest && node.due !== undefined && moment.now >= node.due;
    case "repeatedly":
      return shouldFire(child(node, 0), moment);
    case "afterAny":
      return node.children.some((part) => part.finished || shouldFire(part, moment));
    case "orFinally":
      return node.children.some((part) => shouldFire(part, moment));
    case "afterAll":
      return node.children.every((part) => part.finished || shouldFire(part, moment));
    case "afterEach": {
      const current = firstUnfinished(node);
      return current !== undefined && shouldFire(current, moment);
    }
    case "afterWatermark": {
      if (node.children.length === 0) return ended(moment);
      if (!child(node, 0).finished) return ended(moment) || shouldFire(child(node, 0), moment);
      const late = node.children[1];
      return late !== undefined && shouldFire(late, moment);
    }
  }
}

/** A pane leaves because `shouldFire` said so. */
export function onFire(node: TriggerNode, moment: Moment): void {
  switch (node.spec.type) {
    case "default":
    case "always":
      return;
    case "never":
      throw new ScenarioError("the trigger never fires, and was told that it did");
    case "afterCount":
    case "afterProcessingTime":
    case "afterSynchronizedProcessingTime":
      clear(node);
      node.finished = true;
      return;
    case "repeatedly":
      onFire(child(node, 0), moment);
      if (child(node, 0).finished) startAnew(child(node, 0));
      return;
    case "afterAny":
      for (const part of node.children) {
        if (shouldFire(part, moment)) onFire(part, moment);
        else clear(part);
      }
      node.finished = true;
      return;
    case "afterAll":
      for (const part of node.children) onFire(part, moment);
      node.finished = true;
      return;
    case "afterEach": {
      const current = firstUnfinished(node);
      if (current !== undefined) onFire(current, moment);
      if (moment.merging) for (const part of node.children) clear(part);
      node.finished = firstUnfinished(node) === undefined;
      return;
    }
    case "orFinally": {
      const [of, until] = [child(node, 0), child(node, 1)];
      if (shouldFire(until, moment)) {
        onFire(until, moment);
        clear(of);
      } else {
        // `until` keeps what it has seen: it counts across panes.
        onFire(of, moment);
      }
      node.finished = of.finished || until.finished;
      return;
    }
    case "afterWatermark":
      fireAroundWatermark(node, moment);
  }
}

function fireAroundWatermark(node: TriggerNode, moment: Moment): void {
  if (node.children.length === 0) {
    node.finished = true;
    return;
  }
  const early = child(node, 0);
  const late = node.children[1];
  if (!early.finished && !ended(moment)) {
    // Early and late parts are repeated: each firing begins them anew, down to their last part.
    onFire(early, moment);
    startAnew(early);
  } else if (!early.finished) {
    if (shouldFire(early, moment)) onFire(early, moment);
    early.finished = true;
    clear(early);
    if (late === undefined) node.finished = true;
    else clear(late);
  } else if (late === undefined) {
    node.finished = true;
  } else {
    onFire(late, moment);
    startAnew(late);
  }
}

function clear(node: TriggerNode): void {
  node.count = 0;
  node.due = undefined;
  for (const part of node.children) clear(part);
}

function startAnew(node: TriggerNode): void {
  clear(node);
  unfinish(node);
}

function unfinish(node: TriggerNode): void {
  node.finished = false;
  for (const part of node.children) unfinish(part);
}

/** Whether some processing-time delay of the tree is over, so that it is worth asking. */
export function delayIsOver(node: TriggerNode, now: number): boolean {
  return (node.due !== undefined && node.due <= now) || node.children.some((part) => delayIsOver(part, now));
}

/** The trigger of a second grouping that takes the first one's panes: it fires as they come, without waiting again. */
export function continuation(spec: GoldenTrigger): GoldenTrigger {
  switch (spec.type) {
    case "default":
    case "never":
    case "always":
    case "afterSynchronizedProcessingTime":
      return spec;
    case "afterCount":
      return { type: "afterCount", count: 1 };
    case "afterProcessingTime":
      return { type: "afterSynchronizedProcessingTime" };
    case "repeatedly":
      return { type: "repeatedly", of: continuation(spec.of) };
    case "afterAny":
    case "afterAll":
      return { type: spec.type, of: spec.of.map(continuation) };
    case "afterEach":
      // Which part a pane of the first grouping came from is not known any more.
      return { type: "repeatedly", of: { type: "afterAny", of: spec.of.map(continuation) } };
    case "orFinally":
      return {
        type: "repeatedly",
        of: { type: "orFinally", of: continuation(spec.of), until: continuation(spec.until) },
      };
    case "afterWatermark":
      return {
        type: "afterWatermark",
        ...(spec.early === undefined ? {} : { early: continuation(spec.early) }),
        ...(spec.late === undefined ? {} : { late: continuation(spec.late) }),
      };
  }
}
