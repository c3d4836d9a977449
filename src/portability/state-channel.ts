/**
 * The worker's end of the state channel: requests that are waited for by a promise, or, while user code runs, by stopping the
 * thread until the answer is there.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { StateKey, StateOperation, StateRequest, StateResponse } from "./messages.ts";

export interface StateAsk {
  readonly key: StateKey;
  readonly operation: StateOperation;
}

type Values = readonly Uint8Array[];

export class StateChannel {
  readonly #port: MessagePort;
  readonly #signal: Int32Array;
  readonly #waiting = new Map<number, (values: Values) => void>();
  #nextId = 1;

  constructor(port: MessagePort, signal: SharedArrayBuffer) {
    this.#port = port;
    this.#signal = new Int32Array(signal);
    port.on("message", (response: StateResponse) => this.#take(response));
  }

  #take({ id, values }: StateResponse): void {
    const take = this.#waiting.get(id);
    this.#waiting.delete(id);
    take?.(values);
  }

  #send(requests: readonly StateAsk[], take: (values: Values) => void): void {
    const id = this.#nextId++;
    this.#waiting.set(id, take);
    const request: StateRequest = { id, requests };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
    this.#port.postMessage(request);
  }

  ask(requests: readonly StateAsk[]): Promise<Values> {
    if (requests.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => this.#send(requests, resolve));
  }

  /** Stops the thread until the answer is there. */
  askNow(requests: readonly StateAsk[]): Values {
    let answer: Values | undefined;
    this.#send(requests, (values) => {
      answer = values;
    });
    for (;;) {
      // Read before the port: an answer that comes in between has moved it on, and is not slept over.
      const seen = Atomics.load(this.#signal, 0);
      const received = receiveMessageOnPort(this.#port);
      if (received !== undefined) this.#take(received.message as StateResponse);
      else Atomics.wait(this.#signal, 0, seen);
      if (answer !== undefined) return answer;
    }
  }

  close(): void {
    this.#port.close();
  }
}
