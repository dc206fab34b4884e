import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { compareCascades } from "../../src/einsum/equal.js";
import { evaluateCascade } from "../../src/einsum/evaluate.js";
import { formatAccess } from "../../src/einsum/format-einsum.js";
import { formatExpression } from "../../src/einsum/format-expression.js";
import { passesOver } from "../../src/einsum/passes.js";
import { solveShape } from "../../src/einsum/shape.js";
import { streamPlan } from "../../src/einsum/stream-plan.js";
import { architectureSchema } from "../../src/spec/architecture.js";
import { completeMapping } from "../../src/spec/complete-mapping.js";
import { readDocument } from "../../src/spec/document.js";
import { writtenMappingSchema } from "../../src/spec/mapping.js";

const values = (n: number, seed: number): number[] =>
  Array.from({ length: n }, (_, i) => ((i * 37 + seed * 11) % 19) - 9);

describe("sliding windows", () => {
  const small = fc.integer({ min: 1, max: 4 });

  it("law: a strided, dilated convolution is the direct one, to the bit", () => {
    fc.assert(
      fc.property(small, small, small, small, small, small, (P, Q, R, S, stride, dilation) => {
        const [H, W] = [(P - 1) * stride + (R - 1) * dilation + 1, Q + S - 1];
        const [image, filter] = [values(H * W, 1), values(R * S, 2)];
        const text = `O[p,q] = I[H: p*${stride} + ${dilation}*r, W: q+s] * F[r,s]`;
        const inputs = { I: { shape: [H, W], data: image }, F: { shape: [R, S], data: filter } };
        const { tensors } = evaluateCascade(parseCascade(text), inputs);
        const direct = Array.from({ length: P * Q }, (_, at) => {
          const [p, q] = [Math.floor(at / Q), at % Q];
          let sum = 0;
          for (let r = 0; r < R; r += 1)
            for (let s = 0; s < S; s += 1)
              sum += (image[(p * stride + r * dilation) * W + q + s] ?? Number.NaN) * (filter[r * S + s] ?? Number.NaN);
          return sum;
        });
        // Whole numbers: exact in any order.
        expect([...(tensors.get("O")?.data ?? [])]).toEqual(direct);
      }),
      { numRuns: 60 },
    );
  });

  it("law: windows over an input that no list names fill it, the one that ends first", () => {
    const sizes = (text: string, length: number): number | undefined => {
      const inputs = { I: { shape: [length], data: values(length, 1) }, F: { shape: [3], data: values(3, 2) } };
      return evaluateCascade(parseCascade(text), inputs).tensors.get("O")?.shape[0];
    };
    fc.assert(
      fc.property(fc.integer({ min: 13, max: 30 }), small, small, (length, stride, dilation) => {
        const filled = Math.floor((length - 1 - 2 * dilation) / stride) + 1;
        const window = `p*${stride} + r*${dilation}`;
        const text = `O[p] = I[${window}] * F[r]`;
        expect(sizes(text, length)).toBe(filled);
        expect(sizes(`inputs: I[w], F[r]\n${text}`, length)).toBe(filled);
        expect(sizes(`O[p] = I[${window}] * I[${window} + 1] * F[r]`, length)).toBe(
          Math.floor((length - 2 - 2 * dilation) / stride) + 1,
        );
      }),
      { numRuns: 20 },
    );
  });

  it("law: what is printed is read as the same", () => {
    const shapes = ["p*2+r", "H: p*2+r", "2*(p+r)", "(p+2*r)*3+1", "p*G+r", "H: p", "p*(G+1)+r*2", "m1*M0+m0"];
    for (const index of shapes) {
      const text = `ranks: M = M1 * M0\nO = I[${index}]`;
      const print = (line: string): string => {
        const [einsum] = parseCascade(line).einsums;
        return einsum === undefined
          ? ""
          : `${formatAccess(einsum.tensor, einsum.indices)} = ${formatExpression(einsum.right)}`;
      };
      const once = print(text);
      expect(print(`ranks: M = M1 * M0\n${once}`)).toBe(once);
    }
  });

  const read = (text: string) => parseCascade(text).einsums.at(-1)?.reads[0]?.indices[0];

  it("tells windows from the parts of a split rank", () => {
    expect(read("O[p] = I[p*2+r] * F[r]")?.window).toBe(true);
    expect(read("O[p] = I[p+r] * F[r]")?.window).toBe(true);
    expect(read("O[p] = I[p*G+r] * F[r]")?.window).toBe(true);
    expect(read("ranks: M = M1 * M0\nO[m1,m0] = I[m1*M0+m0]")?.window).toBeUndefined();
    expect(read("O[m1,m0] = I[m1*M0+m0]")?.window).toBeUndefined();
    expect(read("ranks: R = 2\nO[p,r] = I[p*2+r]")?.window).toBeUndefined();
    expect(read("O[p] = I[2*p+1]")?.window).toBeUndefined();
    expect(read("O[p] = I[p*2+r*2] * F[r]")?.window).toBe(true);
    expect(read("ranks: R = 3\nO[p] = I[p*2+r] * F[r]")?.window).toBe(true);
    expect(read("O[p,g] = I[p*G+r] * F[r,g]")?.window).toBeUndefined();
  });

  it("takes a name without capitals for a size where it only ever scales a variable", () => {
    const cascade = parseCascade("O[z,u,x,y] = I[z, c, g * x + r, g * y + s] * F[u,c,r,s]");
    expect(cascade.einsums[0]?.reduced).toEqual(["c", "r", "s"]);
    const sizes = solveShape(cascade, { Z: 1, U: 1, X: 3, Y: 2, C: 1, R: 2, S: 2, G: 3 });
    expect(sizes.get("G")).toBe(3);
  });

  it("works out sizes: a tensor is as long as its windows reach, and a window fills its tensor", () => {
    const two = parseCascade("T[p0] = I[H: p0*2+r0] * F[r0]\nO[p1] = T[P0: p1+r1] * G[r1]");
    const reached = solveShape(two, { P1: 4, R1: 3, R0: 3 });
    expect([reached.get("P0"), reached.get("H")]).toEqual([6, 13]);
    const filled = solveShape(two, { H: 14, R0: 3, R1: 3 });
    expect([filled.get("P0"), filled.get("P1")]).toEqual([6, 4]);
    expect(() => solveShape(two, { P0: 5, P1: 4, R1: 3 })).toThrow(
      /got P0 = 5, of which T\[P0: p1\+r1\] reads 6 coordinates; expected windows within the tensor/,
    );
    expect(() => solveShape(parseCascade("O[p] = I[p+r-1] * F[r]"), { P: 2, R: 2 })).toThrow(
      /I\[p\+r-1\], which begins at coordinate -1; expected windows within the tensor/,
    );
  });

  it("law: a window is its own copy read along both ranks", () => {
    const window = parseCascade("inputs: A[w], F[r]\nO[p] = A[p*2+r] * F[r]");
    const copied = parseCascade("inputs: A[w], F[r]\nB[p,r] = A[p*2+r]\nO[p] = B[p,r] * F[r]");
    expect(compareCascades(window, copied).equal).toBe(true);
  });

  it("takes one pass over each of its ranks", () => {
    const cascade = parseCascade("O[p] = I[H: p*2+r] * F[r]");
    for (const name of ["p", "r"]) expect(passesOver(cascade, cascade.ranks.ofVariable(name)).passes).toBe(1);
  });

  it("RANK: ties names as one place of a tensor does, and has to be that place", () => {
    const cascade = parseCascade("K[b,m,e] = X[b,m,d] * W[e,d]\nY[b,p] = K[b, M: p, E: f] * Q[b,f]");
    expect(cascade.ranks.byName("P")?.name).toBe(cascade.ranks.byName("M")?.name);
    expect(cascade.ranks.byName("F")?.name).toBe(cascade.ranks.byName("E")?.name);
    expect(() => parseCascade("T[h,w] = A[h,w]\nZ[p] = T[W: p, H: p+r] * F[r]")).toThrow(
      /:2:10: got the rank W at place 1 of T; expected H, as line 1 has it there/,
    );
    // A filter on a size is a filter still.
    expect(parseCascade("Z = A[K-1] * B[k: k<=3]").einsums[0]?.filters.length).toBe(1);
  });

  it.each([
    ["O[p] = I[(p+r]", /:1:14: got "\]"; expected "\)" to close "\("/],
    ["O[p] = I[(p+r)*q]", /got "q"; expected at most one rank variable in a product/],
    ["O[p] = I[q*(p+r)]", /got rank variables times a rank variable/],
    ["O[p*2+r] = I[p,r]", /got this coordinate on the left of O/],
    ["O[p] = I[H: ]", /got "\]"; expected a rank variable, a rank's size or a number/],
    ["O[p] = I[a*b+p]", /at most one rank variable in a product/],
  ])("refuses %s", (text, message) => expect(() => parseCascade(text)).toThrow(message));

  it("comes to the mapping as its ranks and their strides, and is refused by name in the traffic bound", () => {
    const cascade = parseCascade("O[p] = I[H: p*2+r] * F[r]", "conv.cascade");
    const architecture = `{name: a, source: s, technology: 45nm, frequencyHz: 1e9, wordBits: 16, parameters: {}, levels: {d: {kind: dram, bytesPerSecond: 1e9}, r: {kind: registers, within: d, depth: 9}}, arrays: {u: {at: r, operations: {mac: 1}}}}`;
    const mapping = `{name: m, source: s, einsums: {O: {array: u, loops: {d: [P, R]}, keep: {d: [I, F, O], r: [I, F, O]}}}}`;
    const { data } = completeMapping(
      readDocument({ file: "m.yaml", text: mapping }, writtenMappingSchema),
      cascade,
      readDocument({ file: "a.yaml", text: architecture }, architectureSchema),
    ).mapping;
    const window = [
      { rank: "P", stride: 2 },
      { rank: "R", stride: 1 },
    ];
    expect(data.einsums["O"]).toMatchObject({ windows: { I: [window] } });
    expect(() => streamPlan(cascade, { streamed: "P", rows: "R" })).toThrow(/got I\[H: p\*2\+r\], a sliding window/);
  });
});
