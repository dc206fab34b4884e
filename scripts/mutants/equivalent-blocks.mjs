const visible = "src/model/visible-blocks.ts";
const fronts = "src/model/pareto-fronts.ts";
const sooner = "a way to the same answer that is quicker, or not taken";
const label = "a label that all points share may be any";

/** Mutants of what is counted block by block, of fronts, buffers and machines that compute the same in every case; as in equivalent.mjs. */
export const blocks = [
  {
    file: visible,
    line: "const step = rowsAtOnce === 0 ? Math.max(1, rows) : rowsAtOnce;",
    changes: ["1 → 1 + 1", "1 → 1 - 1"],
    reason: "a block of one row, or none at all, where there are no more",
  },
  {
    file: visible,
    line: "const count = sequence.keys === 0 ? 0 : Math.ceil(rows / step);",
    changes: [
      "sequence.keys === 0 ? 0 : Math.ceil(rows / step) → Math.ceil(rows / step)",
      "0 → 0 - 1 #1",
      "0 → 0 + 1 #2",
      "0 → 0 - 1 #2",
    ],
    reason: "blocks that see nothing, or none",
  },
  {
    file: visible,
    line: "if (keys === 0) visit(0);",
    changes: ["0 → 0 + 1 #2", "0 → 0 - 1 #2"],
    reason: label,
  },
  { file: visible, line: "visit(0);", reason: label },
  {
    file: visible,
    line: "const finer = step > 1 && rows * words <= mostWordsKept ? bitsOfBlocks(bits, group, rows, 1, words) : undefined;",
    changes: [
      "1 → 1 + 1 #1",
      "rows * words → (rows) / (words)",
      "rows * words <= mostWordsKept → (rows * words) < (mostWordsKept)",
      "rows * words <= mostWordsKept → (rows * words) > (mostWordsKept)",
      "step > 1 && rows * words <= mostWordsKept ? bitsOfBlocks(bits, group, rows, 1, words) : undefined → undefined",
    ],
    reason: sooner,
  },
  {
    file: visible,
    line: "finer === undefined ? bits.word(row, w, group) : (finer[row * words + w] as number);",
    changes: [
      "finer === undefined ? bits.word(row, w, group) : (finer[row * words + w] as number) → bits.word(row, w, group)",
    ],
    reason: sooner,
  },
  {
    file: visible,
    line: "let next = 0;",
    changes: ["0 → 0 - 1"],
    reason: "no bit is below the first",
  },
  {
    file: visible,
    line: "while (word !== 0) {",
    changes: ["0 → 0 - 1"],
    reason: "no bit left is found again three lines on",
  },
  {
    file: visible,
    line: "if (next > 32 * w) word &= ~((1 << (next - 32 * w)) - 1);",
    changes: ["next > 32 * w → (next) >= (32 * w)"],
    reason: "no bit of a word is below its first",
  },
  {
    file: visible,
    line: "return places.size < most;",
    changes: ["places.size < most → (places.size) <= (most)"],
    reason: "there are no more places than that",
  },
  {
    file: fronts,
    line: "const begin = width <= 3 ? Math.max(first, rows - 1) : first;",
    changes: ["width <= 3 → (width) < (3)", "3 → 3 - 1"],
    reason: "rows more, none of which is better than the last one in both objectives",
  },
  {
    file: fronts,
    line: "if (by < 0) low = middle + 1;",
    changes: ["by < 0 → (by) <= (0)"],
    reason: "what is equal was found before",
  },
  {
    file: fronts,
    line: "if (this.waitingRows === 0) return;",
    changes: ["0 → 0 - 1"],
    reason: "nothing is sorted among the fronts, which stay as they are",
  },
  {
    file: fronts,
    line: "if (rows > 0 && merged[(rows - 1) * width] !== from[at * width]) first = rows;",
    changes: ["rows > 0 → (rows) >= (0)", "0 → 0 - 1"],
    reason: "where there are no rows yet the group's first is the first one anyway",
  },
  {
    file: fronts,
    line: "while (old * width < kept.length && this.compare(kept, old, waiting, at) <= 0) put(kept, old++);",
    changes: [
      "old * width < kept.length → (old * width) <= (kept.length)",
      "this.compare(kept, old, waiting, at) <= 0 → (this.compare(kept, old, waiting, at)) < (0)",
    ],
    reason: "past the last row nothing compares; of equal rows the first is kept, whichever it is",
  },
  {
    file: fronts,
    line: "let [low, high] = [0, kept.length / width];",
    changes: ["kept.length / width → (kept.length) * (width)"],
    reason: "rows past the last, which compare with nothing and are left out again",
  },
  {
    file: "src/model/check-machine.ts",
    line: "for (let k = 0; k < at.length; k++) {",
    changes: ["0 → 0 - 1", "k < at.length → (k) <= (at.length)"],
    reason: "before the first level and after the last there is none, and none that is the buffer",
  },
  {
    file: "src/model/energy.ts",
    line: "const usual = ofBits(design.wordBytes * 8);",
    reason: "asked of register files whose formulas do not know the width of a word",
  },
  {
    file: "src/model/product-mapping.ts",
    line: "const rest = more.filter(fanout => fanout !== undefined).reverse();",
    changes: ["more.filter(fanout => fanout !== undefined) → more"],
    reason: "asked for by the types: only the first of a list may be undefined, which is the row",
  },
];
