import type { Evaluation } from "../model/evaluate.js";

const names = { q: "Q", k: "K", v: "V", p: "P", accumulator: "sums", output: "output" } as const;

/** Bits of elements in words, those that are alike together: `16 bits of Q, K, V, P, output; 32 of sums`. */
export function elementBitsText(bits: NonNullable<Evaluation["elementBits"]>): string {
  const byBits = new Map<string, string[]>();
  for (const role of ["q", "k", "v", "p", "accumulator", "output"] as const) {
    const own = String(Number(bits[role].toPrecision(5)));
    byBits.set(own, [...(byBits.get(own) ?? []), names[role]]);
  }
  return [...byBits].map(([own, of], i) => `${own}${i === 0 ? " bits" : ""} of ${of.join(", ")}`).join("; ");
}
