import type { CostRequest } from "./designs.js";
import { computeBetweenFrames, fitsBetweenFrames, isKnown, remember, type Timed } from "./known-costs.js";

/** What one move of the visitor asks for: what is shown at once, and what may come later. */
export interface Move {
  readonly now: readonly CostRequest[];
  readonly later: readonly CostRequest[];
}

const nothing: Move = { now: [], later: [] };

/** Calls back when the page has nothing better to do, soon at any rate. */
const whenIdle: (work: () => void) => void =
  typeof requestIdleCallback === "function"
    ? work => void requestIdleCallback(work, { timeout: 100 })
    : work => void setTimeout(work);

/** What takes longer holds up all that is asked for after it; nothing of the paper's takes a tenth of it. */
const patienceMilliseconds = 20_000;
const tooSlow = "this takes too long for a page; the same command has no such limit";

/** After the first charts. */
const restMilliseconds = 500;

/**
 * One worker for all that is too slow for a frame, begun when there is any; the rest of it is done between frames. The `now` of a move is finished once begun, so that charts keep
 * answering while a slider is on its way; of the moves after it only the newest is taken up.
 */
export class SlowLane {
  /** Told that all of a move's `now`, or all of its `later`, is known. */
  onResults = (): void => undefined;
  private worker: Worker | null = null;
  private current = nothing;
  private newest = nothing;
  private underWay: CostRequest | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isResting = false;
  private hasRested = false;

  /** The move that is being worked on. */
  get move(): Move {
    return this.current;
  }

  ask(move: Move): void {
    this.newest = move;
    if (move.now.every(isKnown)) this.current = move;
    this.sendNext();
  }

  private sendNext(): void {
    if (this.current.now.every(isKnown)) this.current = this.newest;
    if (this.underWay !== null) return;
    const next = [...this.current.now, ...this.current.later].find(request => !isKnown(request));
    if (next === undefined) return;
    const isBetween = fitsBetweenFrames(next);
    if (!isBetween && this.worker === null && this.current.now.every(isKnown) && !this.hasRested) {
      this.rest();
      return;
    }
    this.underWay = next;
    if (isBetween) {
      whenIdle(() => this.take(computeBetweenFrames(next)));
      return;
    }
    this.worker ??= this.start();
    this.worker.postMessage(next);
    this.timer = setTimeout(() => this.giveUp(next), patienceMilliseconds);
  }

  /** What may come later asks for no worker, the largest part of the page, while the page itself is on its way. */
  private rest(): void {
    if (this.isResting) return;
    this.isResting = true;
    setTimeout(() => {
      this.hasRested = true;
      this.sendNext();
    }, restMilliseconds);
  }

  /** Ends what takes too long, and does not begin with the same at greater lengths. */
  private giveUp(request: CostRequest): void {
    this.worker?.terminate();
    this.worker = null;
    const { later } = this.current;
    for (const other of later) {
      const isSame = other.design === request.design && other.state === request.state && other.seq >= request.seq;
      if (isSame && other !== request && !isKnown(other))
        remember(other, { result: tooSlow, milliseconds: patienceMilliseconds });
    }
    this.take({ result: tooSlow, milliseconds: patienceMilliseconds });
  }

  private start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Timed>) => this.take(data));
    worker.addEventListener("error", event =>
      this.take({ result: `this could not be computed: ${event.message}`, milliseconds: Number.POSITIVE_INFINITY }),
    );
    return worker;
  }

  private take(timed: Timed): void {
    const { now, later } = this.current;
    const wasShown = now.every(isKnown);
    clearTimeout(this.timer);
    if (this.underWay !== null) remember(this.underWay, timed);
    this.underWay = null;
    if (now.every(isKnown) && (!wasShown || later.every(isKnown))) this.onResults();
    this.sendNext();
  }
}
