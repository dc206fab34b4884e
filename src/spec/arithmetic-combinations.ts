import { choices, defaultChoices } from "../numerics/arithmetic.js";
import { largestInput } from "../numerics/limits.js";
import { type FloatSpec, numberTypeNames, numberTypes } from "../numerics/number-type.js";
import type { WrittenArithmetic } from "./arithmetic-fields.js";

/** What must hold between the fields of an arithmetic, and where a fault of it is. */
export interface Combination {
  readonly path: readonly string[];
  holds(arithmetic: WrittenArithmetic): boolean;
  readonly expected: string;
  readonly fix: string;
}

type OperandName = "q" | "k" | "v" | "p";
const operandNames = ["q", "k", "v", "p"] as const;
const isBlocked = (scale: unknown): boolean => scale === "mx" || scale === "nvfp4";
const isShared = (scale: unknown): boolean => scale !== "none" && !isBlocked(scale);
const anyScale = ({ operands }: WrittenArithmetic, holds: (scale: unknown) => boolean): boolean =>
  operandNames.some(name => holds(operands[name].scale));

const fixAccumulator = "leave the field out, or take accumulator: fp32";

const narrowAccumulator: readonly Combination[] = [
  ...choices.map(
    (field): Combination => ({
      path: [field],
      holds: arithmetic => arithmetic.accumulator === "fp32" || arithmetic[field] === defaultChoices[field],
      expected: `${defaultChoices[field]} with a 16-bit accumulator`,
      fix: fixAccumulator,
    }),
  ),
  {
    path: ["exp", "fused"],
    holds: ({ accumulator, exp }) => accumulator === "fp32" || !exp.fused,
    expected: "false with a 16-bit accumulator",
    fix: fixAccumulator,
  },
  ...operandNames.map(
    (name): Combination => ({
      path: ["operands", name, "scale"],
      holds: ({ accumulator, operands }) => accumulator === "fp32" || operands[name].scale === "none",
      expected: "none with a 16-bit accumulator",
      fix: fixAccumulator,
    }),
  ),
];

/** Scales of blocks are in both factors of a product. */
const sameKind = (one: OperandName, other: OperandName): Combination => ({
  path: ["operands", one, "scale"],
  holds: ({ operands }) => {
    const [a, b] = [operands[one].scale, operands[other].scale];
    return a === b || !(isBlocked(a) || isBlocked(b));
  },
  expected: `the scale of ${other}, where either is mx or nvfp4`,
  fix: `give ${one} and ${other} the same scale`,
});

const isMicroscaled = ({ storageBits, integer }: FloatSpec): boolean => storageBits <= 8 && !integer;
const microscaled = numberTypeNames.filter(name => isMicroscaled(numberTypes[name]));
/** x / s reaches the largest value of the type, which an operand of these may not. */
const isTooWide = ({ largest }: FloatSpec): boolean => largest > largestInput;

const scalesOfTypes = operandNames.flatMap((name): readonly Combination[] => [
  {
    path: ["operands", name, "type"],
    holds: ({ operands }) => operands[name].scale !== "mx" || isMicroscaled(numberTypes[operands[name].type]),
    expected: `one of ${microscaled.join(", ")} with scale mx`,
    fix: "take one of these, or another scale",
  },
  {
    path: ["operands", name, "type"],
    holds: ({ operands }) => operands[name].scale !== "nvfp4" || operands[name].type === "fp4-e2m1",
    expected: "fp4-e2m1 with scale nvfp4",
    fix: "take fp4-e2m1, or another scale",
  },
  {
    path: ["operands", name, "scale"],
    holds: ({ operands }) => !isShared(operands[name].scale) || !isTooWide(numberTypes[operands[name].type]),
    expected: "none with a type of 8 exponent bits",
    fix: "leave the scale out",
  },
]);

export const combinations: readonly Combination[] = [
  ...narrowAccumulator,
  {
    path: ["operands", "v", "scale"],
    holds: ({ operands }) => typeof operands.v.scale === "string",
    expected: "none, tensor, head, mx or nvfp4 for v",
    fix: "rows have scales of their own in q and k alone",
  },
  {
    path: ["operands", "p", "scale"],
    holds: ({ operands }) => !isShared(operands.p.scale),
    expected: "none, mx or nvfp4 for p",
    fix: "numerators are at most 1 before the offset; move them by offset",
  },
  sameKind("q", "k"),
  sameKind("p", "v"),
  ...scalesOfTypes,
  {
    path: ["keys"],
    holds: arithmetic => arithmetic.keys === "ascending" || !anyScale(arithmetic, isBlocked),
    expected: "ascending with scales mx and nvfp4",
    fix: "leave keys out, or take other scales",
  },
  {
    path: ["dot", "block"],
    holds: arithmetic =>
      arithmetic.dot === "chain" || arithmetic.dot.block === 32 || !anyScale(arithmetic, scale => scale === "mx"),
    expected: "32 with scales mx",
    fix: "take block: 32, or dot: chain",
  },
  {
    path: ["dot"],
    holds: arithmetic => arithmetic.dot === "chain" || !anyScale(arithmetic, scale => scale === "nvfp4"),
    expected: "chain with scales nvfp4",
    fix: "leave dot out",
  },
];
