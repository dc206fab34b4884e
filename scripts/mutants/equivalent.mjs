import { readFileSync } from "node:fs";
import { blocks } from "./equivalent-blocks.mjs";
import { einsum } from "./equivalent-einsum.mjs";
import { mapper } from "./equivalent-mapper.mjs";
import { model } from "./equivalent-model.mjs";
import { schedule } from "./equivalent-schedule.mjs";

const sooner = "a way to the same answer that is quicker, or not taken";
const label = "a label that all points share may be any";

/**
 * Mutants that compute the same as the source in every case, each reviewed by hand: of which file, on which line of the
 * text, and why. `changes` names some of those on the line, `before → after`, with `#2` for the second of two such; without
 * it all of them are meant.
 * @type {readonly { file: string, line: string, changes?: readonly string[], reason: string }[]}
 */
const equivalent = [
  ...schedule,
  ...einsum,
  ...blocks,
  ...model,
  ...mapper,
  {
    file: "src/model/partition.ts",
    line: "const iterating = new Uint8Array(32);",
    reason: "room for the parts of a rank, of which there are at most 31: they are bits of a number",
  },
  {
    file: "src/model/partition.ts",
    line: "const inWhole = whole === 0 ? 0 : whole * countParts(chunk, bounds, part + 1, subset);",
    changes: [
      "whole === 0 ? 0 : whole * countParts(chunk, bounds, part + 1, subset) → whole * countParts(chunk, bounds, part + 1, subset)",
      "0 → 0 - 1 #1",
    ],
    reason: "0 times any count is 0",
  },
  {
    file: "src/model/held-tiles.ts",
    line: "for (let w = from >>> 5; 32 * w < to; w += 1) {",
    changes: ["32 * w < to → (32 * w) <= (to)"],
    reason: "a word more, of which no bit is asked for",
  },
  {
    file: "src/model/touched-points.ts",
    line: "const last = tile.most === 1 ? Math.min(1, size) : size;",
    changes: ["tile.most === 1 ? Math.min(1, size) : size → size"],
    reason: sooner,
  },
  {
    file: "src/model/touched-points.ts",
    line: "const end = keys.most === 1 ? Math.min(to, from + 1) : to;",
    changes: [
      "keys.most === 1 ? Math.min(to, from + 1) : to → to",
      "Math.min(to, from + 1) → (Math).max(to, from + 1)",
    ],
    reason: sooner,
  },
  {
    file: "src/model/footprint.ts",
    line: "const span = found.at(-1)?.[1] ?? 0;",
    reason:
      "asked of one interval alone, of which it is the end, or 0: then the general way is taken, which finds the same",
  },
  {
    file: "src/model/footprint.ts",
    line: "if (found.length === 1 && stride <= span) found = [[0, span + (extent - 1) * stride]];",
    changes: ["1 → 1 - 1 #1", "stride <= span → (stride) < (span)"],
    reason: sooner,
  },
  {
    file: "src/model/masked-counts.ts",
    line: "isClosed(coupled, region, subset) || !isShort(0, subset)",
    changes: ["0 → 0 - 1"],
    reason: "no loop is outside of either level",
  },
  {
    file: "src/model/masked-counts.ts",
    line: "(isShort(0, subset) && scoresOf(nest) <= mostScores ? touchedPoints(nest, region, temporal, subset) : undefined),",
    changes: ["0 → 0 - 1"],
    reason: "no loop is outside of either level",
  },
  {
    file: "src/model/masked-counts.ts",
    line: "const rank = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);",
    changes: [
      "bit >= shift && bit < shift + parts → (bit >= shift) || (bit < shift + parts)",
      "bit >= shift → (bit) > (shift)",
      "bit < shift + parts → (bit) >= (shift + parts)",
      "shift + parts → (shift) - (parts)",
    ],
    reason: "a rank that is not known to be cut evenly: a walk, which is exact, where closed forms would do",
  },
  {
    file: "src/model/masked-counts.ts",
    line: "return !movesAlways && outside.slice(0, last).some(loop => (relevant & (1 << loop.bit)) === 0);",
    changes: ["1 → 1 - 1"],
    reason: "a walk, which is exact, where closed forms would do",
  },
  {
    file: "src/model/tile-numbering.ts",
    line: "export const unnumbered: Inner = { most: 1, isWhole: false, isWanted: false, number: () => 0 };",
    changes: ["0 → 0 + 1", "0 → 0 - 1"],
    reason: label,
  },
  {
    file: "src/model/tile-numbering.ts",
    line: "export const unnumbered: Inner = { most: 1, isWhole: false, isWanted: false, number: () => 0 };",
    changes: ["false → true #2"],
    reason: sooner,
  },
  {
    file: "src/model/check-machine.ts",
    line: 'const size = isUsed || idle.includes(level) ? 1 : (design.levels.get(level)?.fields.get("size")?.(values) ?? 1);',
    changes: ["1 → 1 - 1 #1"],
    reason: "asked whether it is above 1",
  },
  {
    file: "src/model/visible-blocks.ts",
    line: "const mostWordsKept = 2 ** 25;",
    reason: "how much is remembered",
  },
  {
    file: "src/model/search.ts",
    line: "for (const candidate of candidates) if (candidate.dramBytes !== best.dramBytes) candidate.counts = undefined;",
    reason: "how much is remembered",
  },
  {
    file: "src/model/timing.ts",
    line: "const filled = iterations === 0 ? 0 : peSteps.useful / iterations / (pes.get(array) as number);",
    changes: ["0 → 0 + 1 #2", "0 → 0 - 1 #2"],
    reason: "an Einsum without iterations takes no cycles",
  },
  {
    file: "src/model/product-mapping.ts",
    line: '[buffer]: { X: 1, W: 1, Y: "E1 > 1" },',
    changes: ["1 → 1 + 1 #1", "1 → 1 + 1 #2"],
    reason: "a condition holds for any number but 0",
  },
  {
    file: "src/model/standing-energy.ts",
    line: "if (!levels.some(level => level < fanout)) return;",
    changes: ["level < fanout → (level) <= (fanout)"],
    reason: "asked of memories, never of a fan-out itself",
  },
  {
    file: "src/model/search-space.ts",
    line: "if (partial && 3 * size <= n) sizes.add(3 * size);",
    changes: ["3 * size <= n → (3 * size) < (n)"],
    reason: "n itself is among the sizes already",
  },
  {
    file: "src/model/search-space.ts",
    line: "if (known.size > 1000) known.clear();",
    reason: "how much is remembered",
  },
  {
    file: "src/model/loop-nest.ts",
    line: "if (fanout > level) return share;",
    changes: ["fanout > level → (fanout) >= (level)"],
    reason: "asked of memories, never of a fan-out itself",
  },
  {
    file: "src/model/visible-region.ts",
    line: "const enough = firstSeeing + firstOf(grown - firstSeeing, i => tiles(firstSeeing + i) >= most);",
    changes: ["tiles(firstSeeing + i) >= most → (tiles(firstSeeing + i)) > (most)"],
    reason: "blocks of just so many tiles count as many either way",
  },
  {
    file: "src/model/visible-region.ts",
    line: "const little = shrinking + firstOf(count - shrinking, i => tiles(shrinking + i) < most);",
    changes: ["tiles(shrinking + i) < most → (tiles(shrinking + i)) <= (most)"],
    reason: "blocks of just so many tiles count as many either way",
  },
  {
    file: "src/model/visible-region.ts",
    line: "times * (times > 0 ? sum(grown, grown + period) : 0) +",
    changes: [
      "times > 0 → (times) >= (0)",
      "times > 0 ? sum(grown, grown + period) : 0 → sum(grown, grown + period)",
      "0 → 0 - 1 #1",
      "0 → 0 + 1 #2",
      "0 → 0 - 1 #2",
    ],
    reason: "0 times any sum is 0",
  },
  {
    file: "src/model/layer.ts",
    line: 'const ofKeys = crossKeys === undefined ? queries : point.phase === "decode" ? 0 : point.batch * point.keys;',
    changes: ["0 → 0 - 1"],
    reason: "products without rows are left out",
  },
  {
    file: "src/model/energy.ts",
    line: "const burst = (costs[dram.index] as AccessOfBits)(8);",
    reason: "DRAM's access is the same for words of any bits",
  },
  {
    file: "src/model/loop-nest.ts",
    line: "left -= 1;",
    changes: ["1 → 1 - 1"],
    reason: "the busiest instance's share of all times the instances is 1 or more, but for the last place of a float64",
  },
  {
    file: "src/model/loop-nest.ts",
    line: "return uneven && ((moves >>> shift) & ((1 << parts) - 1)) !== 0;",
    changes: ["1 → 1 - 1 #1"],
    reason: "a walk, which is exact, where closed forms would do",
  },
  {
    file: "src/model/loop-nest.ts",
    line: "const counted = deepest === undefined ? at : at.filter(level => level <= deepest);",
    changes: [
      "at.filter(level => level <= deepest) → at",
      "deepest === undefined ? at : at.filter(level => level <= deepest) → at",
    ],
    reason: "levels below the buffers take the same of every block",
  },
  {
    file: "src/model/evaluate.ts",
    line: "...(hasStandingEnergy(design)",
    changes: [
      "hasStandingEnergy(design) ? withStandingEnergy(design, energy, einsums, timing.latencySeconds, values) : energy → withStandingEnergy(design, energy, einsums, timing.latencySeconds, values)",
    ],
    reason: "nothing is added where nothing is said",
  },
  {
    file: "src/model/level-use.ts",
    line: "for (let t = 0; t < kept.length; t++) {",
    changes: ["t < kept.length → (t) <= (kept.length)"],
    reason: "a tensor more, which no level keeps",
  },
  {
    file: "src/model/pareto-fronts.ts",
    line: "const fewestWaiting = 2 ** 14;",
    reason: "how many points wait at once",
  },
  {
    file: "src/model/pareto-fronts.ts",
    line: "const begin = width <= 3 ? Math.max(first, rows - 1) : first;",
    changes: ["1 → 1 + 1", "width <= 3 ? Math.max(first, rows - 1) : first → first"],
    reason: "rows more, none of which is better than the last one in both objectives",
  },
  {
    file: "src/model/pareto-fronts.ts",
    line: "let k = 2;",
    changes: ["2 → 2 - 1"],
    reason: "the first objective is in order, once more",
  },
  {
    file: "src/model/cost.ts",
    line: "const sequences: readonly SequenceClass[] = seen?.sequences ?? [{ count: 1, queries: 1, keys: 1 }];",
    changes: ["1 → 1 + 1 #1", "1 → 1 + 1 #2", "1 → 1 + 1 #3"],
    reason: "what is computed of it is left out, and the machine's own numbers do not depend on it",
  },
  {
    file: "src/model/pareto-fronts.ts",
    line: "const room = Math.max(fewestWaiting * width, this.kept.length);",
    reason: "how many points wait at once",
  },
  {
    file: "src/model/masked-visits.ts",
    line: 'const isLast = !Array.from(bounds).some((_, p) => p > part && ["time", "memory"].includes(this.kindOf(rank, p)));',
    changes: ["p > part → (p) >= (part)"],
    reason: "asked of a part that is neither",
  },
  {
    file: "src/model/masked-visits.ts",
    line: "return seen === undefined ? this.rowsAtHand().next().done !== true : seen.length > 0;",
    changes: ["seen.length > 0 → (seen.length) >= (0)", "0 → 0 - 1"],
    reason: "a walk into loops in which nothing is seen finds nothing",
  },
  {
    file: "src/model/masked-visits.ts",
    line: "const words = seen.length === 1 ? seen : union(seen, []);",
    changes: ["seen.length === 1 ? seen : union(seen, []) → union(seen, [])", "1 → 1 - 1"],
    reason: "one interval is the union of itself",
  },
];

/** The reasons of the mutants that are listed, by their IDs. An entry that fits no mutant of its file is refused. */
export function reasonsOf(mutants) {
  const reasons = new Map();
  const texts = new Map();
  const lineOf = ({ file, line }) => {
    if (!texts.has(file)) texts.set(file, readFileSync(file, "utf8").split("\n"));
    return texts.get(file)[line - 1].trim();
  };
  for (const { file, line, changes, reason } of equivalent) {
    const own = mutants.filter(one => one.file === file);
    if (own.length === 0) continue;
    const there = own.filter(one => lineOf(one) === line);
    for (const change of changes ?? [undefined]) {
      const [text, place] = change?.split(" #") ?? [];
      const alike = there.filter(({ before, after }) => text === undefined || `${before} → ${after}` === text);
      const found = place === undefined ? alike : alike.slice(place - 1, place);
      // One of several has to say which.
      if (found.length === 0 || (text !== undefined && found.length > 1))
        throw new Error(
          `${file}: ${found.length} mutants ${text ?? ""} on the line ${line}; review it in scripts/mutants/equivalent.mjs`,
        );
      for (const { id } of found) reasons.set(id, reason);
    }
  }
  return reasons;
}
