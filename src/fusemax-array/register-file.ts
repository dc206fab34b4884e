import { conflict, tagText } from "./links.js";

interface Entry {
  value: number;
  /** Readers that still need it. */
  readers: number;
}

/** A register file: entries named by what they hold. Its depth must do at the end of each cycle. */
export class RegisterFile {
  private readonly entries = new Map<string, Entry>();
  /** Most entries in use at the end of a cycle. */
  peak: number;

  /** @param fixed entries that are always taken, such as the one that the north link writes */
  constructor(
    private readonly name: string,
    private readonly depth: number,
    private readonly fixed = 0,
  ) {
    this.peak = fixed;
  }

  /** Writes a new entry, or a new value into one that is there; `readers` must `release` it before it is free. */
  write(tensor: string, tile: number, value: number, readers = 1, index = 0): void {
    const key = tagText({ tensor, tile, index });
    const entry = this.entries.get(key);
    if (entry === undefined) this.entries.set(key, { value, readers });
    else entry.value = value;
  }

  has(tensor: string, tile: number, index = 0): boolean {
    return this.entries.has(tagText({ tensor, tile, index }));
  }

  read(tensor: string, tile: number, cycle: number, index = 0): number {
    const key = tagText({ tensor, tile, index });
    const entry = this.entries.get(key);
    if (entry !== undefined) return entry.value;
    const held = this.contents().join(", ");
    throw conflict(cycle, this.name, {
      got: held === "" ? "an empty register file" : `a register file that holds ${held}`,
      expected: key,
      fix: "the value has not been made: start its user later",
    });
  }

  /** One of the entry's readers is through with it. */
  release(tensor: string, tile: number, index = 0): void {
    const key = tagText({ tensor, tile, index });
    const entry = this.entries.get(key);
    if (entry !== undefined && --entry.readers === 0) this.entries.delete(key);
  }

  take(tensor: string, tile: number, cycle: number, index = 0): number {
    const value = this.read(tensor, tile, cycle, index);
    this.release(tensor, tile, index);
    return value;
  }

  /** Closes the cycle: what is held now must fit. */
  settle(cycle: number): void {
    const used = this.entries.size + this.fixed;
    if (used <= this.peak) return;
    this.peak = used;
    if (used <= this.depth) return;
    throw conflict(cycle, this.name, {
      got: `${used} values at once${this.fixed > 0 ? ", the north link's included" : ""} (${this.contents().join(", ")})`,
      expected: `at most ${this.depth}, the register file's depth`,
      fix: "deepen the register file or shorten the lags",
    });
  }

  contents(): readonly string[] {
    return [...this.entries.keys()];
  }
}
