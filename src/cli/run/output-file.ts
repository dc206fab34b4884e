import { piecesInLayout } from "../../attention/layout.js";
import type { TensorShape } from "../../attention/shape.js";
import { type TensorFileKind, tensorFile } from "../../io/tensor-file.js";
import { type FileLayout, outputSizes } from "./input-layout.js";

/**
 * AV [B,H,P,F] as a file of fp32 in a layout, part by part.
 * @param arithmetic the name of what it is computed in
 * @param rows the values of rows [from, to), numbered (b * H + h) * P + p
 */
export const outputFile = (
  kind: TensorFileKind,
  sizes: TensorShape,
  arithmetic: string,
  rows: (from: number, to: number) => Float32Array,
  file: FileLayout,
): Iterable<ArrayBufferView> =>
  tensorFile(
    kind,
    { name: "av", shape: outputSizes(file, sizes) },
    { type: "F32", pieces: piecesInLayout(file.layout, sizes, rows) },
    { format: arithmetic },
  );
