/** A queue of cycles in a ring that grows: the values on their way between two arrays, oldest first. */
export class CycleQueue {
  private ring = new Float64Array(64);
  private head = 0;
  size = 0;

  push(cycle: number): void {
    if (this.size === this.ring.length) this.grow();
    this.ring[(this.head + this.size++) & (this.ring.length - 1)] = cycle;
  }

  /** The oldest entry, or Infinity where there is none. */
  first(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : (this.ring[this.head] as number);
  }

  at(index: number): number {
    return this.ring[(this.head + index) & (this.ring.length - 1)] as number;
  }

  pop(): void {
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.size--;
  }

  /** The entries counted from `now`; what is past is all alike. Entries never fall. */
  relativeTo(now: number): readonly number[] {
    return Array.from({ length: this.size }, (_, i) => Math.max(-1, this.at(i) - now));
  }

  /** Holds these entries in place of its own. */
  fill(entries: readonly number[]): void {
    this.size = 0;
    for (const cycle of entries) this.push(cycle);
  }

  private grow(): void {
    const larger = new Float64Array(this.ring.length * 2);
    for (let i = 0; i < this.size; i++) larger[i] = this.at(i);
    this.ring = larger;
    this.head = 0;
  }
}
