import type { TileProgram } from "./program.js";
import { stepReads } from "./steps.js";
import type { Variable } from "./variable.js";

/** Where a program's variables are. */
export interface WgslPlaces {
  /** Fields of the state: `bad`, then values of a row, then for each whole variable one of each tile. */
  readonly fields: number;
  /** In the state, by variable; and of whole ones by number. */
  readonly field: ReadonlyMap<Variable, number>;
  readonly wholeField: ReadonlyMap<Variable, number>;
  /** Where the fields of whole ones begin. */
  readonly wholeFieldAt: number;
  /** By variable: its number among those with pages for a tile's keys, and among those with pages for all keys. */
  readonly tilePages: ReadonlyMap<Variable, number>;
  readonly wholePages: ReadonlyMap<Variable, number>;
  /** The packed operands of products, likewise among the tile's. */
  readonly packed: ReadonlyMap<Variable, number>;
  readonly tileVariables: number;
  readonly wholeVariables: number;
  /** Fields of values of blocks of a tile's keys, block by block: that of a variable in the first. */
  readonly blockField: ReadonlyMap<Variable, number>;
  /** Vectors over F. */
  readonly vector: ReadonlyMap<Variable, number>;
}

/** Why a program cannot be printed as WGSL, or null: what its vectors over E but the query itself would need. */
export function unprintable({ passes, query }: TileProgram): string | null {
  const steps = passes.flatMap(({ tile, end }) => [...tile, ...end]);
  const other = steps.some(step =>
    step.kind === "product" ? step.over === "E" && step.lanes !== query : step.over === "E",
  );
  return other ? "arithmetic on the query before its product with K" : null;
}

/** Whether a value is read where the host put it, and has no place of its own. */
const isHosts = ({ given }: Variable): boolean => given === "bias" || given === "keyScale";

/** Lays out a program's variables for sequences of so many tiles of so many keys. */
export function wgslPlaces(program: TileProgram, tiles: number, tileKeys: number): WgslPlaces {
  const blockField = new Map<Variable, number>();
  const field = new Map<Variable, number>();
  const wholeField = new Map<Variable, number>();
  const tilePages = new Map<Variable, number>();
  const wholePages = new Map<Variable, number>();
  const packed = new Map<Variable, number>();
  const vector = new Map<Variable, number>();
  const lanes = new Set(
    program.passes.flatMap(({ tile }) => tile.flatMap(step => (step.kind === "product" ? [step.lanes] : []))),
  );
  let [fields, tileVariables] = [1, 0];
  for (const variable of program.variables) {
    const { axis, life } = variable;
    if (axis === "E" || life === "local" || isHosts(variable)) continue;
    if (axis === "row" && life === "whole") wholeField.set(variable, wholeField.size);
    else if (axis === "block") blockField.set(variable, blockField.size);
    else if (axis === "row") {
      field.set(variable, fields);
      fields += 1;
    } else if (axis === "F") vector.set(variable, vector.size);
    else {
      if (lanes.has(variable)) {
        packed.set(variable, tileVariables);
        tileVariables += 1;
      }
      if (lanes.has(variable) && !isRead(program, variable)) continue;
      if (life === "whole") wholePages.set(variable, wholePages.size);
      else {
        tilePages.set(variable, tileVariables);
        tileVariables += 1;
      }
    }
  }
  for (const [variable, n] of blockField) blockField.set(variable, fields + n);
  fields += blockField.size * Math.ceil(tileKeys / (program.blockKeys ?? tileKeys));
  const wholeFieldAt = fields;
  fields += wholeField.size * tiles;
  return {
    fields,
    field,
    wholeField,
    wholeFieldAt,
    blockField,
    tilePages,
    wholePages,
    packed,
    tileVariables,
    wholeVariables: wholePages.size,
    vector,
  };
}

/** Whether a loop other than the one that makes it reads a variable. */
function isRead({ passes }: TileProgram, variable: Variable): boolean {
  return passes
    .flatMap(({ tile, end }) => [...tile, ...end])
    .some(
      step =>
        step.kind === "loop" &&
        stepReads(step).has(variable) &&
        !step.body.some(statement => statement.kind === "set" && statement.to === variable),
    );
}
