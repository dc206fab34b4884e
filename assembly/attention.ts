// The exports: each kernel once for every accumulator (softmax also for every operand) of the contract's five formats.
// All take addresses in the module's one memory, which src/emulator/wasm/memory.ts lays out.
import { Bf16, Fp16, Fp32 } from "./formats";
import { products } from "./products";
import { softmax } from "./softmax";
import { divide, update } from "./update";

export { columnsToPanels, lanesToRows, rowsToLanes, rowsToPanels } from "./layout";

export function productsFp32(
  queries: usize,
  panels: usize,
  panelBytes: usize,
  panelCount: i32,
  length: i32,
  sums: usize,
  goOn: bool,
): void {
  products<Fp32>(queries, panels, panelBytes, panelCount, length, sums, goOn);
}

export function updateFp32(state: usize, outputs: usize, sums: usize, features: i32): void {
  update<Fp32>(state, outputs, sums, features);
  update<Fp32>(state + 16, outputs + 16, sums + 16, features);
}

export function divideFp32(state: usize, outputs: usize, features: i32): void {
  divide<Fp32>(state, outputs, features);
  divide<Fp32>(state + 16, outputs + 16, features);
}

export function productsBf16(
  queries: usize,
  panels: usize,
  panelBytes: usize,
  panelCount: i32,
  length: i32,
  sums: usize,
  goOn: bool,
): void {
  products<Bf16>(queries, panels, panelBytes, panelCount, length, sums, goOn);
}

export function updateBf16(state: usize, outputs: usize, sums: usize, features: i32): void {
  update<Bf16>(state, outputs, sums, features);
  update<Bf16>(state + 16, outputs + 16, sums + 16, features);
}

export function divideBf16(state: usize, outputs: usize, features: i32): void {
  divide<Bf16>(state, outputs, features);
  divide<Bf16>(state + 16, outputs + 16, features);
}

export function productsFp16(
  queries: usize,
  panels: usize,
  panelBytes: usize,
  panelCount: i32,
  length: i32,
  sums: usize,
  goOn: bool,
): void {
  products<Fp16>(queries, panels, panelBytes, panelCount, length, sums, goOn);
}

export function updateFp16(state: usize, outputs: usize, sums: usize, features: i32): void {
  update<Fp16>(state, outputs, sums, features);
  update<Fp16>(state + 16, outputs + 16, sums + 16, features);
}

export function divideFp16(state: usize, outputs: usize, features: i32): void {
  divide<Fp16>(state, outputs, features);
  divide<Fp16>(state + 16, outputs + 16, features);
}

export function softmaxBf16(scores: usize, begin: i32, end: i32, partial: bool, state: usize, factor: f32): void {
  softmax<Bf16, Fp32>(scores, begin, end, partial, state, factor);
  softmax<Bf16, Fp32>(scores + 16, begin, end, partial, state + 16, factor);
}

export function softmaxBf16Strict(scores: usize, begin: i32, end: i32, partial: bool, state: usize, factor: f32): void {
  softmax<Bf16, Bf16>(scores, begin, end, partial, state, factor);
  softmax<Bf16, Bf16>(scores + 16, begin, end, partial, state + 16, factor);
}

export function softmaxFp16(scores: usize, begin: i32, end: i32, partial: bool, state: usize, factor: f32): void {
  softmax<Fp16, Fp32>(scores, begin, end, partial, state, factor);
  softmax<Fp16, Fp32>(scores + 16, begin, end, partial, state + 16, factor);
}

export function softmaxFp16Strict(scores: usize, begin: i32, end: i32, partial: bool, state: usize, factor: f32): void {
  softmax<Fp16, Fp16>(scores, begin, end, partial, state, factor);
  softmax<Fp16, Fp16>(scores + 16, begin, end, partial, state + 16, factor);
}

export function softmaxFp32(scores: usize, begin: i32, end: i32, partial: bool, state: usize, factor: f32): void {
  softmax<Fp32, Fp32>(scores, begin, end, partial, state, factor);
  softmax<Fp32, Fp32>(scores + 16, begin, end, partial, state + 16, factor);
}
