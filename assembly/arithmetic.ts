// The kernels once for every kind of arithmetic among the contract's five formats, and the choice among them.
import { Bf16, Fp16, Fp32, WideFp16, chainScale } from "./formats";
import { products } from "./products";
import { scoresOfQuery, sumsOfQuery } from "./row-products";
import { softmax } from "./softmax";
import { divide, update } from "./update";

// The order of `formatNames` in src/numerics/format.ts.
const bf16 = 0;
const bf16Strict = 1;
const fp16 = 2;
const fp16Strict = 3;

let format: i32 = 0;
/** c of E2. */
let factor: f32 = 0;

export function configureArithmetic(formatIndex: i32, c: f32): void {
  format = formatIndex;
  factor = c;
}

/** What Q is multiplied by before its products with K; divided out again in the softmax. */
export function queryScale(): f32 {
  if (format == bf16Strict) return chainScale<Bf16>();
  if (format == fp16Strict) return chainScale<Fp16>();
  return 1;
}

/** 16-bit operands, fp32 sums. */
function productsExact(q: usize, p: usize, apart: usize, panels: i32, length: i32, sums: usize, goOn: bool): void {
  products<Bf16, Fp32>(q, p, apart, panels, length, sums, goOn);
}

function productsFp32(q: usize, p: usize, apart: usize, panels: i32, length: i32, sums: usize, goOn: bool): void {
  products<Fp32, Fp32>(q, p, apart, panels, length, sums, goOn);
}

function productsBf16(q: usize, p: usize, apart: usize, panels: i32, length: i32, sums: usize, goOn: bool): void {
  products<Bf16, Bf16>(q, p, apart, panels, length, sums, goOn);
}

function productsFp16(q: usize, p: usize, apart: usize, panels: i32, length: i32, sums: usize, goOn: bool): void {
  products<Fp16, Fp16>(q, p, apart, panels, length, sums, goOn);
}

function productsWideFp16(q: usize, p: usize, apart: usize, panels: i32, length: i32, sums: usize, goOn: bool): void {
  products<Fp16, WideFp16>(q, p, apart, panels, length, sums, goOn);
}

// The chains of printed programs, by their accumulator and operands (src/emulator/wasm/product-sums.ts).
export {
  productsBf16 as chainBf16,
  productsExact as chainExact,
  productsFp16 as chainFp16,
  productsFp32 as chainRounded,
  productsWideFp16 as chainWideFp16,
};

/** What the lanes and sums of chains to bf16 and to fp16 are times. */
export function scaleOfChains(toFp16: bool): f32 {
  return toFp16 ? chainScale<Fp16>() : chainScale<Bf16>();
}

/** Steps 1 and 5 (products.ts). */
export function runProducts(q: usize, p: usize, apart: usize, panels: i32, length: i32, sums: usize, goOn: bool): void {
  if (format == bf16 || format == fp16) productsExact(q, p, apart, panels, length, sums, goOn);
  else if (format == bf16Strict) productsBf16(q, p, apart, panels, length, sums, goOn);
  else if (format == fp16Strict) productsFp16(q, p, apart, panels, length, sums, goOn);
  else productsFp32(q, p, apart, panels, length, sums, goOn);
}

function scoresExact(q: usize, keys: usize, count: i32, width: i32, scores: usize): void {
  scoresOfQuery<Bf16, Fp32>(q, keys, count, width, scores);
}

function scoresFp32(q: usize, keys: usize, count: i32, width: i32, scores: usize): void {
  scoresOfQuery<Fp32, Fp32>(q, keys, count, width, scores);
}

function scoresBf16(q: usize, keys: usize, count: i32, width: i32, scores: usize): void {
  scoresOfQuery<Bf16, Bf16>(q, keys, count, width, scores);
}

function scoresFp16(q: usize, keys: usize, count: i32, width: i32, scores: usize): void {
  scoresOfQuery<Fp16, Fp16>(q, keys, count, width, scores);
}

/** Step 1 of one query (row-products.ts). */
export function runScoresOfQuery(q: usize, keys: usize, count: i32, width: i32, scores: usize): void {
  if (format == bf16 || format == fp16) scoresExact(q, keys, count, width, scores);
  else if (format == bf16Strict) scoresBf16(q, keys, count, width, scores);
  else if (format == fp16Strict) scoresFp16(q, keys, count, width, scores);
  else scoresFp32(q, keys, count, width, scores);
}

function sumsExact(n: usize, values: usize, count: i32, width: i32, sums: usize, goOn: bool): void {
  sumsOfQuery<Bf16, Fp32>(n, values, count, width, sums, goOn);
}

function sumsFp32(n: usize, values: usize, count: i32, width: i32, sums: usize, goOn: bool): void {
  sumsOfQuery<Fp32, Fp32>(n, values, count, width, sums, goOn);
}

function sumsBf16(n: usize, values: usize, count: i32, width: i32, sums: usize, goOn: bool): void {
  sumsOfQuery<Bf16, Bf16>(n, values, count, width, sums, goOn);
}

function sumsFp16(n: usize, values: usize, count: i32, width: i32, sums: usize, goOn: bool): void {
  sumsOfQuery<Fp16, Fp16>(n, values, count, width, sums, goOn);
}

/** Step 5 of one query (row-products.ts). */
export function runSumsOfQuery(n: usize, values: usize, count: i32, width: i32, sums: usize, goOn: bool): void {
  if (format == bf16 || format == fp16) sumsExact(n, values, count, width, sums, goOn);
  else if (format == bf16Strict) sumsBf16(n, values, count, width, sums, goOn);
  else if (format == fp16Strict) sumsFp16(n, values, count, width, sums, goOn);
  else sumsFp32(n, values, count, width, sums, goOn);
}

function softmaxBf16(scores: usize, state: usize): void {
  softmax<Bf16, Fp32>(scores, state, factor);
}

function softmaxBf16Strict(scores: usize, state: usize): void {
  softmax<Bf16, Bf16>(scores, state, factor);
}

function softmaxFp16(scores: usize, state: usize): void {
  softmax<Fp16, Fp32>(scores, state, factor);
}

function softmaxFp16Strict(scores: usize, state: usize): void {
  softmax<Fp16, Fp16>(scores, state, factor);
}

function softmaxFp32(scores: usize, state: usize): void {
  softmax<Fp32, Fp32>(scores, state, factor);
}

/** Steps 2 to 4 (softmax.ts). */
export function runSoftmax(scores: usize, state: usize): void {
  if (format == bf16) softmaxBf16(scores, state);
  else if (format == bf16Strict) softmaxBf16Strict(scores, state);
  else if (format == fp16) softmaxFp16(scores, state);
  else if (format == fp16Strict) softmaxFp16Strict(scores, state);
  else softmaxFp32(scores, state);
}

/** Steps 6 and 7 (update.ts). */
export function runUpdate(state: usize, outputs: usize, sums: usize, features: i32): void {
  if (format == bf16Strict) update<Bf16>(state, outputs, sums, features);
  else if (format == fp16Strict) update<Fp16>(state, outputs, sums, features);
  else update<Fp32>(state, outputs, sums, features);
}

/** The division at the end (update.ts). */
export function runDivide(state: usize, outputs: usize, features: i32): void {
  if (format == bf16Strict) divide<Bf16>(state, outputs, features);
  else if (format == fp16Strict) divide<Fp16>(state, outputs, features);
  else divide<Fp32>(state, outputs, features);
}
