import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { readTogether, type StreamPlan, streamPlan, type Words } from "../../src/einsum/stream-plan.js";
import { type SeenKeys, trafficBound } from "../../src/einsum/traffic-bound.js";
import { loadCascade } from "../../src/io/cascade-files.js";

const ranks = { streamed: "M", rows: "P" };
const words = ({ tensor, ranks: own }: Words): string => `${tensor}[${own.join()}]`;
/** A plan in a few lines. */
function inWords({ compulsory, streams, crossing, rowState, passes }: StreamPlan): string[] {
  return [
    `${passes}: ${compulsory.map(words).join(" ")}`,
    `streams ${streams.map(s => `${words(s)} in ${s.passes.join("+")}`).join(", ")}`,
    ...crossing.map(tensors => `crossing ${tensors.map(t => `${words(t)} x${t.moves}`).join(", ")}`),
    `rows keep ${rowState.map(words).join(" ")}`,
  ];
}
const planned = (text: string) => inWords(streamPlan(parseCascade(text, "mine"), ranks));

describe("what is streamed", () => {
  it.each([
    [
      "attention-3-pass",
      [
        "3: Q[E,P] AV[F,P]",
        "streams K[E,M] in 1, V[F,M] in 3",
        "crossing QK[M,P] x2",
        "crossing SN[M,P] x2",
        "rows keep Q[E,P] GM[P] SD[P] AV[F,P]",
      ],
    ],
    [
      "attention-1-pass",
      ["1: Q[E,P] AV[F,P]", "streams K[E,M] in 1, V[F,M] in 1", "rows keep Q[E,P] RM[P] RD[P] RNV[F,P]"],
    ],
    [
      "attention-2-pass",
      [
        "2: Q[E,P] AV[F,P]",
        "streams K[E,M] in 1, V[F,M] in 2",
        "crossing SLN[M,P] x2",
        "rows keep Q[E,P] GM[P] SD[P] SNV[F,P]",
      ],
    ],
  ])("of %s", (name, expected) => {
    expect(inWords(streamPlan(loadCascade(name), ranks))).toEqual(expected);
  });

  it.each([
    [
      "S[p] = X[m] * Q[p]\nZ[p] = X[m] * S[p]",
      ["2: Q[P] Z[P]", "streams X[M] in 1+2", "crossing X[M] x0", "rows keep Q[P] S[P] Z[P]"],
    ],
    // With the rows' rank an input is read once; it comes in again where the row is too long to be held.
    [
      "S[p] = X[m,p]\nZ[p] = X[m,p] * S[p]",
      ["2: X[M,P] Z[P]", "streams ", "crossing X[M,P] x1", "rows keep S[P] Z[P]"],
    ],
    // What has neither rank is compulsory, and no row's own.
    ["Z[p] = X[m] * W[p] * C[a]", ["1: W[P] C[A] Z[P]", "streams X[M] in 1", "rows keep W[P] Z[P]"]],
    ["T = X[m]\nZ[p] = T * W[p]", ["1: W[P] Z[P]", "streams X[M] in 1", "rows keep W[P]"]],
    // Running values in place of what is reduced; without the iteration's own rank.
    [
      "inputs: X[m], W[p]\nS[m=0,p] = 0\nS[m+1,p] = S[m,p] + X[m] * W[p]\nR[p] = X[m]\nZ[p] = S[M,p] + R[p]\nuntil: m >= M",
      ["1: W[P] Z[P]", "streams X[M] in 1+1", "rows keep W[P] S[P]"],
    ],
    // What is read at other than its rank's coordinates is streamed over the rank all the same.
    ["Z[p] = X[2*m] * W[p]", ["1: W[P] Z[P]", "streams X[M] in 1", "rows keep W[P] Z[P]"]],
    // A copy is streamed with what it holds.
    [
      "inputs: X[m], W[p]\nC[m] = X[m]\nZ[p] = C[m] * W[p]\nU[p] = X[m] * Z[p]",
      ["2: W[P] U[P]", "streams X[M] in 1+2", "crossing X[M] x0", "rows keep W[P] Z[P] U[P]"],
    ],
  ])("of %j", (text, expected) => expect(planned(text)).toEqual(expected));

  it("has windows, ranks or passes that it cannot have", () => {
    const plan = (text: string) => () => streamPlan(parseCascade(text, "mine"), ranks);
    expect(plan("Z[p] = X[m+p] * W[m]")).toThrow(
      /^mine: got X\[m\+p\], a sliding window; expected indices of one variable, or the parts of/,
    );
    expect(plan("Z[p] = X[p]")).toThrow(/^mine: no rank M; expected one of P$/);
    expect(plan("Z[a,m] = X[a,m]")).toThrow(/^mine: no rank P; expected one of A, M$/);
    const long = (passes: number) =>
      ["S0[p] = X[m] * Q[p]", ...Array.from({ length: passes - 1 }, (_, i) => `S${i + 1}[p] = X[m] * S${i}[p]`)].join(
        "\n",
      );
    expect(streamPlan(parseCascade(long(12)), ranks).passes).toBe(12);
    expect(plan(long(13))).toThrow(/^mine: got 13 passes; expected at most 12$/);
  });

  it("is read together with what it is a part of", () => {
    const plan = streamPlan(loadCascade("attention-3-pass"), ranks);
    expect(inWords(readTogether(plan, "K", "V"))[1]).toBe("streams K[E,M] in 1+3");
    expect(inWords(readTogether(plan, "V", "K"))[1]).toBe("streams V[F,M] in 3+1");
    expect(readTogether(plan, "K", "Q").streams).toEqual(plan.streams);
  });
});

describe("the bound in small cases, by hand", () => {
  const bound = (
    text: string,
    sizes: Readonly<Record<string, number>>,
    buffer: number,
    elementSize?: (tensor: string) => number,
    seen?: SeenKeys,
  ) => trafficBound(streamPlan(parseCascade(text), ranks), rank => sizes[rank] ?? 1, buffer, elementSize, seen);

  const product = "Z[p] = X[m] * W[p] * C[a]";
  it("counts each tensor once where all fits, by its own size", () => {
    const sizes = { M: 5, P: 3, A: 7 };
    expect(bound(product, sizes, 100)).toEqual({
      words: 5 + 3 + 7 + 3,
      compulsoryWords: 18,
      spilled: [],
      rowsPerBlock: 3,
    });
    expect(bound(product, sizes, 100, tensor => (tensor === "X" ? 10 : tensor === "C" ? 100 : 1)).words).toBe(
      50 + 3 + 700 + 3,
    );
  });

  it("reads the stream again for each block of rows: of W and Z a row keeps two words", () => {
    // 12 rows of two words in a buffer of 8, beside it 100 streamed words: at least 12 * 100 * 2 / 8 of them.
    const { words: all, rowsPerBlock, compulsoryWords } = bound(product, { M: 100, P: 12, A: 7 }, 8);
    expect([all, rowsPerBlock, compulsoryWords]).toEqual([12 + 7 + 12 + 300, 4, 100 + 31]);
    // A stream shorter than the buffer: of 10 words 12 rows read at least 10 + 2 - 8 each.
    expect(bound(product, { M: 10, P: 12, A: 7 }, 8).words).toBe(
      31 + Math.max(10, Math.min(12 * 10 * (2 / 8), 12 * 4)),
    );
    // A buffer smaller than a row's own words: every row reads all.
    expect(bound(product, { M: 100, P: 12, A: 7 }, 1).words).toBe(31 + 1200);
  });

  it("leaves out what a mask hides, in rows, keys and points", () => {
    const text = "S[p] = X[m,p]\nZ[p] = X[m,p] * S[p] * Y[m]";
    const seen = { keys: [0, 2, 4], rows: [5, 3, 1], seenKeys: 4 };
    // X: 3 * 2 + 1 * 4 points; Y: 4 keys; Z: 4 rows. A buffer for all.
    expect(bound(text, { M: 9, P: 9 }, 1000, undefined, seen)).toMatchObject({
      words: 10 + 4 + 4,
      compulsoryWords: 18,
    });
  });

  it("spills what has no room, or what of it has none", () => {
    const text = "G[p] = X[m] * Q[p] :: max(m)\nN[m,p] = X[m] * Q[p] * 2\nZ[p] = N[m,p] * G[p]";
    expect(planned(text)[2]).toBe("crossing N[M,P] x2");
    // Spilled: 300 words of N out and in, X once, Q and Z. Held: X once for each row, and what of N has no room.
    const sizes = { M: 100, P: 3 };
    expect(bound(text, sizes, 10)).toMatchObject({ words: 600 + 100 + 6, spilled: ["N"], rowsPerBlock: 3 });
    expect(bound(text, sizes, 60)).toMatchObject({ words: 300 + 2 * 3 * 40 + 6, spilled: [], rowsPerBlock: 1 });
    expect(bound(text, sizes, 400)).toMatchObject({ words: 100 + 6, spilled: [], rowsPerBlock: 3 });
  });
});
