import { largestOperand } from "../../numerics/limits.js";
import type { ProductSum } from "../../numerics/summation.js";
import type { TileProgram } from "../../program/program.js";

/** The products of the kernels written by hand, for printed programs (assembly/arithmetic.ts, sums.ts, steps.ts). */
export interface SumKernels {
  readonly chainBf16: Product;
  readonly chainExact: Product;
  readonly chainFp16: Product;
  readonly chainRounded: Product;
  readonly chainWideFp16: Product;
  readonly blocks: Product;
  readonly steps: Product;
  scaleOfChains(toFp16: boolean): number;
  configureWidth(over: number, width: number): void;
  configureSteps(
    over: number,
    width: number,
    step: number,
    align: number,
    fraction: number,
    laneLeast: number,
    rowLeast: number,
  ): void;
  placeSteps(over: number, panels: number, widePanels: number, panelBinades: number): void;
  placeLanes(wide: number, binades: number, seen: number): void;
  widenPanels(over: number, count: number): void;
}

type Product = (...integers: readonly number[]) => void;

/** The numbers that kernels have for products. */
export const overNumber = { E: 0, key: 1 } as const;

/** Whether fp16 chains are of operands that times their scale would leave fp32's range. */
const areWide = ({ types: [lanes] }: ProductSum): boolean => largestOperand(lanes) > 2 ** 28;

/** What the lanes and sums of a program's products are stored times: a power of two. */
export function chainScaleOf({ accumulator, products }: TileProgram, kernels: SumKernels): number {
  if (accumulator === "fp32" || (accumulator === "fp16" && areWide(products.E))) return 1;
  return kernels.scaleOfChains(accumulator === "fp16");
}

/** The function for a product of a program, set up. */
export function kernelOf(program: TileProgram, over: "E" | "key", kernels: SumKernels): Product {
  const { sum, types, exact } = program.products[over];
  const number = overNumber[over];
  if (sum.kind === "blocks") {
    kernels.configureWidth(number, sum.width);
    return kernels.blocks;
  }
  if (sum.kind === "steps") {
    const { block, align, result } = sum.dot;
    const [lanes, rows] = types.map(({ leastExponent }) => 2 ** leastExponent) as [number, number];
    kernels.configureSteps(number, sum.width ?? 0, block, align, result === "fp32-rz" ? 23 : 13, lanes, rows);
    return kernels.steps;
  }
  if (program.accumulator === "bf16") return kernels.chainBf16;
  if (program.accumulator === "fp16") return areWide(program.products.E) ? kernels.chainWideFp16 : kernels.chainFp16;
  return exact ? kernels.chainExact : kernels.chainRounded;
}
