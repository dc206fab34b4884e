import { softcapFactors } from "../numerics/softcap.js";
import type { PeTable } from "./pe-table.js";
import { type CheckedPlace, type Pass, type Statement, type Step, sinkStart, type TileProgram } from "./program.js";
import { read, readsOf, type Scalar } from "./scalar.js";
import type { Variable } from "./variable.js";

/** What is done to scores between their product and the maximum (docs/numerics.md, "What is added to scores"). */
export interface ScoreTerms {
  /** The cap in score units, and the problem's scale. */
  readonly softcap?: { readonly cap: number; readonly scale: number } | undefined;
  /** Whether each score gets an addend of the host's. */
  readonly bias: boolean;
}

/** The addend of each score of a tile, which the host gives. */
export const addendOf = (): Variable => ({
  ...{ name: "bias", axis: "key", tensor: null, life: "tile", initial: null, operand: false },
  given: "bias",
});

/** What a score is set to, one value after the other. */
export function scoreValues(
  table: PeTable,
  { softcap, bias }: ScoreTerms,
  score: Variable,
  addend: Variable,
): Scalar[] {
  const values: Scalar[] = [];
  if (softcap !== undefined) {
    const { g, w } = softcapFactors(softcap.cap, softcap.scale);
    values.push(table.softcap(read(score), g, w));
  }
  if (bias) values.push(table.add(read(score), read(addend)));
  return values;
}

/** The program with more done to each score: after every product over E of the query itself, and its scales. */
export function withScoreTerms(program: TileProgram, table: PeTable, { softcap, bias }: ScoreTerms): TileProgram {
  if (softcap === undefined && !bias) return program;
  const addend = addendOf();
  const terms = (to: Variable, where: CheckedPlace | null): Step => {
    const check: Statement[] = where === null ? [] : [{ kind: "check", value: read(to), limit: table.limit, where }];
    // A cap would hide what left the accumulator's range.
    const checks = softcap === undefined ? [] : check;
    const sets = scoreValues(table, { softcap, bias }, to, addend).map(
      (value): Statement => ({ kind: "set", to, value }),
    );
    return { kind: "loop", over: "key", body: [...checks, ...sets] };
  };
  const passes = program.passes.map((pass): Pass => {
    const tile = pass.tile.flatMap((step, i): readonly Step[] => {
      const before = pass.tile[i - 1];
      const score = before === undefined ? null : scoreOf(before, program);
      const own = scoreOf(step, program);
      if (score !== null && step.kind === "loop" && isScaling(step.body[0], score)) {
        const [scaling, after] = [step.body.slice(0, 1), step.body.slice(1)];
        const rest: readonly Step[] = after.length === 0 ? [] : [{ ...step, body: after }];
        return [{ ...step, body: scaling }, terms(score, checkOf(pass, score)), ...rest];
      }
      const next = pass.tile[i + 1];
      const isScaled = own !== null && next?.kind === "loop" && isScaling(next.body[0], own);
      return own === null || isScaled ? [step] : [step, terms(own, checkOf(pass, own))];
    });
    return { ...pass, tile };
  });
  return { ...program, passes, variables: bias ? [...program.variables, addend] : program.variables };
}

/** The scores that a step makes of the query; null for any other step. */
const scoreOf = (step: Step, { query }: TileProgram): Variable | null =>
  step.kind === "product" && step.over === "E" && step.lanes === query ? step.to : null;

/** Whether a statement multiplies scores by what the host gives. */
const isScaling = (statement: Statement | undefined, score: Variable): boolean =>
  statement?.kind === "set" &&
  statement.to === score &&
  [...readsOf(statement.value)].some(({ given }) => given === "queryScale" || given === "keyScale");

/** Where a pass checks the range of a product's sums. */
function checkOf({ tile }: Pass, sums: Variable): CheckedPlace | null {
  for (const step of tile) {
    if (step.kind !== "loop") continue;
    for (const statement of step.body) {
      if (statement.kind === "check" && statement.where.tensor === sums.tensor && statement.where.what === "value") {
        return statement.where;
      }
    }
  }
  return null;
}

type Start = readonly [Variable, number | typeof sinkStart];

const startsOf = (...starts: readonly Start[]): NonNullable<TileProgram["starts"]> => new Map(starts);

/**
 * FuseMax's program with a sink: its running maximum begins with the row's, and its denominator with `denominator`, as if
 * a tile before the first had held one key without a value.
 */
export function withSink(program: TileProgram, denominator: number): TileProgram {
  const { states } = program;
  if (states === undefined) throw new Error(`${program.name} has no running maximum`);
  return { ...program, starts: startsOf([states.maximum, sinkStart], [states.denominator, denominator]) };
}

/**
 * Three-pass attention with a sink: the maximum of pass `n` begins with the row's, and the denominator, which a later pass
 * sums up, with its exponential.
 */
export function withSinkBetween(
  program: TileProgram,
  table: PeTable,
  c: number,
  { n, maximum, denominator }: { readonly n: number; readonly maximum: Variable; readonly denominator: Variable },
): TileProgram {
  const sink: Variable = {
    ...{ name: "sink", axis: "row", tensor: null, life: "row", initial: null, operand: false },
  };
  const value = table.result(table.exp(table.subtract(read(sink), read(maximum)), c, null));
  const begin: Step = { kind: "loop", over: null, body: [{ kind: "set", to: denominator, value }] };
  return {
    ...program,
    variables: [...program.variables, sink],
    passes: program.passes.map((pass, i) => (i === n ? { ...pass, end: [...pass.end, begin] } : pass)),
    starts: startsOf([sink, sinkStart], [maximum, sinkStart]),
  };
}
