import { SpecError } from "../errors.js";
import type { Design } from "./design.js";
import { type Compiled, compileExpression, constants, type Formula, namesIn, parseExpression } from "./expression.js";
import type { Partitions } from "./mapping.js";

/** A tile's sizes: keys and queries. */
export interface DesignTile {
  readonly m0: number;
  readonly p0: number;
}

/**
 * The tile in which a design's mapping cuts keys and queries: the innermost parts of `keys` and `queries` in its partitions
 * (those of all Einsums, else those of the first Einsum that has any). A rank that no mapping cuts is one tile of `otherwise`.
 * `given` are the sizes that the mapping's formulas may name, such as E, M and queries.
 * @throws SpecError for a formula that names something else, or gives no whole number from 1.
 */
export function tileOf(
  design: Design,
  ranks: { readonly keys: string; readonly queries: string },
  given: Readonly<Record<string, number>>,
  otherwise: DesignTile = { m0: 256, p0: 256 },
): DesignTile {
  const { architecture, mapping } = design;
  const formulas: Readonly<Record<string, Formula>> = {
    ...given,
    ...architecture.data.parameters,
    ...mapping.data.symbols,
  };
  const levels = new Map<string, Formula>(
    Object.entries(architecture.data.levels).flatMap(([name, level]) =>
      Object.entries(level).map(([field, value]) => [`${name}.${field}`, value as Formula] as const),
    ),
  );
  const resolved = (formula: Formula, open: readonly string[], where: () => string): number => {
    const expression = parseExpression(formula, where);
    const names = [...new Set(namesIn(expression))];
    const values = names.map(name => {
      const known = constants[name] ?? formulas[name] ?? levels.get(name);
      if (known !== undefined && !open.includes(name)) return resolved(known, [...open, name], where);
      throw new SpecError({
        where: where(),
        got: `'${name}' in '${formula}'`,
        expected: "a tile that the architecture's parameters and the mapping's symbols give",
        fix: "--array 256x256 says the tile of a run",
      });
    });
    const compiled: Compiled = compileExpression(expression, name => names.indexOf(name));
    return compiled(Float64Array.from(values));
  };
  const all = [mapping.data.partitions, ...partitionsOf(design)];
  const innermost = (rank: string, size: number): number => {
    const parts = all.find(partitions => partitions?.[rank] !== undefined)?.[rank];
    const [name, bound] = Object.entries(parts ?? {}).at(-1) ?? [];
    if (name === undefined || bound === undefined || bound === "rest") return size;
    const where = (): string => mapping.at(["partitions", rank, name]);
    const value = resolved(bound, [], where);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new SpecError({ where: where(), got: String(value), expected: "a whole number from 1" });
  };
  return { m0: innermost(ranks.keys, otherwise.m0), p0: innermost(ranks.queries, otherwise.p0) };
}

function partitionsOf({ mapping }: Design): (Partitions | undefined)[] {
  return Object.values(mapping.data.einsums).flatMap(einsum =>
    "variants" in einsum ? einsum.variants.map(variant => variant.partitions) : [einsum.partitions],
  );
}
