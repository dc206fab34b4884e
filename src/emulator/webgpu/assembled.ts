import { noMask } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";
import { UsageError } from "../../errors.js";
import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { formatNames } from "../../numerics/format.js";
import { formatOf } from "../../numerics/format-of.js";
import { exponentFactor } from "../../numerics/pe.js";
import { printWgsl } from "../../program/wgsl.js";
import { wgslPlaces } from "../../program/wgsl-places.js";
import { programOf } from "../program-of.js";
import { collectText, kernelNames, kernelText, printedText, type ShaderSource } from "./kernel.js";
import { operandsPerWord, wordsOf } from "./pack.js";
import { type AdapterTraits, rowsVariant, variantFor } from "./variant.js";

/** The kernels that can be printed: the files of shaders/, and `program`, which is printed for a cascade. */
export const assembledNames = [...kernelNames, "collect", "program"] as const;
export type AssembledName = (typeof assembledNames)[number];

/** One head of 4,096 tokens of FuseMax's cascade on tiles of 256 keys: it decides no more than sizes of buffers. */
const problemIn = (arithmetic: ArithmeticSpec): AttentionProblem => ({
  shape: { batch: 1, heads: 1, kvHeads: 1, queries: 4096, keys: 4096, headDim: 64, valueDim: 64 },
  mask: noMask,
  tile: { m0: 256, p0: 256 },
  arithmetic,
  scale: 1 / 8,
});

const swiftShader: AdapterTraits = { kind: "software", subgroups: true, subgroupSize: 4 };
const gpu: AdapterTraits = { kind: "discrete", subgroups: true, subgroupSize: 32 };

/**
 * The whole text of a kernel, as a device compiles it: attention-tiles as on a discrete GPU, all others as on SwiftShader;
 * `program` for FuseMax's cascade, a kernel for each of its passes.
 * @throws UsageError for a kernel that is not there in the arithmetic.
 */
export function assembledKernel(name: AssembledName, arithmetic: ArithmeticSpec, source: ShaderSource): string {
  const problem = problemIn(arithmetic);
  if (name === "collect") return collectText(64, source);
  if (name === "program") return programText(problem, source);
  const isAttention = name === "attention-rows" || name === "attention-tiles";
  if (formatOf(arithmetic) === null && name !== "operations" && name !== "pack") {
    throw new UsageError({
      where: "--print-kernel",
      got: `${name} in ${arithmetic.name}`,
      expected: `one of ${formatNames.join(", ")}, which have kernels written by hand`,
      fix: `"--print-kernel program ${arithmetic.name}" prints the one that is made for it`,
    });
  }
  const variant = variantFor(name === "attention-tiles" ? gpu : swiftShader, problem);
  const { workgroupSize, shape = {}, quads = false } = variant;
  const constants = name === "pack" ? { pageLayout: 0 } : {};
  return kernelText(
    isAttention
      ? { name, arithmetic, workgroupSize, constants: shape, quads }
      : { name, arithmetic, workgroupSize: 64, constants },
    source,
  );
}

function programText(problem: AttentionProblem, source: ShaderSource): string {
  const program = programOf(problem, true);
  if (program === null) throw new Error("a program that is always wanted is there");
  const { arithmetic, shape, tile } = problem;
  const { workgroupSize, shape: constants = {}, quads = false } = rowsVariant(swiftShader, problem);
  const options = {
    places: wgslPlaces(program, Math.ceil(shape.keys / tile.m0), tile.m0),
    perWord: operandsPerWord(wordsOf(arithmetic)),
    factor: exponentFactor(problem.scale),
    bits: false,
    wholeEights: true,
    blockKeys: program.blockKeys,
    wholeBlocks: true,
  };
  const passes = program.passes.filter(({ tile, end }) => tile.length + end.length > 0);
  return passes
    .map((pass, i) => {
      const kernel = { arithmetic, workgroupSize, constants, quads, bits: false };
      return `// Pass ${i + 1} of ${passes.length}.\n${printedText(kernel, printWgsl(pass, options), source)}`;
    })
    .join("\n");
}
