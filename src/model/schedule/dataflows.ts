import { SpecError } from "../../errors.js";
import type { Dataflow, Operand } from "../../spec/schedule/dataflow.js";
import { keptLevels, rankCounts } from "../action-counts.js";
import type { CompiledDesign } from "../compile.js";
import type { CompiledEinsum } from "../compile-einsum.js";
import { tuples } from "../loop-nest.js";
import { arrayShape } from "./machine.js";
import { outputOf, type TileNest, type TimeLoop, timeLoops } from "./tile-nest.js";

/** A row of the global buffer that an Einsum reads: at each point, or once and kept in a register while its points pass. */
export interface RowRead {
  readonly perPoint: boolean;
  /** Rows at once: lanes that share a query take a row each. */
  readonly rows: number;
  /** What the previous key tile left: there is nothing to read on the first. */
  readonly carried: boolean;
}

/**
 * A tensor whose tiles come from DRAM: one for each query tile, one for each key tile of a block of queries, or one for each
 * tile of scores.
 */
export interface Load {
  readonly tensor: string;
  readonly by: "queries" | "keys" | "tiles";
  /** Words of the tile for each of its queries or keys, or for each pair of them. */
  readonly words: number;
}

/** A dataflow with what it takes from the memories and the register files. */
export interface TileEinsum extends Dataflow {
  /** The tensor that it makes. */
  readonly output: string;
  /** A value for each point leaves; else one for the tile, with the last point. */
  readonly valuePerPoint: boolean;
  readonly reads: readonly RowRead[];
  /** Rows of the global buffer that are written with each value; 0 where it stays out of it. */
  readonly writesRows: number;
  readonly loads: readonly Load[];
  /** Its tile goes to DRAM: so many words for each query. */
  readonly storedWords: number;
  /** Words for each query of the running tensors that it keeps in the global buffer from one key tile to the next. */
  readonly runningWords: number;
  /** Entries of its PE's registers that its operands take: carried rows that a later Einsum of the array uses as well. */
  readonly carriedEntries: number;
  /** Tensors that it takes from the registers of its own array. */
  readonly fromRegisters: readonly string[];
  /** Einsums whose values it takes from the global buffer. */
  readonly fromBuffer: readonly string[];
  /** Its value stays in the registers for Einsums of its own array. */
  readonly staysInRegisters: boolean;
  /** Slot from which an exponential holds a second entry, to its end; -1 for none. */
  readonly scratchFrom: number;
}

/** What each Einsum of a design does on one tile. Throws SpecError for what the simulation of a schedule cannot honour. */
export function dataflowsOf(compiled: CompiledDesign, nest: TileNest, values: Float64Array): readonly TileEinsum[] {
  const makers = new Map(nest.einsums.map(einsum => [outputOf(einsum), einsum]));
  return nest.einsums.map(einsum => dataflowOf(einsum, compiled, nest, makers, values));
}

function dataflowOf(
  einsum: CompiledEinsum,
  compiled: CompiledDesign,
  nest: TileNest,
  makers: ReadonlyMap<string, CompiledEinsum>,
  values: Float64Array,
): TileEinsum {
  const { shape } = einsum;
  const boxes = rankCounts(einsum, values);
  const shared = new Set(nest.loops.map(({ name }) => name));
  const inner = timeLoops(einsum).filter(({ name }) => !shared.has(name));
  const innerBits = bitsOf(inner);
  const points = tuples(shape, boxes, innerBits);
  const beside = arrayShape(compiled, einsum.array, values).grid ? 0 : lanesBeside(einsum);
  const operations = operationCycles(einsum, compiled, values);
  const { pointCycles, leadCycles } = cyclesOf(einsum.cycles?.(values), operations, points);
  const { whole } = operations;
  const scratchFrom = whole.length > 2 ? Math.min(pointCycles - 1, sum(whole.slice(0, 2))) : -1;
  const keptAt = einsum.alwaysKept ?? keptLevels(einsum, values);
  const kinds = einsum.path.map(({ spec }) => spec.kind);
  const isKept = (tensor: number, kind: string): boolean =>
    keptAt[tensor]?.some(level => kinds[level] === kind) === true;

  const uses: Operand[] = [];
  const carries: string[] = [];
  const reads: RowRead[] = [];
  const loads: Load[] = [];
  const fromRegisters: string[] = [];
  const fromBuffer: string[] = [];
  const isCarried = [...nest.carried.values()].includes(einsum.name);
  let [writesRows, storedWords, runningWords, valuePerPoint, carriedEntries] = [0, 0, 0, false, 0];
  shape.tensors.forEach(({ name, output, relevant }, t) => {
    const perPoint = (relevant & innerBits) === innerBits;
    const rows = tuples(shape, boxes, relevant & beside);
    const words = wordsPerSide(einsum, relevant, boxes, shared);
    const maker = nest.carried.get(name);
    if (output) {
      valuePerPoint = perPoint;
      writesRows = isKept(t, "sram") || isKept(t, "dram") ? rows : 0;
      storedWords = isKept(t, "dram") ? words : 0;
      runningWords = isCarried && isKept(t, "sram") ? words : 0;
      return;
    }
    if (isKept(t, "sram")) reads.push({ perPoint, rows, carried: maker !== undefined });
    if (maker !== undefined) {
      checkCarry(maker, einsum, nest);
      carries.push(maker);
      if (isKept(t, "sram") && usedLater(name, einsum, nest, compiled, values)) carriedEntries++;
      if (!isKept(t, "sram")) fromRegisters.push(name);
      return;
    }
    const producer = makers.get(name);
    if (producer === undefined) {
      if (isKept(t, "dram")) loads.push({ tensor: name, by: sideOf(relevant, einsum, nest), words });
      return;
    }
    const each = perPoint ? valuesAtOnce(producer, einsum, inner, shared, values) : 0;
    uses.push({ einsum: producer.name, pointwise: each > 0, each: Math.max(1, each) });
    if (isKept(t, "sram")) fromBuffer.push(producer.name);
    else if (producer.array === einsum.array) fromRegisters.push(name);
  });
  const lacksKeys = timeLoops(einsum).every(({ name }) => name !== nest.iterative.name);
  return {
    name: einsum.name,
    array: einsum.array,
    points,
    pointCycles,
    leadCycles,
    units: einsum.operations.filter(({ perPoint }) => perPoint(values) > 0).map(({ name }) => name),
    when: !lacksKeys ? "every" : uses.length > 0 || carries.length > 0 ? "last" : "first",
    uses,
    carries,
    output: outputOf(einsum),
    valuePerPoint,
    reads,
    writesRows,
    loads,
    storedWords,
    runningWords,
    carriedEntries,
    fromRegisters,
    fromBuffer,
    staysInRegisters: staysInRegisters(einsum, nest, values),
    scratchFrom,
  };
}

/** What is carried from key tile to key tile must stay on one array: nothing says how it would get to another in time. */
function checkCarry(maker: string, einsum: CompiledEinsum, { einsums }: TileNest): void {
  const from = einsums.find(({ name }) => name === maker)?.array;
  if (from === einsum.array) return;
  throw new SpecError({
    where: einsum.at(["array"]),
    got: `${einsum.name} on the ${einsum.array} array, which carries on what ${maker} left on the ${from} array`,
    expected: "values carried from one tile of keys to the next on one array, for a schedule",
    fix: `put ${einsum.name} and ${maker} on the same array`,
  });
}

/**
 * Whole cycles of a point, and those before the first point: what is left of operations that are done once for all points,
 * such as a reciprocal of 1 / F divisions a point. At least one per point, but where there is nothing to do.
 */
function cyclesOf(
  given: number | undefined,
  { whole, shares }: OperationCycles,
  points: number,
): Pick<Dataflow, "pointCycles" | "leadCycles"> {
  const all = given ?? sum(whole) + sum(shares);
  if (all === 0) return { pointCycles: 0, leadCycles: 0 };
  const pointCycles = Math.max(1, given === undefined ? Math.ceil(sum(whole)) : Math.floor(given));
  return { pointCycles, leadCycles: Math.max(0, Math.ceil((all - pointCycles) * points * (1 - rounding))) };
}

/** Of products of shares that are whole numbers: far below a cycle. */
const rounding = 1e-12;

/** Cycles of each operation of a point, one after the other, and of the shares of operations that are not of every point. */
interface OperationCycles {
  readonly whole: readonly number[];
  readonly shares: readonly number[];
}

/** The cycles of an Einsum's operations: a subtraction comes before what multiplies. */
function operationCycles(einsum: CompiledEinsum, compiled: CompiledDesign, values: Float64Array): OperationCycles {
  const costs = compiled.arrays.get(einsum.array);
  const first = (name: string): number => (name === "add" ? 0 : 1);
  const whole: number[] = [];
  const shares: number[] = [];
  for (const { name, perPoint } of [...einsum.operations].sort((a, b) => first(a.name) - first(b.name))) {
    const times = perPoint(values);
    const cost = costs?.get(name)?.(values) ?? 0;
    if (!(times <= mostOperations)) {
      throw new SpecError({
        where: einsum.at(["operations", name]),
        got: `${times} operations for one point`,
        expected: `at most ${mostOperations} in a schedule`,
      });
    }
    for (let i = 1; i <= times; i++) whole.push(cost);
    if (!Number.isInteger(times)) shares.push((times - Math.floor(times)) * cost);
  }
  return { whole, shares };
}

const mostOperations = 1e4;

/** Words of a tensor's tile for each of its queries or keys: its loops in the tile but those of the ranks that are tiled. */
function wordsPerSide(
  einsum: CompiledEinsum,
  relevant: number,
  boxes: Parameters<typeof tuples>[1],
  shared: ReadonlySet<string>,
): number {
  const tiled = [einsum.coupled?.rows?.rank, einsum.coupled?.keys?.rank];
  let bits = relevant;
  einsum.shape.ranks.forEach(({ shift, parts }, r) => {
    if (tiled.includes(r)) bits &= ~(((1 << parts) - 1) << shift);
  });
  for (const { name, bit } of timeLoops(einsum)) if (shared.has(name)) bits &= ~(1 << bit);
  return tuples(einsum.shape, boxes, bits);
}

/**
 * Whether a tensor comes with the query tiles, with the key tiles or with both. What neither cut, such as one number for a
 * head, comes with the queries, once for each of them: a word or two beside the E of a query.
 */
function sideOf(relevant: number, einsum: CompiledEinsum, nest: TileNest): Load["by"] {
  const sides = timeLoops(einsum).flatMap(({ name, side, bit }) =>
    nest.loops.some(loop => loop.name === name) && (relevant & (1 << bit)) !== 0 ? [side] : [],
  );
  if (!sides.includes("keys")) return "queries";
  return sides.includes("rows") ? "tiles" : "keys";
}

/** Whether an Einsum of the same array takes the tensor from the registers, where this one has put it. */
function usedLater(
  tensor: string,
  einsum: CompiledEinsum,
  nest: TileNest,
  compiled: CompiledDesign,
  values: Float64Array,
): boolean {
  return nest.einsums.some(other => {
    if (other === einsum || other.array !== einsum.array) return false;
    const t = other.shape.tensors.findIndex(({ name, output }) => name === tensor && !output);
    const kept = (other.alwaysKept ?? keptLevels(other, values))[t];
    const isOnChip = (level: number) => compiled.levels.get(other.levelNames[level] as string)?.spec.kind === "sram";
    return kept?.some(isOnChip) === false;
  });
}

/** Whether an Einsum of the same array takes the value from the registers. */
function staysInRegisters(einsum: CompiledEinsum, nest: TileNest, values: Float64Array): boolean {
  const output = outputOf(einsum);
  return nest.einsums.some(user => {
    if (user.array !== einsum.array) return false;
    const t = user.shape.tensors.findIndex(tensor => tensor.name === output && !tensor.output);
    const kept = (user.alwaysKept ?? keptLevels(user, values))[t];
    return kept?.every(level => user.path[level]?.spec.kind !== "sram") === true;
  });
}

/**
 * Points of a producer that one point of its user takes: 1 where they iterate the same loops, so that point f of one is point f of
 * the other; more where the user has neighbours along its innermost loop side by side on another array; 0 where neither is so.
 */
function valuesAtOnce(
  producer: CompiledEinsum,
  user: CompiledEinsum,
  inner: readonly TimeLoop[],
  shared: ReadonlySet<string>,
  values: Float64Array,
): number {
  const own = timeLoops(producer).filter(({ name }) => !shared.has(name));
  const output = producer.shape.tensors.find(tensor => tensor.output);
  const isTold = own.every(({ bit }) => ((output?.relevant ?? 0) & (1 << bit)) !== 0);
  if (inner.length === 0 || own.length !== inner.length || !isTold) return 0;
  const last = inner.length - 1;
  if (own.every(({ name }, i) => name === inner[i]?.name)) return 1;
  const isAlike = own.every(({ name, rank }, i) => (i === last ? rank === inner[i]?.rank : name === inner[i]?.name));
  if (!isAlike || producer.array === user.array) return 0;
  const pointsOf = (einsum: CompiledEinsum, bit: number): number =>
    tuples(einsum.shape, rankCounts(einsum, values), 1 << bit);
  const [made, taken] = [pointsOf(producer, own[last]?.bit ?? 0), pointsOf(user, inner[last]?.bit ?? 0)];
  return made % taken === 0 ? made / taken : 0;
}

/** The loops in space over neither queries nor keys: lanes that share a query. */
function lanesBeside({ shape, coupled }: CompiledEinsum): number {
  const tiled = [coupled?.rows?.rank, coupled?.keys?.rank];
  return bitsOf(
    shape.loops.filter(({ level, bit }) => {
      const rank = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
      return shape.levels[level]?.spatial === true && !tiled.includes(rank);
    }),
  );
}

const bitsOf = (loops: readonly { readonly bit: number }[]): number =>
  loops.reduce((bits, { bit }) => bits | (1 << bit), 0);
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
