import { type AttentionShape, type InputName, inputNames } from "../../attention/shape.js";
import { type GivenScales, requireScaled, scaleSizes } from "../../emulator/given-scales.js";
import { InputError } from "../../errors.js";
import type { ElementType } from "../../io/element-types.js";
import { openArchive } from "../../io/open-archive.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import type { InputOptions } from "./input-files.js";
import { namesIn } from "./input-names.js";
import type { StoredInputs } from "./input-shape.js";
import { openOneTensor } from "./one-tensor.js";

/** The options that name files of scales. */
export interface ScaleOptions {
  readonly qScale?: string;
  readonly kScale?: string;
  readonly vScale?: string;
}

/** Scales that lie in files, by the tensor that they are of. */
export type StoredScales = Readonly<Partial<Record<InputName, StoredTensor>>>;

/** Opens the scales that the options name, or that lie beside q, k and v of `--input` as q_scale, k_scale and v_scale. */
export async function openScales(options: ScaleOptions & InputOptions): Promise<StoredScales> {
  const { input, names = {} } = options;
  const archive = input === undefined ? null : await openArchive("--input", input, "");
  const tensors = archive === null ? null : namesIn(input ?? "", archive.names, names);
  const found: Partial<Record<InputName, StoredTensor>> = {};
  for (const name of inputNames) {
    const path = options[`${name}Scale`];
    const beside = `${tensors?.[name]}_scale`;
    if (path !== undefined) found[name] = await openOneTensor(`--${name}-scale`, path, [`${name}_scale`, "scale"]);
    else if (archive?.names.includes(beside) === true) found[name] = await archive.tensor(beside);
  }
  return found;
}

const sizesInWords = (sizes: readonly number[]): string => `[${sizes.join(", ")}]`;
/** Ranks of one in front say nothing. */
const plain = (sizes: readonly number[]): string => {
  const first = sizes.findIndex(size => size !== 1);
  return first < 0 ? "" : sizes.slice(first).join(" ");
};

/** @throws InputError for scales of a tensor that has none, and of another shape than the arithmetic's */
export function checkScaleFiles(scales: StoredScales, arithmetic: ArithmeticSpec, shape: AttentionShape): void {
  for (const name of inputNames) {
    const stored = scales[name];
    if (stored === undefined) continue;
    requireScaled(arithmetic, name, stored.where);
    const { scale } = arithmetic.operands[name];
    const sizes = scaleSizes(scale, name, shape) ?? [];
    if (plain(stored.shape) === plain(sizes)) continue;
    const kind = typeof scale === "object" ? `rows: ${scale.rows}` : scale;
    throw new InputError({
      where: stored.where,
      got: `shape ${sizesInWords(stored.shape)}`,
      expected: `${sizesInWords(sizes)}, as ${name} has scale ${kind} in arithmetic ${arithmetic.name}`,
    });
  }
}

/** Types that hold quantized values, and the type of operands that each is; null: of none. */
const narrowTypes: Readonly<Partial<Record<ElementType, string | null>>> = {
  F8_E4M3: "fp8-e4m3",
  F8_E5M2: "fp8-e5m2",
  F8_E4M3FNUZ: null,
  F8_E5M2FNUZ: null,
  I8: "int8",
};

/**
 * Sets the types of quantized files beside the arithmetic's. Gives a line for each tensor whose values will be rounded
 * again. @throws InputError for values of another type than the operands that given scales belong to
 */
export function narrowNotes(files: StoredInputs, scales: StoredScales, arithmetic: ArithmeticSpec): readonly string[] {
  return inputNames.flatMap(name => {
    const { dtype, where } = files[name];
    const [held, { type, scale }] = [narrowTypes[dtype], arithmetic.operands[name]];
    if (held === undefined) return [];
    if (scales[name] !== undefined) {
      if (held === type.name) return [];
      throw new InputError({
        where,
        got: `values of type ${dtype}`,
        expected: `${type.name}, as operands of arithmetic ${arithmetic.name} whose scales are given`,
      });
    }
    if (scale === "none" && (held === type.name || type.storageBits >= 16)) return [];
    const then = scale === "none" ? `rounded to ${type.name}` : `scaled and rounded to ${type.name} as any input`;
    return [`${where}: ${dtype} values without ${name}_scale are numbers, ${then}`];
  });
}

/** The values of the scales. */
export async function loadScales(stored: StoredScales): Promise<GivenScales> {
  const loaded: Partial<Record<InputName, Float32Array | Float64Array>> = {};
  for (const name of inputNames) {
    const values = await stored[name]?.load();
    if (values !== undefined) loaded[name] = values;
  }
  return loaded;
}
