/** A place of a spec for messages, with the field that is there (`architecture.levels.buffer.bytes`). */
export type Place = (() => string) & { readonly field?: string };

/**
 * Records which fields of a design's specs its evaluations read. Words, lists and flags count as read when they are looked
 * at; a formula only when its value is asked for, by itself or through formulas that name it.
 */
export class FieldReads {
  private readonly seen = new Set<string>();
  private readonly formulas = new Set<string>();
  private readonly valued = new Set<string>();
  /** For each table of symbols: whether the value of one that was asked for rests on a field. */
  private readonly tables: ((field: string) => boolean)[] = [];
  private paused = false;
  private realName: (field: string) => string = field => field;

  /** Wraps a spec's data so that a look at any of its fields is noted. */
  watch<T>(data: T, path: string): T {
    if (typeof data !== "object" || data === null) return data;
    return new Proxy(data, {
      get: (target, key, receiver) => {
        const value: unknown = Reflect.get(target, key, receiver);
        if (typeof key === "symbol" || !Object.hasOwn(target, key)) return value;
        const field = `${path}.${key}`;
        if (typeof value === "object" && value !== null) return this.watch(value, field);
        if (!this.paused) this.seen.add(field);
        return value;
      },
    });
  }

  /** A formula is there: that it was looked at says nothing. */
  formula({ field }: Place): void {
    if (field !== undefined) this.formulas.add(field);
  }

  /** The value of a field's formula was asked for. */
  value({ field }: Place): void {
    if (field !== undefined && !this.paused) this.valued.add(field);
  }

  symbols(restsOn: (field: string) => boolean): void {
    this.tables.push(restsOn);
  }

  /** Checks look at everything and are no use of it. */
  without<T>(run: () => T): T {
    this.paused = true;
    try {
      return run();
    } finally {
      this.paused = false;
    }
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** What fields are called that may be asked for by another name. */
  named(realName: (field: string) => string): void {
    this.realName = realName;
  }

  isRead(asked: string): boolean {
    const field = this.realName(asked);
    if (this.valued.has(field) || this.tables.some(restsOn => restsOn(field))) return true;
    return this.seen.has(field) && !this.formulas.has(field);
  }
}
