import type { CascadeSource } from "../attention/problem.js";
import type { Cascade } from "../einsum/cascade.js";

/*
 * FuseMax's own cascade, for which there are kernels written by hand (the twin, assembly/, shaders/attention-*.wgsl). They
 * stand for any text that says the same, line by line, in whatever names; the printed program gives the same bits.
 */

/** Its text; that of specs/cascades/attention-1-pass.cascade. */
export const onePassSource: CascadeSource = {
  name: "attention-1-pass",
  text: `inputs: Q[e,p], K[e,m], V[f,m]
ranks: M = M1 * M0
BK[e,m1,m0] = K[e, m1*M0+m0]
BV[f,m1,m0] = V[f, m1*M0+m0]
RM[m1=0, p] = -inf
RD[m1=0, p] = 0
RNV[f, m1=0, p] = 0
BQK[m1,m0,p] = Q[e,p] * BK[e,m1,m0]
LM[m1,p] = BQK[m1,m0,p] :: max(m0)
RM[m1+1,p] = max(RM[m1,p], LM[m1,p])
SLN[m1,m0,p] = exp(BQK[m1,m0,p] - RM[m1+1,p]) @operand
SLD[m1,p] = SLN[m1,m0,p]
SLNV[f,m1,p] = SLN[m1,m0,p] * BV[f,m1,m0]
PRM[m1,p] = exp(RM[m1,p] - RM[m1+1,p]) @factor
SPD[m1,p] = RD[m1,p] * PRM[m1,p] @accumulator
RD[m1+1,p] = SLD[m1,p] + SPD[m1,p]
SPNV[f,m1,p] = RNV[f,m1,p] * PRM[m1,p] @accumulator
RNV[f,m1+1,p] = SLNV[f,m1,p] + SPNV[f,m1,p]
AV[f,p] = RNV[f,M1,p] / RD[M1,p] @accumulator
until: m1 >= M1
`,
};

/** The names that a text of it gives to RM and RD, by their lines. */
export function stateTensors({ einsums }: Cascade): { readonly maximum: string; readonly denominator: string } {
  const [, , maximum, denominator] = einsums;
  return { maximum: maximum?.tensor ?? "", denominator: denominator?.tensor ?? "" };
}

/** The lines of Cascade 5 with its names numbered in the order in which they come. */
const onePass = [
  "v0[v1,v2,v3] = v4[v1,v2*v5+v3]",
  "v6[v7,v2,v3] = v8[v7,v2*v5+v3]",
  "v9[v2=0,v10] = -inf",
  "v11[v2=0,v10] = 0",
  "v12[v7,v2=0,v10] = 0",
  "v13[v2,v3,v10] = v14[v1,v10]*v0[v1,v2,v3]",
  "v15[v2,v10] = v13[v2,v3,v10]::max(v3)",
  "v9[v2+1,v10] = max(v9[v2,v10],v15[v2,v10])",
  "v16[v2,v3,v10] = exp(v13[v2,v3,v10]-v9[v2+1,v10])@operand",
  "v17[v2,v10] = v16[v2,v3,v10]",
  "v18[v7,v2,v10] = v16[v2,v3,v10]*v6[v7,v2,v3]",
  "v19[v2,v10] = exp(v9[v2,v10]-v9[v2+1,v10])@factor",
  "v20[v2,v10] = v11[v2,v10]*v19[v2,v10]@accumulator",
  "v11[v2+1,v10] = v17[v2,v10]+v20[v2,v10]",
  "v21[v7,v2,v10] = v12[v7,v2,v10]*v19[v2,v10]@accumulator",
  "v12[v7,v2+1,v10] = v18[v7,v2,v10]+v21[v7,v2,v10]",
  "v22[v7,v10] = v12[v7,v23,v10]/v11[v23,v10]@accumulator",
].join("\n");

const words = new Set(["max", "min", "exp", "inf", "operand", "accumulator", "factor"]);

/** The lines of a cascade, its names numbered. */
export function structureOf(cascade: Cascade): string {
  const numbers = new Map<string, string>();
  const numbered = (name: string): string => {
    const known = numbers.get(name) ?? `v${numbers.size}`;
    numbers.set(name, known);
    return known;
  };
  return cascade.einsums
    .map(({ text }) => {
      const [left = "", ...right] = text.replace(/\s/g, "").split(/(?<!\[[^\]]*)=/);
      const renamed = (part: string): string =>
        part.replace(/[A-Za-z_]\w*/g, name => (words.has(name) ? name : numbered(name)));
      return `${renamed(left)} = ${renamed(right.join("="))}`;
    })
    .join("\n");
}

const known = new WeakMap<Cascade, boolean>();

/** Whether a cascade is FuseMax's own. */
export function isOnePass(cascade: Cascade): boolean {
  const answer = known.get(cascade) ?? structureOf(cascade) === onePass;
  known.set(cascade, answer);
  return answer;
}
