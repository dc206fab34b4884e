import { InputError } from "../../errors.js";
import type { ElementType } from "../../io/element-types.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { coordinatesOf } from "../../numerics/coordinates.js";
import { roundBf16, roundFp16 } from "../../numerics/rounding.js";
import type { ComparedOutput, Tolerance } from "../../report/onnx-comparison.js";

/** An output as it was computed, row-major. */
export interface ComputedOutput {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/**
 * How near an output must come, by its type. Of float16: the defaults of ONNX's own backend tests, of which bfloat16, with
 * eight times the error of a rounding, has eight times the relative part. Of fp32 and wider: 1e-5, some times what an
 * exponential of relative error 2e-6 leaves.
 */
export function toleranceOf(type: ElementType): Tolerance {
  if (type === "F16") return { absolute: 1e-7, relative: 1e-3 };
  return type === "BF16" ? { absolute: 1e-7, relative: 8e-3 } : { absolute: 1e-5, relative: 1e-5 };
}

/** What the output's own type leaves of a value. */
function rounderOf(type: ElementType): (x: number) => number {
  if (type === "F16") return roundFp16;
  return type === "BF16" ? roundBf16 : x => x;
}

/** Compares an output with the one that test data expect. @throws InputError where their shapes differ */
export async function compareOutput(
  name: string,
  computed: ComputedOutput,
  expected: StoredTensor,
  tolerance = toleranceOf(expected.dtype),
): Promise<ComparedOutput> {
  const { shape } = computed;
  if (String(shape) !== String(expected.shape)) {
    throw new InputError({
      where: expected.where,
      got: `shape [${expected.shape.join(", ")}]`,
      expected: `[${shape.join(", ")}], the shape of ${name}`,
    });
  }
  const wanted = await expected.load();
  const round = rounderOf(expected.dtype);
  let maxAbs = 0;
  let beyond = 0;
  let worst = { index: -1, excess: Number.NEGATIVE_INFINITY };
  for (let i = 0; i < wanted.length; i += 1) {
    const want = wanted[i] as number;
    const difference = distance(round(computed.values[i] as number), want);
    const excess = difference - tolerance.absolute - tolerance.relative * (Number.isFinite(want) ? Math.abs(want) : 0);
    if (excess > 0) beyond += 1;
    if (difference > maxAbs && Number.isFinite(difference)) maxAbs = difference;
    if (excess > worst.excess) worst = { index: i, excess };
  }
  const { index } = worst;
  return {
    name,
    shape,
    maxAbs,
    tolerance,
    beyond,
    worst:
      index < 0
        ? null
        : {
            at: coordinatesOf(shape, index),
            got: shownValue(round(computed.values[index] as number)),
            expected: shownValue(wanted[index] as number),
          },
  };
}

const shownValue = (x: number): number | string => (Number.isFinite(x) ? x : String(x));

/** 0 for the same infinity and for two that are no numbers; infinite for one of them beside a number. */
function distance(a: number, b: number): number {
  if (Object.is(a, b)) return 0;
  const difference = Math.abs(a - b);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}
