import { textTable } from "./table.js";

/** How far apart a value and an expected one may be: absolute + relative * |expected|. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** An output of a model beside the one that its test data expect. */
export interface ComparedOutput {
  readonly name: string;
  readonly shape: readonly number[];
  /** The largest difference of two finite values; one that is infinite or no number where the other is not counts as beyond. */
  readonly maxAbs: number;
  readonly tolerance: Tolerance;
  /** How many values are further apart than that. */
  readonly beyond: number;
  /** The value that is furthest beyond its tolerance, or nearest to it; null where there are no values. */
  readonly worst: {
    readonly at: readonly number[];
    readonly got: number | string;
    readonly expected: number | string;
  } | null;
}

/** What a model of ONNX gave beside its test data. */
export interface OnnxComparison {
  readonly model: string;
  readonly opset: number;
  /** The folder of test data. */
  readonly data: string;
  readonly outputs: readonly ComparedOutput[];
  /** Outputs of the model that the test data do not have. */
  readonly notCompared: readonly string[];
}

/** Whether every output is within its tolerance. */
export const agrees = ({ outputs }: OnnxComparison): boolean => outputs.every(({ beyond }) => beyond === 0);

/** The comparison as lines of text. */
export function onnxText({ model, opset, data, outputs, notCompared }: OnnxComparison): readonly string[] {
  const table = textTable({
    columns: ["output", "shape", "max", "allowed", "beyond it"],
    rows: outputs.map(({ name, shape, maxAbs, tolerance, beyond }) => [
      name,
      `[${shape.join(", ")}]`,
      maxAbs.toExponential(2),
      `${tolerance.absolute} + ${tolerance.relative} x |expected|`,
      `${beyond} of ${shape.reduce((product, size) => product * size, 1)}`,
    ]),
  });
  return [
    `Outputs of ${model} (opset ${opset}) against ${data}`,
    ...table.split("\n").map(line => `  ${line}`),
    ...outputs.flatMap(({ name, worst, beyond }) =>
      worst === null || beyond === 0
        ? []
        : [`  ${name}[${worst.at.join(", ")}] is ${worst.got}, expected ${worst.expected}`],
    ),
    ...(notCompared.length === 0 ? [] : [`  not in the test data: ${notCompared.join(", ")}`]),
  ];
}
