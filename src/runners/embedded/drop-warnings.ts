/**
 * Warnings of what a job drops and nobody reads.
 *
 * W1 One for each step and reason, with the count: when the job ends, however it ends; for a job that goes on, also once soon
 *    after the first drop, so that nobody has to end it to hear of it.
 */
import type { DropReason } from "../../host/host.ts";
import type { PipelineGraph, Step, StepId } from "../../graph/graph.ts";

export interface Dropped {
  readonly step: StepId;
  readonly reason: DropReason;
  readonly count: number;
}

/** How long a running job waits with its warning, so that the count says something. */
const TELL_AFTER_MS = 10_000;

export class DropWarnings {
  readonly #graph: PipelineGraph;
  readonly #warn: (message: string) => void;
  readonly #told = new Map<string, number>();
  #since: number | undefined;
  #toldEarly = false;

  constructor(graph: PipelineGraph, warn: (message: string) => void) {
    this.#graph = graph;
    this.#warn = warn;
  }

  /** Called while the job runs, after each turn that something was dropped in before. */
  whileRunning(now: number, dropped: () => readonly Dropped[]): void {
    this.#since ??= now;
    if (this.#toldEarly || now - this.#since < TELL_AFTER_MS) return;
    this.#toldEarly = true;
    this.tell(dropped());
  }

  /** Tells what has not been told. */
  tell(dropped: readonly Dropped[]): void {
    for (const { step, reason, count } of dropped) {
      const name = `${step} ${reason}`;
      if (this.#told.get(name) === count || this.#isRead(step, reason)) continue;
      this.#told.set(name, count);
      const { name: stepName, spec } = this.#graph.steps[step] as Step;
      this.#warn(messageOf(stepName, spec.kind === "view", reason, count));
    }
  }

  #isRead(step: StepId, reason: DropReason): boolean {
    if (reason === "timer" || reason === "gap" || reason === "view") return false;
    const late = this.#graph.steps[step]?.outputs["late"];
    return late !== undefined && this.#graph.steps.some(({ inputs }) => inputs.includes(late));
  }
}

function messageOf(step: string, isView: boolean, reason: DropReason, count: number): string {
  const read = isView
    ? "allow its collection more lateness"
    : "read them from its .late collection, or allow more lateness";
  switch (reason) {
    case "timer":
      return `${count} processing-time timers of step "${step}" were not due when their windows expired, and were dropped with their state; use onWindowExpiration for what must not be lost`;
    case "expired":
      return `${count} elements of step "${step}" came after their window had expired and were dropped; ${read}`;
    case "closed":
      return `${count} elements of step "${step}" came after their window's trigger had finished and were dropped; ${isView ? "" : "read them from its .late collection, or "}wrap the trigger in repeatedly(…)`;
    case "view":
      return `${count} elements of step "${step}" came after the windows of its side inputs had expired and were dropped; allow its collection more lateness`;
    case "gap":
      return `${count} elements of step "${step}" lie between two windows, in none, and went no further; make the size of the windows at least their period`;
  }
}
