import { isMainThread } from "node:worker_threads";

/**
 * Dawn's Node binding polls the device from the event loop for as long as a promise of it is pending, which keeps a
 * whole core busy; measured on two cores, that halves what a software adapter computes. While somebody waits, each
 * iteration of the event loop therefore sleeps for a moment. Timers, signals and input are served between the sleeps.
 */
const sleepMilliseconds = 1;
const never = new Int32Array(new SharedArrayBuffer(4));
let waiting = 0;
let polling = false;

function poll(): void {
  polling = waiting > 0;
  if (!polling) return;
  Atomics.wait(never, 0, 0, sleepMilliseconds);
  setImmediate(poll);
}

/** Waits for work on a device without keeping a core busy. */
export async function gentleWait<T>(work: Promise<T>): Promise<T> {
  if (!isMainThread) return work;
  waiting += 1;
  if (!polling) {
    polling = true;
    setImmediate(poll);
  }
  try {
    return await work;
  } finally {
    waiting -= 1;
  }
}
