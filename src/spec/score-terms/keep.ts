import type { Formula } from "../expression.js";
import type { EinsumMapping, Keep } from "../mapping.js";

/** The levels that keep a tensor, each with its condition; undefined: always. */
export type Place = readonly (readonly [level: string, condition: Formula | undefined])[];
export type Kept = readonly [tensor: string, place: Place];

/** The levels at which an Einsum keeps a tensor. */
export const keptOf = ({ keep }: Pick<EinsumMapping, "keep">, tensor: string): Place =>
  Object.entries(keep).flatMap(([level, kept]): Place => {
    if (Array.isArray(kept)) return kept.includes(tensor) ? [[level, undefined]] : [];
    const condition = (kept as Readonly<Record<string, Formula>>)[tensor];
    return condition === undefined ? [] : [[level, condition]];
  });

/** The same, level by level, as a mapping has it. */
export function keepOf(all: readonly Kept[]): Readonly<Record<string, Keep>> {
  const levels = new Map<string, [tensor: string, condition: Formula | undefined][]>();
  for (const [tensor, place] of all) {
    for (const [level, condition] of place) {
      levels.set(level, [...(levels.get(level) ?? []), [tensor, condition]]);
    }
  }
  return Object.fromEntries(
    [...levels].map(([level, kept]) => [
      level,
      kept.every(([, condition]) => condition === undefined)
        ? kept.map(([tensor]) => tensor)
        : Object.fromEntries(kept.map(([tensor, condition]) => [tensor, condition ?? 1])),
    ]),
  );
}

type Fields = Pick<EinsumMapping, "keep" | "spill" | "assumed">;

/** An Einsum's mapping with another name for a tensor that it reads. */
export function renamedIn<T extends Fields>(own: T, tensor: string, name: string): T {
  const real = (key: string): string => (key === tensor ? name : key);
  const renamed = <V>(record: Readonly<Record<string, V>>): Record<string, V> =>
    Object.fromEntries(Object.entries(record).map(([key, value]) => [real(key), value]));
  const keep = Object.entries(own.keep).map(([level, kept]): [string, Keep] => [
    level,
    Array.isArray(kept) ? (kept as readonly string[]).map(real) : renamed(kept as Readonly<Record<string, Formula>>),
  ]);
  return {
    ...own,
    keep: Object.fromEntries(keep),
    ...(own.spill === undefined ? {} : { spill: renamed(own.spill) }),
    ...(own.assumed === undefined ? {} : { assumed: renamed(own.assumed) }),
  };
}

/** The same without what it says of a tensor beside where it is kept. */
export function without<T extends Fields>(own: T, tensor: string): T {
  const less = <V>(record: Readonly<Record<string, V>>): Record<string, V> =>
    Object.fromEntries(Object.entries(record).filter(([key]) => key !== tensor));
  return {
    ...own,
    ...(own.spill === undefined ? {} : { spill: less(own.spill) }),
    ...(own.assumed === undefined ? {} : { assumed: less(own.assumed) }),
  };
}
