/** Vectors that wait to be sorted among the fronts: at least so many, so that the fronts are gone through seldom. */
const fewestWaiting = 2 ** 14;

/**
 * The Pareto fronts of groups of points that come one after the other, in any order. A point is on the front of its group
 * when no other point of the group is at least as good in every objective (smaller is better) and better in one; a point
 * that has no number for an objective is on none. What is kept are the different vectors of the fronts, so that memory
 * grows with those and not with the points.
 */
export class ParetoFronts {
  /** Numbers of a row: the group, then the objectives. */
  private readonly width: number;
  /** Rows of the fronts, ascending. */
  private kept = new Float64Array(0);
  private waiting: Float64Array;
  private waitingRows = 0;

  constructor(objectives: number) {
    this.width = objectives + 1;
    this.waiting = new Float64Array(fewestWaiting * this.width);
  }

  /** @param values of the objectives, NaN where one has no number */
  add(group: number, values: readonly number[]): void {
    if (!values.every(Number.isFinite)) return;
    const { width } = this;
    this.waiting.set([group, ...values], this.waitingRows * width);
    this.waitingRows += 1;
    if (this.waitingRows * width === this.waiting.length) this.settle();
  }

  /** Whether a point that was added is on the front of its group, now that all were added. */
  has(group: number, values: readonly number[]): boolean {
    this.settle();
    const { kept, width } = this;
    const row = [group, ...values];
    let [low, high] = [0, kept.length / width];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const by = this.compare(kept, middle, row, 0);
      if (by === 0) return true;
      if (by < 0) low = middle + 1;
      else high = middle;
    }
    return false;
  }

  /** Sorts what waits among the fronts, and drops what is beaten there. */
  private settle(): void {
    if (this.waitingRows === 0) return;
    const { kept, waiting, width } = this;
    const order = Uint32Array.from({ length: this.waitingRows }, (_, i) => i);
    order.sort((a, b) => this.compare(waiting, a, waiting, b));
    const merged = new Float64Array(kept.length + this.waitingRows * width);
    let rows = 0;
    /** Where the rows of the group that is being written begin. */
    let first = 0;
    const put = (from: Float64Array, at: number): void => {
      if (rows > 0 && merged[(rows - 1) * width] !== from[at * width]) first = rows;
      if (this.isBeaten(merged, first, rows, from, at)) return;
      merged.set(from.subarray(at * width, (at + 1) * width), rows * width);
      rows += 1;
    };
    let old = 0;
    for (const at of order) {
      while (old * width < kept.length && this.compare(kept, old, waiting, at) <= 0) put(kept, old++);
      put(waiting, at);
    }
    while (old * width < kept.length) put(kept, old++);
    this.kept = merged.slice(0, rows * width);
    this.waitingRows = 0;
    const room = Math.max(fewestWaiting * width, this.kept.length);
    if (room > waiting.length) this.waiting = new Float64Array(room);
  }

  /** Whether a row is no better than one of rows [first, rows), none of which comes after it, in each objective, or the same. */
  private isBeaten(merged: Float64Array, first: number, rows: number, from: Float64Array, at: number): boolean {
    const { width } = this;
    // Of two objectives the second falls along a front: its last row has the least of it.
    const begin = width <= 3 ? Math.max(first, rows - 1) : first;
    for (let row = begin; row < rows; row += 1) {
      // In the first they are in order.
      let k = 2;
      while (k < width && (merged[row * width + k] as number) <= (from[at * width + k] as number)) k += 1;
      if (k === width) return true;
    }
    return false;
  }

  private compare(a: ArrayLike<number>, atA: number, b: ArrayLike<number>, atB: number): number {
    for (let k = 0; k < this.width; k += 1) {
      const by = (a[atA * this.width + k] as number) - (b[atB * this.width + k] as number);
      if (by !== 0) return by;
    }
    return 0;
  }
}
