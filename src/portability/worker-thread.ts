/** The thread in which a worker runs: all of it is user code's, and nobody else waits for it. */
import { workerData } from "node:worker_threads";
import type { WorkerStart } from "./messages.ts";
import { runWorker } from "./worker.ts";

await runWorker(workerData as WorkerStart);
