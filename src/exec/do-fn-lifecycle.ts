/** Setup, bundles and teardown of DoFns. */
import type { DoFn } from "../fn/do-fn.ts";
import type { StageHost } from "../host/host.ts";
import { BundleCallContext, type ContextParts } from "./do-fn-context.ts";
import { stepFailure, undeclaredAsync } from "./errors.ts";
import type { StepInfo } from "./operators.ts";

/** Those of one DoFn: the one implementation of its lifecycle. */
export class DoFnLifecycle {
  readonly #step: StepInfo;
  readonly #doFn: DoFn<unknown, unknown>;
  readonly #host: StageHost;
  readonly #bundleContext: BundleCallContext;
  readonly #asyncBundles: boolean;
  #setUp = false;

  constructor(parts: ContextParts, asyncBundles: boolean) {
    this.#step = parts.step;
    this.#doFn = parts.doFn;
    this.#host = parts.host;
    this.#asyncBundles = asyncBundles;
    this.#bundleContext = new BundleCallContext(parts.step, parts.host, parts.outlets);
  }

  async open(): Promise<void> {
    this.#setUp = true;
    const { name: step, id } = this.#step;
    const { options, metrics } = this.#host;
    await this.#run(() => this.#doFn.setup?.({ step, options, metrics: metrics.of(id, step) }));
  }

  startBundle(): void | Promise<void> {
    if (this.#doFn.startBundle)
      return this.#bundle("startBundle", () => this.#doFn.startBundle?.(this.#bundleContext as never));
  }

  finishBundle(): void | Promise<void> {
    if (this.#doFn.finishBundle)
      return this.#bundle("finishBundle", () => this.#doFn.finishBundle?.(this.#bundleContext as never));
  }

  /** The plan knows async bundles by their functions; a promise from a plain function would be waited for by nobody. */
  #bundle(method: "startBundle" | "finishBundle", call: () => unknown): void | Promise<void> {
    const result = this.#run(call);
    if (result instanceof Promise && !this.#asyncBundles) {
      throw undeclaredAsync(`${this.#step.name}.${method}`, result);
    }
    return result;
  }

  async close(): Promise<void> {
    if (!this.#setUp) return;
    this.#setUp = false;
    await this.#run(() => this.#doFn.teardown?.());
  }

  #run(method: () => unknown): void | Promise<void> {
    let result: unknown;
    try {
      result = method();
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name });
    }
    if (result instanceof Promise) {
      return result.then(
        () => {},
        (error: unknown) => {
          throw stepFailure(error, { step: this.#step.name });
        },
      );
    }
  }
}
