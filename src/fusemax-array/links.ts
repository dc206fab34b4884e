import { type Complaint, SpecError } from "../errors.js";

/** A value on a link, in a latch or in a register, with what it is: `BK[tile 3, 5]` is element e = 5 for tile 3. */
export interface Tagged {
  readonly tensor: string;
  readonly tile: number;
  readonly index: number;
  readonly value: number;
}

export const tagText = ({ tensor, tile, index }: Omit<Tagged, "value">): string => `${tensor}[tile ${tile}, ${index}]`;

/** A cycle in which the array was asked for something that it cannot do: the schedule is at fault. */
export function conflict(cycle: number, where: string, complaint: Omit<Complaint, "where">): SpecError {
  return new SpecError({ where: `cycle ${cycle}, ${where}`, ...complaint });
}

/**
 * A bundle of links, one value each a cycle. What is driven in a cycle is in the latch at the link's end in the
 * next.
 */
export class Links {
  private now: (Tagged | undefined)[];
  private next: (Tagged | undefined)[];

  constructor(
    private readonly name: (i: number) => string,
    count: number,
  ) {
    this.now = Array(count).fill(undefined);
    this.next = Array(count).fill(undefined);
  }

  /** Puts a value on link i. Two in one cycle are a conflict. */
  drive(i: number, value: Tagged, cycle: number): void {
    const other = this.next[i];
    if (other !== undefined) {
      throw conflict(cycle, this.name(i), {
        got: `${tagText(other)} and ${tagText(value)} on one link`,
        expected: "one value per cycle",
      });
    }
    this.next[i] = value;
  }

  /**
   * Puts a value straight into the latch: at the array's edges links start in the buffer's skew registers, which drive
   * no other.
   */
  feed(i: number, value: Tagged): void {
    this.now[i] = value;
  }

  at(i: number): Tagged | undefined {
    return this.now[i];
  }

  /** The value in latch i, which must be what the operation expects. */
  read(i: number, tensor: string, tile: number, index: number, cycle: number): number {
    const found = this.now[i];
    if (found !== undefined && found.tensor === tensor && found.tile === tile && found.index === index) {
      return found.value;
    }
    throw conflict(cycle, this.name(i), {
      got: found === undefined ? "nothing" : tagText(found),
      expected: tagText({ tensor, tile, index }),
      fix: "the value has not arrived: start its user later",
    });
  }

  step(): void {
    [this.now, this.next] = [this.next, this.now];
    this.next.fill(undefined);
  }
}
