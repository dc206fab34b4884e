/**
 * Sizes as the text writes them: sums of products of rank names and numbers, such as `M0`, `K - 1` or `2*M1*M0`.
 * The zero size is the empty sum.
 */
export type Size = readonly Monomial[];

export interface Monomial {
  readonly coefficient: number;
  /** Rank names, sorted. */
  readonly names: readonly string[];
}

export const zeroSize: Size = [];
export const oneSize: Size = [{ coefficient: 1, names: [] }];

export function numberSize(value: number): Size {
  return value === 0 ? [] : [{ coefficient: value, names: [] }];
}

export function nameSize(name: string): Size {
  return [{ coefficient: 1, names: [name] }];
}

export function addSizes(a: Size, b: Size): Size {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const sum = new Map<string, Monomial>();
  for (const term of [...a, ...b]) {
    const key = term.names.join("*");
    const known = sum.get(key);
    sum.set(key, known === undefined ? term : { ...term, coefficient: term.coefficient + known.coefficient });
  }
  return [...sum.values()].filter(term => term.coefficient !== 0);
}

export function multiplySizes(a: Size, b: Size): Size {
  let product: Size = [];
  for (const x of a) {
    for (const y of b) {
      const names = [...x.names, ...y.names].sort();
      product = addSizes(product, [{ coefficient: x.coefficient * y.coefficient, names }]);
    }
  }
  return product;
}

export function negateSize(a: Size): Size {
  return a.map(term => ({ ...term, coefficient: -term.coefficient }));
}

/** The size as a plain number, or undefined when a name is in it. */
export function constantOf(size: Size): number | undefined {
  if (size.length === 0) return 0;
  const [only] = size;
  return size.length === 1 && only !== undefined && only.names.length === 0 ? only.coefficient : undefined;
}

/** The single rank name that the size is, or undefined. */
export function soleName(size: Size): string | undefined {
  const [only] = size;
  return size.length === 1 && only?.coefficient === 1 && only.names.length === 1 ? only.names[0] : undefined;
}

export function sameSize(a: Size, b: Size): boolean {
  return addSizes(a, negateSize(b)).length === 0;
}

export function renameSize(size: Size, rename: (name: string) => string): Size {
  return size.reduce<Size>(
    (sum, term) => addSizes(sum, [{ coefficient: term.coefficient, names: term.names.map(rename).sort() }]),
    [],
  );
}

/** The size's value, or undefined when a rank's size is not known. */
export function sizeValue(size: Size, sizeOf: (name: string) => number | undefined): number | undefined {
  let sum = 0;
  for (const term of size) {
    let product = term.coefficient;
    for (const name of term.names) {
      const value = sizeOf(name);
      if (value === undefined) return undefined;
      product *= value;
    }
    sum += product;
  }
  return sum;
}

/** As it would be written: `M1*M0`, `K - 1`. */
export function formatSize(size: Size): string {
  if (size.length === 0) return "0";
  const ordered = [...size].sort((a, b) => b.names.length - a.names.length);
  return ordered
    .map(({ coefficient, names }, i) => {
      const magnitude = Math.abs(coefficient);
      const factors = magnitude === 1 && names.length > 0 ? names : [String(magnitude), ...names];
      const sign = coefficient < 0 ? (i === 0 ? "-" : " - ") : i === 0 ? "" : " + ";
      return sign + factors.join("*");
    })
    .join("");
}
