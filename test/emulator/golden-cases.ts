import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import type { FormatName } from "../../src/numerics/format.js";

/**
 * The contract's bits of whole attentions on generated inputs of seed 0, as digests of AV. They were computed by a C program that shares nothing
 * with this project, written from the contract (docs/numerics.md) alone. The dense case is that of `fusemax run --q-len 300 --kv-len 777
 * --head-dim 40 --value-dim 72 --heads 2 --array 64x32`.
 */
export const goldenCases: readonly (Omit<AttentionProblem, "arithmetic" | "kvSplits"> & {
  readonly what: string;
  readonly sha256: Readonly<Record<FormatName, string>>;
})[] = [
  {
    what: "dense, ragged",
    shape: { batch: 1, heads: 2, kvHeads: 2, queries: 300, keys: 777, headDim: 40, valueDim: 72 },
    mask: noMask,
    tile: { m0: 64, p0: 32 },
    scale: 1 / Math.sqrt(40),
    sha256: {
      bf16: "6f2da8126c3746708cf42ed66ce2b4740d4193972efa4183a751bb49a41da25a",
      "bf16-strict": "923350e76beffa37cc58a1ffb259a5143fa65c0837183d94c438f0d255091020",
      fp16: "a5805debbc7539b8331994730b9bc21e2fd160213357f3fdd53e021be03bf230",
      "fp16-strict": "70cbc9ea279c91fdf5d387b9cb2d0d7deb72ac74f107a0f988578f2b2da760f4",
      fp32: "b825946c4c71c712bb984e2e046a738a4a9f7dca53c7ac3765ed6227d02f135f",
    },
  },
  {
    what: "causal, grouped heads, lengths",
    shape: { batch: 2, heads: 4, kvHeads: 2, queries: 50, keys: 130, headDim: 24, valueDim: 16 },
    mask: { left: -1, right: 0, kvLens: [130, 61], qLens: [50, 40] },
    tile: { m0: 32, p0: 16 },
    scale: 0.3,
    sha256: {
      bf16: "4fd27dc9e194ac172bc0d6176b81852767400ba37a154023fcebaeedec490283",
      "bf16-strict": "b928676410ada46e9cdba4c1daf889facd335e79f624b1da7e3305f1e348015e",
      fp16: "a0ab40e8c45a76a89bde59bbe240466b4d8bbe34014bd7931f5c193404c096f6",
      "fp16-strict": "159d04bb735b670ca1d95fd86f817ee410fa1ad82a8e5b98b6b0c62aab7b2077",
      fp32: "b9339201c9e7395613d732a95b437c2f648169c58b0d69661ad0da8d847f07f9",
    },
  },
  {
    what: "sliding window, more queries than keys",
    shape: { batch: 1, heads: 2, kvHeads: 1, queries: 90, keys: 80, headDim: 17, valueDim: 9 },
    mask: { left: 20, right: 3, kvLens: null, qLens: null },
    tile: { m0: 16, p0: 8 },
    scale: 1,
    sha256: {
      bf16: "5c00c0367d9705ca69e1a3e2c83dcb9ad31aa258a6646d630e9fa4be56e593b8",
      "bf16-strict": "1731e10ac842031e1bde652c9c3873a972093791fbc4db511ad98f941d25d142",
      fp16: "84dd793dc5819f49388f7c031916645117e1762816e8b5a24613968f80de5970",
      "fp16-strict": "601f629fbe8fb234277d56e1189b43dc55d48475e14f2247b3651db3dc898a36",
      fp32: "efdaadd072915b3553e7839aad448c337a3492c7426dc038cb9e77c2aaf3ee5d",
    },
  },
];
