import { rowOfScores } from "../attention/broadcast.js";
import type { Operands } from "../attention/problem.js";
import { placeOf } from "../attention/rows.js";
import type { AttentionShape } from "../attention/shape.js";
import { biasOf, type TileProgram } from "../program/program.js";
import type { Variable } from "../program/variable.js";

/** Reads what a program's host adds to scores. */
export interface BiasReader {
  /** The variable that takes it, and its place among the program's. */
  readonly variable: Variable;
  readonly index: number;
  /** Writes the addends of a row and keys from <= m < to from the beginning of `out`. */
  read(row: number, from: number, to: number, out: Float32Array): void;
}

/** The reader of a program's biases; null where it has none. */
export function biasReader({ addends }: Operands, shape: AttentionShape, program: TileProgram): BiasReader | null {
  const variable = biasOf(program);
  if (variable === undefined || addends === undefined) return null;
  const { sizes, values } = addends;
  return {
    variable,
    index: program.variables.indexOf(variable),
    read: (row, from, to, out) => {
      const { b, h, p } = placeOf(shape, row);
      const first = rowOfScores(sizes, b, h, p);
      if (sizes[3] === 1) out.fill(values[first] as number, 0, to - from);
      // Keys past the last that there is are hidden.
      else out.set(values.subarray(first + from, first + Math.min(to, sizes[3])));
    },
  };
}

/** The sink of a row's head; 0 where there are none. */
export const sinkOf = ({ sinks }: Pick<Operands, "sinks">, shape: AttentionShape, row: number): number =>
  sinks?.[placeOf(shape, row).h] ?? 0;
