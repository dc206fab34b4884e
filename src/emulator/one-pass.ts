import type { Cascade } from "../einsum/cascade.js";

/*
 * FuseMax's own cascade, for which there are kernels written by hand (the twin, assembly/, shaders/attention-*.wgsl). They
 * stand for any text that says the same, line by line, in whatever names; the printed program gives the same bits.
 */

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
