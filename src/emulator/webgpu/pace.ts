/** Seconds that a dispatch should take: long enough to hide its cost, far from any watchdog, short enough to abort at. */
const targetSeconds = 0.25;
/** Command buffers on the device at a time: one runs while the next waits. */
const inFlight = 2;

/**
 * Keeps the device busy and its dispatches short: at most two are under way, and their size follows the speed that
 * was measured. Dispatches complete in the order of their submission.
 */
export class Pace {
  readonly #queue: GPUQueue;
  readonly #pending: Promise<unknown>[] = [];
  #rate: number;
  #lastDone = 0;
  #measured = 0;

  /** @param firstRate work a second to begin with, before anything was measured. */
  constructor(queue: GPUQueue, firstRate: number) {
    this.#queue = queue;
    this.#rate = firstRate;
  }

  /** Work a second, as measured so far. */
  get rate(): number {
    return this.#rate;
  }

  /** Work that a dispatch may have. */
  budget(): number {
    return this.#rate * targetSeconds;
  }

  /** Resolves when another dispatch may be submitted. */
  async room(): Promise<void> {
    while (this.#pending.length >= inFlight) await this.#pending[0];
  }

  /** To be called right after a submission of `work`. */
  submitted(work: number): void {
    const submittedAt = performance.now();
    const done = this.#queue.onSubmittedWorkDone().then(
      () => this.#measure(work, submittedAt),
      () => {},
    );
    this.#pending.push(done);
    void done.then(() => this.#pending.splice(this.#pending.indexOf(done), 1));
  }

  #measure(work: number, submittedAt: number): void {
    const now = performance.now();
    const seconds = (now - Math.max(submittedAt, this.#lastDone)) / 1000;
    this.#lastDone = now;
    if (seconds <= 0) return;
    // A short dispatch says little about a long one: grow by at most 4 at a step. The first also carries warming up.
    const seen = Math.min(work / seconds, this.#rate * 4);
    this.#rate = this.#measured === 0 ? Math.max(seen, this.#rate / 4) : (this.#rate + seen) / 2;
    this.#measured += 1;
  }
}
