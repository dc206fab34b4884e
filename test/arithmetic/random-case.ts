import { bitPlane } from "../../src/attention/bit-plane.js";
import { type AttentionMask, noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { type InputName, tensorShapes, valuesOf } from "../../src/attention/shape.js";
import type { AttentionInputs } from "../../src/emulator/operands.js";
import {
  type ArithmeticSpec,
  type Dot,
  defaultChoices,
  type OperandSpec,
  type Scale,
} from "../../src/numerics/arithmetic.js";
import { type FloatSpec, type NumberType, numberTypeNames, numberTypes } from "../../src/numerics/number-type.js";
import { exp2CoefficientBits } from "../../src/numerics/pe.js";
import { bitsOf } from "../../src/numerics/rounding.js";

export interface ArithmeticCase {
  readonly problem: AttentionProblem & { readonly kvSplits: number };
  readonly inputs: AttentionInputs;
}

/** Numbers of a seed: mulberry32. */
class Random {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(...items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}

const microscaled = numberTypeNames.filter(name => numberTypes[name].storageBits <= 8 && !numberTypes[name].integer);
const scalable = numberTypeNames.filter(name => numberTypes[name].largest <= 2 ** 50);

/** The cubic exponential of FlashAttention-4. */
const cubic = [0x3f800000, 0x3f31f519, 0x3e6906a4, 0x3d9df09d];

/** Any arithmetic that the contract has (docs/arithmetic.md). `types` replaces the types to choose from. */
function randomArithmetic(random: Random, types: readonly FloatSpec[]): ArithmeticSpec {
  const typeOf = (names: readonly NumberType[]): FloatSpec => {
    const among = types.filter(type => names.some(name => name === type.name) || !(type.name in numberTypes));
    return random.pick(...among);
  };
  const operand = (scale: Scale): OperandSpec => {
    if (scale === "mx") return { type: typeOf(microscaled), scale };
    if (scale === "nvfp4") return { type: numberTypes["fp4-e2m1"], scale };
    return { type: typeOf(scale === "none" ? numberTypeNames : scalable), scale };
  };
  const exp = {
    coefficients: random.pick<readonly number[]>(
      exp2CoefficientBits,
      cubic,
      [1, 0.6565, 0.3435].map(bitsOf),
      [0.75, 0.5, 0.25, 0.1, -0.05, 0.02, 0.01].map(bitsOf),
    ),
    fused: random.chance(0.4),
  };
  const name = "random";
  if (random.chance(0.12)) {
    const plain = (): OperandSpec => ({ type: typeOf(numberTypeNames), scale: "none" });
    const accumulator = random.pick<"bf16" | "fp16">("bf16", "fp16");
    const operands = { q: plain(), k: plain(), v: plain(), p: plain() };
    return { name, source: "", operands, accumulator, ...defaultChoices, exp: { ...exp, fused: false }, output: out };
  }
  const shared = (): Scale => random.pick<Scale>("none", "none", "tensor", "head", { rows: random.whole(1, 9) });
  const blocked = random.pick<Scale | null>(null, null, "mx", "nvfp4");
  const blockedValues = random.pick<Scale | null>(null, null, "mx", "nvfp4");
  const forV = random.pick<Scale>("none", "none", "tensor", "head");
  const operands = {
    q: operand(blocked ?? shared()),
    k: operand(blocked ?? shared()),
    v: operand(blockedValues ?? forV),
    p: operand(blockedValues ?? "none"),
  };
  const some = [blocked, blockedValues];
  const step = {
    block: some.includes("mx") ? 32 : random.pick(1, 4, 8, 16, 32, 7),
    align: random.pick(1, 8, 13, 23, 24, 25, 30, 40),
    result: random.pick<"fp32-rz" | "e8m13-rz">("fp32-rz", "e8m13-rz"),
  };
  const dot: Dot = some.includes("nvfp4") || random.chance(0.5) ? "chain" : step;
  return {
    name,
    source: "",
    operands,
    accumulator: "fp32",
    smooth: random.chance(0.2) ? "keys" : "none",
    dot,
    exponent: random.pick<"difference" | "fused">("difference", "fused"),
    exp,
    offset: random.pick(0, 0, 8, 4, -3.5, Math.fround(8.807), 16, -16),
    threshold: random.pick(0, 0, 0.75, 4, 8, 16),
    denominator: random.pick<"rounded" | "unrounded">("rounded", "unrounded"),
    sums: random.pick<"tile" | "running">("tile", "running"),
    keys: some.some(scale => scale !== null) || random.chance(0.6) ? "ascending" : "descending",
    normalize: random.pick<"divide" | "reciprocal">("divide", "reciprocal"),
    output: out,
  };
}

const out = numberTypes.bf16;

function randomMask(random: Random, { batch, heads, queries, keys }: AttentionProblem["shape"]): AttentionMask {
  const lengths = (most: number): number[] => Array.from({ length: batch }, () => random.whole(0, most));
  const mask = {
    ...noMask,
    left: random.chance(0.2) ? random.whole(0, 20) : -1,
    right: random.chance(0.4) ? random.pick(0, 0, 3) : -1,
    kvLens: random.chance(0.2) ? lengths(keys) : null,
    qLens: random.chance(0.15) ? lengths(queries) : null,
  };
  if (!random.chance(0.2)) return mask;
  const sizes = [random.pick(1, batch), random.pick(1, heads), random.pick(1, queries), keys] as const;
  const density = random.next();
  const values = Uint8Array.from({ length: valuesOf(sizes) }, () => (random.chance(density) ? 1 : 0));
  return { ...mask, planes: [bitPlane(sizes, values, { queries: 1, keys: 1 })] };
}

/** Values of a tensor: plain, with outliers, on a grid that ties, tiny, with zeros. */
function randomValues(random: Random, length: number, name: InputName): Float32Array | Float64Array {
  const spread = name === "q" ? random.pick(0.3, 1, 4, 20) : random.pick(0.5, 1, 3);
  const kind = random.pick("normal", "normal", "outliers", "ties", "tiny", "zeros", "wide");
  const value = (): number => {
    const x = random.normal() * spread;
    if (kind === "outliers") return random.chance(0.05) ? 60 * x : x;
    if (kind === "ties") return Math.round(x * 8) / 8;
    if (kind === "tiny") return x * 2 ** -random.whole(5, 45);
    if (kind === "zeros") return random.chance(0.6) ? 0 : x;
    return kind === "wide" ? x * 2 ** random.whole(-12, 6) : x;
  };
  return random.chance(0.15) ? Float64Array.from({ length }, value) : Float32Array.from({ length }, value);
}

/** An attention in any arithmetic, all of it of a seed. */
export function randomCase(seed: number, types: readonly FloatSpec[] = Object.values(numberTypes)): ArithmeticCase {
  const random = new Random(seed);
  const arithmetic = randomArithmetic(random, types);
  const kvHeads = random.pick(1, 1, 2);
  const shape = {
    batch: random.pick(1, 1, 2),
    kvHeads,
    heads: kvHeads * random.pick(1, 1, 2, 3),
    queries: random.whole(1, 7),
    keys: random.whole(1, 80),
    headDim: random.pick(1, 7, 16, 33, 40, 64),
    valueDim: random.whole(1, 9),
  };
  const shapes = tensorShapes(shape);
  const tensor = (name: InputName) => randomValues(random, valuesOf(shapes[name]), name);
  const inputs = { q: tensor("q"), k: tensor("k"), v: tensor("v") };
  const smooth = arithmetic.smooth === "keys";
  const sink = !smooth && random.chance(0.12);
  const sinks = Array.from({ length: shape.heads }, () => random.normal() * 3);
  const biased = random.chance(0.12);
  const bias = {
    shape: [1, 1, shape.queries, shape.keys],
    values: Float32Array.from({ length: shape.queries * shape.keys }, () => random.normal()),
  };
  return {
    problem: {
      shape,
      mask: randomMask(random, shape),
      tile: { m0: random.pick(1, 8, 13, 16, 24, 32, 48, 100), p0: 4 },
      arithmetic,
      scale: random.pick(0.125, 0.3, 1, 2),
      kvSplits: random.pick(1, 1, 1, 2, 3),
      ...(!smooth && random.chance(0.1) ? { softcap: random.pick(1, 8, 30) } : {}),
    },
    inputs: { ...inputs, ...(sink ? { sink: sinks } : {}), ...(biased ? { bias } : {}) },
  };
}
