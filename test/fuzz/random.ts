/** Random choices that a seed, a target and a number fix: an input can be made again. */
export class Random {
  private state: number;

  constructor(seed: number, target: string, index: number) {
    // FNV-1a over what names the input.
    let hash = 0x811c9dc5;
    for (const character of `${seed} ${target} ${index}`) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    }
    this.state = hash | 0;
  }

  /** 32 random bits: mulberry32. */
  bits(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(n: number): number {
    return this.bits() % Math.max(1, n);
  }

  /** True once in `n` times. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
