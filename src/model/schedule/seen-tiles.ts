/** The tiles of a block that some score is in, where they are no interval of key tiles for each query tile. */
export class SeenTiles {
  /** Tiles of one head before each key tile from `begin` on, and all of them at the end. */
  readonly before: Float64Array;
  private readonly rows: readonly (readonly number[])[];

  /** @param keyTiles of each query tile the key tiles that it sees, ascending */
  constructor(
    readonly keyTiles: readonly (readonly number[])[],
    readonly begin: number,
    end: number,
  ) {
    const rows = Array.from({ length: end - begin }, (): number[] => []);
    keyTiles.forEach((seen, p) => {
      for (const m1 of seen) rows[m1 - begin]?.push(p);
    });
    this.rows = rows;
    this.before = new Float64Array(rows.length + 1);
    rows.forEach((row, i) => {
      this.before[i + 1] = (this.before[i] as number) + row.length;
    });
  }

  /** Tiles of one head. */
  get tiles(): number {
    return this.before.at(-1) as number;
  }

  /** The query tiles that see a key tile, ascending. */
  row(m1: number): readonly number[] {
    return this.rows[m1 - this.begin] ?? [];
  }

  /** The fewest tiles from one key tile of some queries to the next that they see, in the order of the walk. */
  leastBetween(heads: number): number {
    let least = Number.POSITIVE_INFINITY;
    this.keyTiles.forEach((seen, p) => {
      for (let i = 1; i < seen.length; i++) {
        const [here, there] = [seen[i - 1], seen[i]] as [number, number];
        for (const head of [0, heads - 1]) {
          least = Math.min(least, this.placeOf(there, p, head, heads) - this.placeOf(here, p, head, heads));
        }
      }
    });
    return least;
  }

  private placeOf(m1: number, p: number, head: number, heads: number): number {
    const row = this.row(m1);
    return heads * (this.before[m1 - this.begin] as number) + head * row.length + row.indexOf(p);
  }
}

/**
 * Whether key tiles are what intervals have whose ends never fall from one query tile to the next, without a query tile
 * between two others that sees none.
 */
export function areIntervals(keyTiles: readonly (readonly number[])[]): boolean {
  let [from, to, isOver] = [-1, -1, false];
  return keyTiles.every(seen => {
    const [first, last] = [seen[0], seen.at(-1)];
    if (first === undefined || last === undefined) {
      isOver = to >= 0;
      return true;
    }
    const inOrder = !isOver && last - first + 1 === seen.length && first >= from && last >= to;
    [from, to] = [first, last];
    return inOrder;
  });
}
