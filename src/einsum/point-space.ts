import { InputError } from "../errors.js";
import type { Cascade } from "./cascade.js";
import type { Einsum, Filter, Index } from "./einsum.js";
import { holds } from "./operations.js";
import type { SizeOf } from "./shape.js";
import { type Size, sizeValue } from "./size.js";

/** A number that depends on the point that the space is at. */
export type Node = () => number;

/** The points of an Einsum: its free variables, then its reduced ones, and the point that is being computed. */
export class PointSpace {
  readonly variables: readonly string[];
  /** The coordinates of the point. */
  readonly at: Int32Array;
  private readonly extents: Int32Array;
  private readonly cascade: Cascade;
  private readonly filters: readonly Filter[];
  private readonly sizeOf: SizeOf;

  constructor(cascade: Cascade, { free, reduced, filters }: Einsum, sizeOf: SizeOf) {
    this.cascade = cascade;
    this.filters = filters;
    this.sizeOf = sizeOf;
    this.variables = [...free, ...reduced];
    this.extents = Int32Array.from(this.variables, v => this.size([{ coefficient: 1, names: [this.rankOf(v)] }]));
    this.at = new Int32Array(this.variables.length);
  }

  rankOf(variable: string): string {
    return this.cascade.ranks.ofVariable(variable).name;
  }

  /** How many points some variables have, by number. */
  pointsOver(variables: readonly number[]): number {
    return variables.reduce((product, v) => product * (this.extents[v] as number), 1);
  }

  /** Sets the coordinates to every point of some variables, by number, the last one fastest. */
  visit(variables: readonly number[], each: () => void): void {
    const { at, extents } = this;
    const [first] = variables;
    if (variables.length === 1 && first !== undefined) {
      for (let i = 0; i < (extents[first] as number); i += 1) {
        at[first] = i;
        each();
      }
      return;
    }
    for (const v of variables) {
      if (extents[v] === 0) return;
      at[v] = 0;
    }
    for (;;) {
      each();
      let i = variables.length - 1;
      for (; i >= 0; i -= 1) {
        const v = variables[i] as number;
        const next = (at[v] as number) + 1;
        if (next < (extents[v] as number)) {
          at[v] = next;
          break;
        }
        at[v] = 0;
      }
      if (i < 0) return;
    }
  }

  /** The filters that `bound` variables decide and that are not yet in `placed`, which they join. */
  conditions(bound: ReadonlySet<string>, placed: Set<Filter>): (() => boolean)[] {
    return this.filters
      .filter(filter => !placed.has(filter) && variablesOf(filter).every(variable => bound.has(variable)))
      .map(filter => {
        placed.add(filter);
        const [a, b] = [this.coordinate(filter.left), this.coordinate(filter.right)];
        return () => holds(a(), filter.relation, b());
      });
  }

  /**
   * The place of a read or written element in row-major data; checked each time only where it could be out of range.
   */
  place(shape: readonly number[], indices: readonly Index[], where: string): Node {
    const { base, strides, checks } = this.layout(shape, indices, where);
    const linear = sumOf(base, [...strides], this.at);
    if (checks.length === 0) return linear;
    return () => {
      for (const check of checks) check();
      return linear();
    };
  }

  /** The same where nothing has to be checked, with the distance from one coordinate of a variable to the next. */
  along(shape: readonly number[], indices: readonly Index[], variable: number): { place: Node; step: number } | null {
    const { base, strides, checks } = this.layout(shape, indices, "");
    if (checks.length > 0) return null;
    return { place: sumOf(base, [...strides], this.at), step: strides.get(variable) ?? 0 };
  }

  private layout(shape: readonly number[], indices: readonly Index[], where: string) {
    const strides = new Map<number, number>();
    const checks: (() => void)[] = [];
    let base = 0;
    let stride = 1;
    for (let position = indices.length - 1; position >= 0; position -= 1) {
      const index = indices[position] as Index;
      const length = shape[position] ?? 1;
      const terms = this.linear(index);
      const start = this.size(index.offset);
      base += start * stride;
      for (const [v, coefficient] of terms) strides.set(v, (strides.get(v) ?? 0) + coefficient * stride);
      const reach = (pick: (c: number) => boolean): number =>
        terms.reduce((sum, [v, c]) => sum + (pick(c) ? c * ((this.extents[v] as number) - 1) : 0), start);
      if (reach(c => c < 0) < 0 || reach(c => c > 0) >= length) checks.push(this.rangeCheck(index, length, where));
      stride *= length;
    }
    return { base, strides, checks };
  }

  /** A size as a number. @throws InputError where a rank's size is not known. */
  size(size: Size): number {
    const value = sizeValue(size, this.sizeOf);
    if (value !== undefined) return value;
    const unknown = size.flatMap(term => term.names).find(name => this.sizeOf(name) === undefined);
    throw new InputError({
      where: `the shape of ${this.cascade.name}`,
      got: `no size of the rank ${unknown ?? "?"}`,
      expected: "a size for every rank that the inputs do not fix",
      fix: `give ${unknown ?? "it"}=... in the shape`,
    });
  }

  private rangeCheck(index: Index, length: number, where: string): () => void {
    const coordinate = this.coordinate(index);
    return () => {
      const c = coordinate();
      if (c >= 0 && c < length) return;
      throw new InputError({
        where: `${where} in ${this.cascade.name}`,
        got: `coordinate ${c}`,
        expected: `one from 0 to ${length - 1}`,
        fix: "the sizes of the ranks and of the inputs do not fit together",
      });
    };
  }

  private coordinate(index: Index): Node {
    return sumOf(this.size(index.offset), this.linear(index), this.at);
  }

  private linear(index: Index): (readonly [number, number])[] {
    return index.terms.map(({ variable, coefficient }) => [this.variables.indexOf(variable), this.size(coefficient)]);
  }
}

const variablesOf = ({ left, right }: Filter): string[] => [...left.terms, ...right.terms].map(term => term.variable);

/** base + sum of coefficient * coordinate. */
function sumOf(base: number, terms: readonly (readonly [number, number])[], at: Int32Array): Node {
  const [a, b, c] = terms;
  if (a === undefined) return () => base;
  const [v0, c0] = a;
  if (b === undefined) return () => base + c0 * (at[v0] as number);
  const [v1, c1] = b;
  if (c === undefined) return () => base + c0 * (at[v0] as number) + c1 * (at[v1] as number);
  return () => {
    let sum = base;
    for (const [v, coefficient] of terms) sum += coefficient * (at[v] as number);
    return sum;
  };
}
