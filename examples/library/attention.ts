/**
 * The library does what `fusemax run` does: emulate attention bit for bit, check it against float64, say its cost.
 *
 *   node dist/examples/library/attention.js
 */
import {
  accountingOf,
  check,
  costOfRun,
  emulate,
  formatArithmetics,
  generateNormal,
  loadDesign,
  noMask,
  sampleRows,
} from "fusemax";
import { chooseEngine, specFiles } from "fusemax/node";

const shape = { batch: 1, heads: 2, kvHeads: 1, queries: 300, keys: 777, headDim: 40, valueDim: 72 };
const tile = { m0: 64, p0: 32 };
const problem = { shape, mask: noMask, tile, arithmetic: formatArithmetics.bf16, scale: 1 / Math.sqrt(shape.headDim) };

// Q [B,H,P,E], K [B,Hkv,M,E] and V [B,Hkv,M,F], row-major; Float64Array where the values are float64.
const inputs = {
  q: generateNormal(0, "q", 2 * 300 * 40),
  k: generateNormal(0, "k", 777 * 40),
  v: generateNormal(0, "v", 777 * 72),
};

const { engine, reason } = await chooseEngine("auto", formatArithmetics.bf16);
const { av, sha256, operands } = await emulate(problem, inputs, { engine });
const error = await check(problem, inputs, operands, av, sampleRows(problem, 64));
// An array of 64 x 32 is not the paper's: its errors are no use here.
const accounting = accountingOf("corrected", undefined);
const cost = costOfRun(loadDesign(specFiles, "fusemax"), shape, tile, problem.mask, { accounting });
await engine.close();

console.log(`engine ${engine.name} (${reason})`);
console.log(`AV of ${av.length} values, sha256 ${sha256}`);
console.log(
  `largest error ${error.maxAbs.toExponential(2)}, 3-pass in bf16 ${error.baseline?.maxAbs.toExponential(2) ?? "unknown"}`,
);
console.log(
  `${Math.round(cost.cycles)} cycles (${cost.accounting} accounting), ${cost.seconds} s, ${cost.dramBytes} bytes of DRAM`,
);
