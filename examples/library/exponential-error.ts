/**
 * How far the array's exponential, six multiply-accumulates, is from exp: the table of docs/numerics.md.
 *
 *     node dist/examples/library/exponential-error.js
 */
import { exponentFactor, formats, processingElement } from "fusemax";

const points = 2_000_000;
const factor = exponentFactor(1);
// Below t = -50 the exponential is +0 by definition; that is x = -34.66 at scale 1.
const ranges = [
  [-34.6, 0],
  [-1, 0],
] as const;

for (const name of ["fp32", "bf16-strict", "fp16-strict"] as const) {
  const pe = processingElement(formats[name]);
  for (const [from, to] of ranges) {
    let largest = 0;
    let squares = 0;
    for (let i = 0; i <= points; i += 1) {
      const x = pe.add(from + ((to - from) * i) / points, 0);
      const error = Math.abs(pe.exp(x, factor) / Math.exp(x) - 1);
      largest = Math.max(largest, error);
      squares += error * error;
    }
    const rms = Math.sqrt(squares / points);
    console.log(`${name} on [${from}, ${to}]: largest ${largest.toExponential(1)}, rms ${rms.toExponential(1)}`);
  }
}
