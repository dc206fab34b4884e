import fc from "fast-check";
import { expect, it } from "vitest";
import { type MappedEinsum, observeNest } from "../../src/emulator/observe-nest.js";
import { wordsAcross } from "../../src/model/loop-nest.js";
import type { NestTensor } from "../../src/model/nest.js";
import { modelNest, randomNests } from "./random-nest.js";

/** The nest with one more memory, without loops, right within a fan-out: it keeps every tensor. */
function withMemory(einsum: MappedEinsum, fanout: number): MappedEinsum {
  const moved = (level: number): number => (level > fanout ? level + 1 : level);
  return {
    ...einsum,
    levels: einsum.levels.toSpliced(fanout + 1, 0, { name: "within", instances: undefined }),
    loops: einsum.loops.map(loop => ({ ...loop, level: moved(loop.level) })),
    tensors: einsum.tensors.map(tensor => ({
      ...tensor,
      kept: [...tensor.kept.map(moved), fanout + 1].sort((a, b) => a - b),
    })),
  };
}

it("law: words across a fan-out are those that memories right within it would pass on, and for sums be sent", () => {
  let crossed = 0;
  fc.assert(
    fc.property(randomNests({ ranks: 3, size: 6, levels: 5 }), fc.nat(3), (einsum, which) => {
      const fanouts = [...einsum.levels.keys()].filter(level => einsum.levels[level]?.instances !== undefined);
      const fanout = fanouts[which % Math.max(1, fanouts.length)];
      if (fanout === undefined) return;
      const { shape, ranks, kept } = modelNest(einsum);
      const counts = Object.assign(
        ranks.map(({ table }) => table),
        { alone: ranks },
      );
      const { accesses } = observeNest(withMemory(einsum, fanout));
      shape.tensors.forEach((tensor: NestTensor, t) => {
        const inner = kept[t]?.find(level => level > fanout);
        const { reads = 0, updates = 0 } = accesses[tensor.name]?.["within"] ?? {};
        expect(wordsAcross(shape, counts, tensor, fanout, inner)).toBe(reads + updates);
        crossed += 1;
      });
    }),
    { numRuns: 120 },
  );
  expect(crossed).toBeGreaterThan(10);
});
