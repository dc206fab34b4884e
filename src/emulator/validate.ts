import { unevenGroups } from "../attention/heads.js";
import type { AttentionMask } from "../attention/mask.js";
import type { AttentionProblem } from "../attention/problem.js";
import { type AttentionShape, inputNames, tensorShapes, valuesOf } from "../attention/shape.js";
import { howMany, InputError } from "../errors.js";
import { largestHeadDim, largestScale, smallestScale } from "../numerics/limits.js";
import { largestSoftcap, smallestSoftcap } from "../numerics/softcap.js";

function requireInteger(where: string, value: number, from: number, to: number, unit = ""): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  const range = to === Number.MAX_SAFE_INTEGER ? `of at least ${from}` : `from ${from} to ${to}`;
  throw new InputError({ where, got: String(value), expected: `an integer ${range}${unit}` });
}

/**
 * Checks that a problem lies within the contract (docs/numerics.md).
 * @throws InputError naming the first size, mask, tile or scale that does not.
 */
export function validateProblem(problem: AttentionProblem): void {
  validateShape(problem.shape);
  validateMask(problem.mask, problem.shape);
  requireInteger("tile.m0", problem.tile.m0, 1, Number.MAX_SAFE_INTEGER);
  requireInteger("tile.p0", problem.tile.p0, 1, Number.MAX_SAFE_INTEGER);
  const { scale } = problem;
  if (!(scale >= smallestScale && scale <= largestScale)) {
    throw new InputError({ where: "scale", got: String(scale), expected: "a number from 2^-12 to 2^12" });
  }
  const { softcap } = problem;
  if (softcap === undefined || (softcap >= smallestSoftcap && softcap <= largestSoftcap)) return;
  throw new InputError({ where: "softcap", got: String(softcap), expected: "a number from 2^-24 to 2^24" });
}

function validateShape(shape: AttentionShape): void {
  for (const [name, size] of Object.entries(shape)) {
    requireInteger(name, size, 1, name === "headDim" ? largestHeadDim : Number.MAX_SAFE_INTEGER);
  }
  const uneven = unevenGroups(shape);
  if (uneven !== null) throw new InputError({ where: "kvHeads", ...uneven });
  const shapes = tensorShapes(shape);
  for (const name of inputNames) {
    const words = valuesOf(shapes[name]);
    const where = name.toUpperCase();
    if (words > 2 ** 53) throw new InputError({ where, got: `${words} values`, expected: "at most 2^53" });
  }
}

function validateMask(mask: AttentionMask, shape: AttentionShape): void {
  for (const side of ["left", "right"] as const) {
    if (Number.isInteger(mask[side]) && mask[side] >= -1) continue;
    throw new InputError({
      where: `window ${side}`,
      got: String(mask[side]),
      expected: "an integer of at least 0, or -1 for unbounded",
      fix: "a window counts keys on either side of the query's own position",
    });
  }
  validateLengths("leftPad", mask.leftPad ?? null, shape.batch, shape.keys, "keys");
  validatePatterns(mask, shape);
  validateLengths("kvLens", mask.kvLens, shape.batch, shape.keys, "keys");
  validateLengths("qLens", mask.qLens, shape.batch, shape.queries, "queries");
}

function validatePatterns({ origin, prefix, documents, planes = [] }: AttentionMask, shape: AttentionShape): void {
  if (origin !== undefined && !Number.isInteger(origin)) {
    throw new InputError({ where: "origin", got: String(origin), expected: "an integer, the place of query 0" });
  }
  if (prefix !== undefined) requireInteger("prefix", prefix, 0, shape.keys, ", the keys");
  for (const { sizes, queriesPerBit, keysPerBit } of planes) {
    const whole = [
      shape.batch,
      shape.heads,
      Math.ceil(shape.queries / queriesPerBit),
      Math.ceil(shape.keys / keysPerBit),
    ];
    if (sizes.every((size, i) => size === 1 || size === whole[i] || (i === 3 && size <= (whole[i] ?? 0)))) continue;
    throw new InputError({
      where: "mask",
      got: `a plane of [${sizes.join(", ")}]`,
      expected: `one that broadcasts to [${whole.join(", ")}]`,
    });
  }
  if (documents === undefined) return;
  const ascending = documents.every((end, i) => Number.isInteger(end) && end > (documents[i - 1] ?? 0));
  if (ascending && shape.queries === shape.keys) return;
  throw new InputError({
    where: "documents",
    got: ascending
      ? `${howMany(shape.queries, "query")} and ${howMany(shape.keys, "key")}`
      : `ends ${documents.join(", ")}`,
    expected: ascending ? "as many queries as keys, packed alike" : "ascending integers from 1",
  });
}

function validateLengths(
  name: string,
  lengths: readonly number[] | null,
  batch: number,
  most: number,
  unit: string,
): void {
  if (lengths === null) return;
  if (lengths.length !== batch) {
    throw new InputError({
      where: name,
      got: howMany(lengths.length, "length"),
      expected: `one for each of ${howMany(batch, "batch")}`,
    });
  }
  for (const [b, length] of lengths.entries()) {
    requireInteger(`${name}[${b}]`, length, 0, most, `, the ${unit} in the tensor`);
  }
}

/** Bytes of the operands and of the output, all fp32: what any engine needs at the least. */
export function tensorBytes(shape: AttentionShape): number {
  return 4 * Object.values(tensorShapes(shape)).reduce((sum, sizes) => sum + valuesOf(sizes), 0);
}
