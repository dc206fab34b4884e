const path = file => `src/model/${file}.ts`;
const slower = "the general way finds the same, later";
const walked = "a walk, which is exact, where closed forms would do";

/** More mutants of src/model that compute the same in every case; the form of an entry is equivalent.mjs's. */
export const model = [
  {
    file: path("masked-visits"),
    line: "return new MaskedWalk(shape, ranksAlone, coupled, region, 0, 0, subset).touched(temporal);",
    changes: ["0 → 0 + 1 #1", "0 → 0 - 1 #1", "0 → 0 - 1 #2"],
    reason: "no loop is outside of DRAM, of a tensor or not",
  },
  {
    file: path("masked-visits"),
    line: "let stride = 1;",
    changes: ["1 → 1 + 1"],
    reason: "the numbers of all tiles times two",
  },
  {
    file: path("masked-visits"),
    line: "loop => loop.level < this.level && this.shape.levels[loop.level]?.spatial === true && this.isWanted(loop.bit),",
    changes: ["loop.level < this.level → (loop.level) <= (this.level)"],
    reason: "asked of memories, never of a fan-out itself",
  },
  {
    file: path("masked-visits"),
    line: "const isOne = this.sequences.length === 1 || this.sides[0] === undefined || batches.length === 1;",
    changes: ["1 → 1 - 1 #1", "1 → 1 - 1 #2"],
    reason: slower,
  },
  {
    file: path("masked-visits"),
    line: "return isOne && this.chunks.every(({ starts }) => starts.length === 1);",
    changes: ["1 → 1 - 1"],
    reason: slower,
  },
  {
    file: path("visible-blocks"),
    line: "if (keys === 0) visit(0);",
    changes: ["0 → 0 + 1 #2", "0 → 0 - 1 #2"],
    reason: "a tile of any number, where the keys are not cut",
  },
  {
    file: path("visible-blocks"),
    line: "const finer = step > 1 && rows * words <= mostWordsKept ? bitsOfBlocks(bits, group, rows, 1, words) : undefined;",
    changes: [
      "1 → 1 + 1 #1",
      "rows * words <= mostWordsKept → (rows * words) < (mostWordsKept)",
      "rows * words <= mostWordsKept → (rows * words) > (mostWordsKept)",
      "step > 1 && rows * words <= mostWordsKept ? bitsOfBlocks(bits, group, rows, 1, words) : undefined → undefined",
    ],
    reason: "what single rows see, put together from what is remembered or anew",
  },
  {
    file: path("visible-blocks"),
    line: "finer === undefined ? bits.word(row, w, group) : (finer[row * words + w] as number);",
    changes: [
      "finer === undefined ? bits.word(row, w, group) : (finer[row * words + w] as number) → bits.word(row, w, group)",
    ],
    reason: "what single rows see, put together from what is remembered or anew",
  },
  {
    file: path("visible-blocks"),
    line: "if (next > 32 * w) word &= ~((1 << (next - 32 * w)) - 1);",
    changes: ["next > 32 * w → (next) >= (32 * w)"],
    reason: "no bit is below the first",
  },
  {
    file: path("visible-blocks"),
    line: "const step = rowsAtOnce === 0 ? Math.max(1, rows) : rowsAtOnce;",
    changes: ["1 → 1 + 1"],
    reason: "one block of all rows either way",
  },
  {
    file: path("masked-visits"),
    line: "chunks.part = part + 1;",
    changes: ["1 → 1 + 1 #1"],
    reason: "the parts that are passed over are shared too, or inside",
  },
  {
    file: path("masked-visits"),
    line: 'const isLast = !Array.from(bounds).some((_, p) => p > part && ["time", "memory"].includes(this.kindOf(rank, p)));',
    changes: [
      'p > part && ["time", "memory"].includes(this.kindOf(rank, p)) → (p > part) || (["time", "memory"].includes(this.kindOf(rank, p)))',
    ],
    reason: "instances that share a memory one by one, where they could be taken as one stretch",
  },
  {
    file: path("masked-visits"),
    line: 'if (side === 2 && i === this.steps.length - 1 && this.kindOf(rank, part + 1) === "inside") {',
    changes: [
      "2 → 2 + 1",
      "1 → 1 - 1 #1",
      "1 → 1 - 1 #2",
      "this.steps.length - 1 → (this.steps.length) + (1)",
      "part + 1 → (part) - (1)",
    ],
    reason: slower,
  },
  {
    file: path("masked-visits"),
    line: "side === 0 && chunk === 1 && iteration > 0 && before.starts.every(start => isAlike(start + iteration));",
    changes: ["0 → 0 - 1 #1", "1 → 1 - 1", "0 → 0 + 1 #2"],
    reason: slower,
  },
  {
    file: path("masked-visits"),
    line: "if (!again) stretch = this.enter(rank) && this.seesSomething() ? this.from(i + 1) : undefined;",
    changes: ["this.enter(rank) && this.seesSomething() → (this.enter(rank)) || (this.seesSomething())"],
    reason: "a walk into loops in which nothing is seen finds nothing",
  },
  {
    file: path("loop-nest"),
    line: "if (product <= exactLimit) return product;",
    changes: ["product <= exactLimit → (product) < (exactLimit)"],
    reason: "a product of just 2^53 is exact either way",
  },
  {
    file: path("loop-nest"),
    line: "left -= 1;",
    changes: ["left -= 1 → (left) += (1)"],
    reason: "the busiest instance's share of all times the instances is 1 or more, but for the last place of a float64",
  },
  {
    file: path("loop-nest"),
    line: "share = left === 0 ? 1 : Math.min(1, share * busyInstances(shape, counts, dealt.loops, size));",
    changes: [
      "left === 0 ? 1 : Math.min(1, share * busyInstances(shape, counts, dealt.loops, size)) → Math.min(1, share * busyInstances(shape, counts, dealt.loops, size))",
    ],
    reason: "the busiest instance's share of all times the instances is 1 or more, but for the last place of a float64",
  },
  {
    file: path("loop-nest"),
    line: "const dealt = (shape.spread ?? []).reduce((mask, { level, loops }) => (level < into ? mask | loops : mask), 0);",
    changes: ["level < into → (level) <= (into)"],
    reason: "asked of memories, never of a fan-out itself",
  },
  {
    file: path("loop-nest"),
    line: "return uneven && ((moves >>> shift) & ((1 << parts) - 1)) !== 0;",
    changes: [
      "1 → 1 + 1 #1",
      "1 << parts → (1) >> (parts)",
      "uneven && ((moves >>> shift) & ((1 << parts) - 1)) !== 0 → (uneven) || (((moves >>> shift) & ((1 << parts) - 1)) !== 0)",
    ],
    reason: walked,
  },
  {
    file: path("loop-nest"),
    line: "if (alone !== undefined && uneven === true) return visitedWords(shape, alone, moves, into, tile | more);",
    changes: ["alone !== undefined && uneven === true → (alone !== undefined) || (uneven === true)"],
    reason: walked,
  },
  {
    file: path("element-roles"),
    line: "const einsum = writer === null ? undefined : cascade.einsums[writer];",
    changes: ["writer === null ? undefined : cascade.einsums[writer] → cascade.einsums[writer]"],
    reason: "a list has nothing at null",
  },
  {
    file: path("coupled-counts"),
    line: "whole: bits === 0 || bits === (1 << (last + 1)) - 1 - ((1 << first) - 1),",
    changes: ["0 → 0 + 1", "0 → 0 - 1"],
    reason: "a side without loops is one box, which bounds it by itself",
  },
  {
    file: path("masked-counts"),
    line: "return !movesAlways && outside.slice(0, last).some(loop => (relevant & (1 << loop.bit)) === 0);",
    changes: [
      "outside.slice(0, last) → outside",
      "!movesAlways && outside.slice(0, last).some(loop => (relevant & (1 << loop.bit)) === 0) → (!movesAlways) || (outside.slice(0, last).some(loop => (relevant & (1 << loop.bit)) === 0))",
    ],
    reason: walked,
  },
  {
    file: path("partition"),
    line: "size: 0,",
    reason: "set before it is read",
  },
  {
    file: path("partition"),
    line: "if (size > chunk && size < 2 * chunk && spatial >>> (part + 1) !== 0) iterating[part] = stillAndIterates;",
    changes: [
      "size > chunk → (size) >= (chunk)",
      "size < 2 * chunk → (size) <= (2 * chunk)",
      "2 → 2 + 1",
      "1 → 1 - 1",
      "part + 1 → (part) - (1)",
    ],
    reason: walked,
  },
  {
    file: path("touched-points"),
    line: "const last = tile.most === 1 ? Math.min(1, size) : size;",
    changes: ["1 → 1 - 1 #1", "1 → 1 + 1 #2"],
    reason: "all points of a side that the nest lacks are one",
  },
  {
    file: path("footprint"),
    line: "if (to < last + shift) i += 1;",
    changes: ["to < last + shift → (to) <= (last + shift)"],
    reason: "of two intervals that end on one word either may be left first",
  },
  {
    file: path("compile-einsum"),
    line: "const inside = outer.slice(outer.indexOf(part) + 1).find(inner => seen.has(inner));",
    changes: ["1 → 1 - 1"],
    reason: "the part itself was not seen before, or it was refused",
  },
  {
    file: path("compile-einsum"),
    line: 'mappingKey: spec.choose === undefined ? "" : JSON.stringify(spec),',
    changes: ['spec.choose === undefined ? "" : JSON.stringify(spec) → JSON.stringify(spec)'],
    reason: "asked of Einsums with choices alone",
  },
  {
    file: path("energy"),
    line: "const nothing: Access = { readPj: 0, writePj: 0, bits: undefined };",
    reason: "no tensor is kept at a fan-out",
  },
  {
    file: path("energy"),
    line: "const usual = ofBits(design.wordBytes * 8);",
    reason: "asked where registers have one width, whatever the bits",
  },
  ...[
    ["if (moves) return { ...one, words: one.words * times, single: false, returns: false };", "false → true #1"],
    ["if (!one.returns) return { ...one, words: one.words * times, single: false };", "false → true"],
  ].map(([line, ...changes]) => ({
    file: path("visits"),
    line,
    changes,
    reason: "it is asked of a stretch that ends on the tile with which it began, which this one does not",
  })),
  {
    file: path("standing-energy"),
    line: "const inner = levels.find(level => level > fanout);",
    changes: ["level > fanout → (level) >= (fanout)"],
    reason: "asked of memories, never of a fan-out itself",
  },
  {
    file: path("building-blocks"),
    line: "const values = (depth: number, bits = 0): Float64Array => Float64Array.of(depth, Math.ceil(Math.log2(depth)), bits);",
    changes: ["0 → 0 + 1", "0 → 0 - 1"],
    reason: "no formula of a buffer can name the bits of a word",
  },
  {
    file: path("pareto-fronts"),
    line: "if (room > waiting.length) this.waiting = new Float64Array(room);",
    reason: "how many points wait at once",
  },
  {
    file: path("attention-point"),
    line: "...(request.leftPad === undefined ? {} : { leftPad: request.leftPad }),",
    changes: ["request.leftPad === undefined ? {} : { leftPad: request.leftPad } → { leftPad: request.leftPad }"],
    reason: "undefined either way",
  },
];
