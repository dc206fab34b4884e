import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { atOnceOf } from "../../../src/model/mapper/at-once.js";
import type { MappedBlock } from "../../../src/model/mapper/block.js";
import { boundsOf } from "../../../src/model/mapper/bounds.js";
import { CostTable } from "../../../src/model/mapper/cost-table.js";
import { mappingFiles } from "../../../src/model/mapper/design.js";
import { nothing, type Outcome } from "../../../src/model/mapper/goal.js";
import { HandOver } from "../../../src/model/mapper/hand-over.js";
import { leastOf } from "../../../src/model/mapper/least.js";
import { dealtRanks, nestOf, type Place } from "../../../src/model/mapper/place.js";
import type { MapperProblem } from "../../../src/model/mapper/problem.js";
import { promisingOf } from "../../../src/model/mapper/promising.js";
import { searchMappings } from "../../../src/model/mapper/search.js";
import { Searcher, type TilingAnswer } from "../../../src/model/mapper/searcher.js";
import { sharedGlance } from "../../../src/model/mapper/shared-glance.js";
import { setTiling, type Tiling } from "../../../src/model/mapper/tiling.js";
import { tilingsOf } from "../../../src/model/mapper/tiling-space.js";
import { type Invented, inventedProblem } from "./invented.js";

// What the mapper says of invented cascades on invented machines, step by step: what there is to map, where each Einsum can be, how its
// ranks can be cut, what that takes at the least, where tensors pass, what searches find, and the files of it.

/** Those whose whole search is quick are searched. */
const cases: Readonly<Record<string, Invented & { readonly isSearched?: true }>> = {
  "a product on a grid": { cascade: "product", machine: "grid", sizes: { E: 2, M: 3 } },
  "a product under two shared levels": { cascade: "product", machine: "nested", sizes: { M: 3 } },
  "a product on two cores": { cascade: "product", machine: "cores", sizes: { M: 3, queries: 3 } },
  "a softmax on a grid": { cascade: "softmax", machine: "grid", sizes: { M: 5 }, isSearched: true },
  "a softmax on lanes of several sizes": { cascade: "softmax", machine: "uneven", sizes: { M: 5 }, isSearched: true },
  "a softmax on cores within a shared level": { cascade: "softmax", machine: "shared", sizes: { M: 5 } },
  "rows on levels that take time": { cascade: "rows", machine: "timed", sizes: { M: 4, queries: 2 }, isSearched: true },
  "rows on a level of much latency": {
    cascade: "rows",
    machine: "late",
    sizes: { M: 4, queries: 2 },
    isSearched: true,
  },
  "a batch on cores that wait for no words": { cascade: "batched", machine: "fast", sizes: { M: 3, H: 3 } },
  "rows where nothing says what energy is": {
    cascade: "rows",
    machine: "grid",
    sizes: { M: 4, queries: 2 },
    technology: "none",
  },
  "rows on two cores": { cascade: "rows", machine: "cores", sizes: { M: 4, queries: 3 }, isSearched: true },
  "rows on cores within a shared level": { cascade: "rows", machine: "shared", sizes: { M: 4, queries: 2 } },
  "a batch on cores within a shared level": { cascade: "batched", machine: "shared", sizes: { M: 3, B: 2, H: 3 } },
  "a batch with groups on two cores": {
    cascade: "batched",
    machine: "cores",
    sizes: { M: 3, B: 2, H: 3 },
    group: 2,
    isSearched: true,
  },
  "a batch of many queries in groups": { cascade: "batched", machine: "cores", sizes: { queries: 130 }, group: 2 },
  "steps on a grid": { cascade: "steps", machine: "grid", sizes: { M: 5 } },
  "steps on a grid, to be scheduled": {
    cascade: "steps",
    machine: "grid",
    sizes: { M: 5 },
    isSchedulable: true,
    isSearched: true,
  },
  "steps on cores within a shared level": { cascade: "steps", machine: "shared", sizes: { M: 9 }, isSearched: true },
  "steps under two shared levels": { cascade: "steps", machine: "nested", sizes: { M: 7 }, isSearched: true },
  "parts of an exponential": { cascade: "softmax", machine: "grid", sizes: { M: 4 }, inParts: true, isSearched: true },
};

/** So large that they are only cut, and looked at. */
const large: Readonly<Record<string, Invented>> = {
  "a large product on a grid": { cascade: "product", machine: "grid", sizes: { E: 3, M: 40, queries: 9 } },
  "a large product on lanes of several sizes": {
    cascade: "product",
    machine: "uneven",
    sizes: { E: 2, M: 70, queries: 3 },
  },
  "a large product on cores within a shared level": {
    cascade: "product",
    machine: "shared",
    sizes: { E: 2, M: 70, queries: 17 },
  },
  "a large softmax under two shared levels": { cascade: "softmax", machine: "nested", sizes: { M: 100 } },
  "large rows on cores within a shared level": { cascade: "rows", machine: "shared", sizes: { M: 300, queries: 20 } },
  "a large batch on cores within a shared level": {
    cascade: "batched",
    machine: "shared",
    sizes: { E: 2, F: 2, M: 9, queries: 5, B: 5, H: 7 },
  },
  "a large batch of a few heads": {
    cascade: "batched",
    machine: "shared",
    sizes: { M: 2, queries: 40, B: 3, H: 2 },
    group: 3,
  },
  "large steps on cores within a shared level": { cascade: "steps", machine: "shared", sizes: { M: 600 } },
  "large steps on a wide array within a shared level": { cascade: "steps", machine: "wide", sizes: { M: 500 } },
  "a large softmax in parts within a shared level": {
    cascade: "softmax",
    machine: "shared",
    sizes: { M: 70 },
    inParts: true,
  },
  "a large batch whose values are many": {
    cascade: "batched",
    machine: "shared",
    sizes: { F: 40, M: 40, queries: 3, H: 2 },
  },
  "large steps on lanes of several sizes": { cascade: "steps", machine: "uneven", sizes: { M: 50 } },
};

/** A text that is long by its beginning and what it is told by. */
const short = (text: string): string =>
  text.length <= 48 ? text : `${text.slice(0, 28)}… ${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
const number = (n: number): string => String(Number(n.toPrecision(9)));
const outcome = ({ latencySeconds, energyPj, dramBytes }: Outcome): string =>
  `${number(latencySeconds * 1e9)} ns ${number(energyPj)} pJ ${number(dramBytes)} B`;

const seatOf = ({ array, over, stationary }: Place): string =>
  `${array.name} ${over.map(own => (own === undefined ? "-" : `${own.rank}.${own.parts.join("")}`)).join(" ")}${stationary ? " s" : ""}`;

function problemSaid(problem: MapperProblem): readonly string[] {
  const { ranks, einsums, arrays, dram, cores, shared, capacities, inPlace, recurrences, written, values } = problem;
  const leaving = einsums.map(({ placed }, from) =>
    einsums.map((_, to) => Number(problem.leaves(placed.output, from, to + 1))).join(""),
  );
  return [
    ranks
      .map(r => `${r.name} ${r.whole}: ${r.outer} ${r.middle} ${r.tile.join(" ")}, ${r.size} ${r.atOnce}`)
      .join("; "),
    einsums
      .map(({ name, ranks: own, reduced, batch }, e) => {
        const all = own.map(r => `${r.rank}${r.middle ? "m" : ""}${r.inner ? "i" : ""}`).join(" ");
        return `${name} of ${all} / ${[...reduced]} ${batch} ${problem.goesOn(e)}`;
      })
      .join("; "),
    ...arrays.map(a => {
      const fanouts = a.fanouts.map(({ level, size }) => `${level} ${size}`);
      return `${a.name}: ${fanouts}; ${a.shared}; ${a.buffer}; ${a.blocksAt}; ${a.registers}; ${a.levels}`;
    }),
    `${dram} ${cores} ${shared} ${[...capacities]} ${problem.tileParts} ${number(problem.staticPjPerSecond)}`,
    [JSON.stringify([inPlace, recurrences, written]), leaving, ...[...values].map(number)].join(" "),
  ].map(short);
}

function placesSaid({ problem, library }: Searcher): readonly string[] {
  const all = problem.ranks.map((_, r) => r);
  const reversed = [...all].reverse();
  return problem.einsums
    .map((einsum, e) => {
      const places = library.placesOf(e);
      const dealt = dealtRanks(problem, problem.einsums.slice(e, e + 2));
      const nests = places.map(place => nestOf(problem, einsum, place, { outer: all, inner: reversed, dealt }, {}));
      const laid = nests.map(({ loops, spread, operations }) => [loops, spread, operations]);
      return `${einsum.name}: ${places.length}: ${places.map(seatOf).join(", ")}; ${dealt}; ${JSON.stringify(laid)}`;
    })
    .map(short);
}

function tilingsSaid(searcher: Searcher): readonly string[] {
  const { problem, library } = searcher;
  const n = problem.einsums.length;
  return [
    JSON.stringify([...atOnceOf(problem)]),
    ...(n === 1
      ? [[0, 1]]
      : [
          [0, n],
          [0, 1],
          [1, n],
        ]
    ).flatMap(([from = 0, to = 1]) => {
      const space = searcher.tilingsOf(from, to);
      const cuts = space.choices.map(own => own.map(c => `${c.tile.join("x")} ${c.middle} ${c.outer}`).join(", "));
      const best = [2, 5, 30].map(most => promisingOf(problem, library, { from, to }, space, most).join());
      const said = `${space.count}, own ${space.own}, ${space.ruledOut} ruled out; ${cuts.join("; ")}`;
      const looks = [best.join("; "), ...glanceSaid(searcher, from, to)];
      return from === 0 && to === n ? [said, ...looks] : [[said, ...looks].join("; ")];
    }),
  ].map(short);
}

/** How some cuts look where cores are within a shared level. */
function glanceSaid({ problem, library }: Searcher, from: number, to: number): readonly string[] {
  const space = tilingsOf(problem, from, to);
  const glance = sharedGlance(problem, library, from, to, space);
  if (glance === undefined) return [];
  const looks: string[] = [];
  const step = Math.ceil(space.cuts / 50);
  for (const { number: n, digits, cut } of space.eachCut()) {
    if (n % step !== 0) continue;
    const traffic = space.orders(cut).outer.map(glance.traffic(cut));
    const texts = traffic.map(({ bytes, seconds }) => `${number(bytes)} B ${number(seconds * 1e9)} ns`);
    const fits = glance.fits(cut.map(({ inner, middle }) => inner * middle));
    const tiles = digits.map((digit, r) => glance.tiles[r]?.of[digit] ?? 0);
    const around = cut.map(({ outer, middle }) => outer * middle);
    const units = cut.reduce((all, own, r) => all * glance.units(r, own), 1);
    looks.push(`${fits} ${number(glance.seconds(tiles, around, units, false) * 1e9)} ns: ${texts.join()}`);
  }
  return [`${JSON.stringify(glance.allowed)} ${looks.join("; ")}`];
}

/** Some tilings of a block: the first, the last and two between. */
const someOf = (searcher: Searcher, from: number, to: number): readonly number[] => {
  const all = [...searcher.tilingsOf(from, to).numbers()];
  const at = [0, 1 / 3, 2 / 3, 1].map(share => all[Math.floor(share * (all.length - 1))] as number);
  return [...new Set(at)];
};

function boundsSaid(searcher: Searcher): readonly string[] {
  const { problem, library, cache } = searcher;
  const n = problem.einsums.length;
  return [
    ...[...new Set([1, n])].map(to => `0 to ${to}: ${outcome(leastOf(problem, library, cache, 0, to))}`),
    ...someOf(searcher, 0, n).map(tiling => {
      const own = searcher.tilingsOf(0, n).at(tiling);
      const { values } = problem;
      setTiling(problem, own, values);
      const table = new CostTable(cache, own, values);
      const { after } = boundsOf(problem, library, 0, n, own, table, new HandOver(problem, own));
      return `${tiling}: ${after.map(a => `${number(a.energyPj)} ${number(a.dramBytes)} ${a.cycles.map(c => c.join()).join(" ")}`).join("; ")}`;
    }),
  ].map(short);
}

function passesSaid({ problem, library }: Searcher, tiling: Tiling): string {
  const { facts, einsums, makerOf } = problem;
  const handOver = new HandOver(problem, tiling);
  const options = einsums.map((_, e) =>
    library.suitedTo(e, tiling).map(place => library.option(e, place, tiling.order)),
  );
  return einsums
    .flatMap(({ name }, reader) =>
      facts.reads(name).flatMap(read => {
        const maker = makerOf(read.tensor);
        if (maker < 0) return [];
        const others = einsums.flatMap((_, e) =>
          e < reader && e !== maker && facts.reads(einsums[e]?.name ?? "").some(own => own.name === read.name)
            ? [e]
            : [],
        );
        const texts = [maker, ...others].map(source => {
          const isReader = source !== maker;
          const own = isReader ? ({ ...read, when: "now" } as const) : read;
          const bits = (options[source] ?? []).flatMap(a =>
            (options[reader] ?? []).map(b =>
              a.memories
                .map(m => b.memories.map(k => Number(handOver.at(a, m, b, k, own, isReader))).join(""))
                .join("."),
            ),
          );
          const near = handOver.nearest(library, source, reader, own, isReader);
          const carried = (options[reader] ?? []).map(b =>
            b.memories.map(k => Number(handOver.canCarry(library, source, b, k, own))).join(""),
          );
          return `${einsums[source]?.name} to ${name}: ${near} ${carried.join(" ")} ${bits.join(" ")}`;
        });
        return texts;
      }),
    )
    .join("; ");
}

const blocksSaid = (blocks: readonly MappedBlock[]): string =>
  blocks
    .map(({ from, einsums, tiling: { cut, order } }) => {
      const own = einsums.map(({ option, kept }) => `${seatOf(option.place)} ${kept.map(k => k.join("")).join(" ")}`);
      return `${from} ${cut.map(c => `${c.tile.join("x")}/${c.middle}/${c.outer}`)} ${order.outer}|${order.inner}: ${own.join("; ")}`;
    })
    .join(" + ");

function searchSaid(problem: MapperProblem): readonly string[] {
  return (
    [
      { objective: "latency", budget: 2, width: 2 },
      { objective: "pareto", budget: 1, width: 1, seed: 3 },
    ] as const
  )
    .flatMap(limits => {
      const { found, report } = searchMappings(problem, limits);
      const { effort, blocks, tilings, space } = report;
      const counts = [effort, blocks, tilings].map(own => Object.values(own).join(" ")).join("; ");
      return [
        `${limits.objective}: ${space}; ${counts}; ${found.map(own => outcome(own.outcome)).join(", ")}`,
        found.map(({ what }) => blocksSaid(what)).join(" or "),
      ];
    })
    .map(short);
}

/** The shortest runs of Einsums that may be blocks: what is carried, or in parts, stays within. */
function runsOf({ einsums, facts, makerOf, goesOn }: MapperProblem): readonly (readonly [from: number, to: number])[] {
  const ties = einsums.flatMap(({ name }, e) => [
    ...(goesOn(e) ? [[e, e + 1]] : []),
    ...facts
      .reads(name)
      .flatMap(({ tensor, when }) => (when === "carried" ? [[makerOf(tensor), e].sort((a, b) => a - b)] : [])),
  ]);
  const ends = [0, ...einsums.map((_, e) => e + 1)].filter(
    at => !ties.some(([first = 0, last = 0]) => first < at && at <= last),
  );
  return ends.slice(1).map((to, i) => [ends[i] as number, to]);
}

/** Blocks of one Einsum, or as few as have to stay together, each under a tiling of its own, as files. */
function filesSaid(searcher: Searcher): readonly string[] {
  const { problem } = searcher;
  const n = problem.einsums.length;
  const none = { known: [], whole: [], around: nothing };
  const blockOf = (from: number, to: number, tiling: number): MappedBlock | undefined => {
    const task = { kind: "tiling", from, to, tiling, objective: "energy", width: 1, slack: 0, ...none } as const;
    const [best] = (searcher.answer(task) as TilingAnswer).found;
    return best === undefined ? undefined : searcher.block(best.what);
  };
  const whole = someOf(searcher, 0, n).flatMap(tiling => blockOf(0, n, tiling) ?? []);
  const runs = problem.isSchedulable ? [] : runsOf(problem);
  const apart = runs.map(([from, to]) => someOf(searcher, from, to));
  const each = [0, 1].map(k =>
    runs.flatMap(([from, to], i) => {
      const all = apart[i] ?? [];
      return blockOf(from, to, all[(k + i) % all.length] as number) ?? [];
    }),
  );
  return [whole.map(block => [block]), each]
    .map(all =>
      all.map(blocks => {
        const { mapping, binding } = mappingFiles(problem, blocks, "kept", "test");
        return JSON.stringify([mapping, binding["phases"]]).replaceAll('"', "");
      }),
    )
    .map(all => short(all.join("; ")));
}

const steps: Readonly<Record<string, (searcher: Searcher) => readonly string[]>> = {
  problem: ({ problem }) => problemSaid(problem),
  places: placesSaid,
  tilings: tilingsSaid,
  bounds: boundsSaid,
  passes: searcher => {
    const n = searcher.problem.einsums.length;
    return someOf(searcher, 0, n)
      .slice(0, 2)
      .map(tiling => short(passesSaid(searcher, searcher.tilingsOf(0, n).at(tiling))));
  },
  search: ({ problem }) => searchSaid(problem),
  files: filesSaid,
};

/** What was said (docs/testing.md, "Kept answers"); UPDATE_KEPT_SEARCHES=1 writes it anew. */
const file = join(import.meta.dirname, "../../golden/mapper/searches.json");
const isWriting = process.env["UPDATE_KEPT_SEARCHES"] === "1";
const kept: Record<string, readonly string[]> = isWriting ? {} : JSON.parse(readFileSync(file, "utf8"));
const asked = [
  ...Object.entries(cases).flatMap(([name, one]) =>
    Object.entries(steps).flatMap(([step, say]) =>
      (step === "search" && one.isSearched !== true) ||
      ((step === "passes" || step === "files") && one.cascade === "product")
        ? []
        : [{ name, one, step, say }],
    ),
  ),
  ...Object.entries(large).map(([name, one]) => ({ name, one, step: "tilings", say: tilingsSaid })),
];

describe.skipIf(isWriting)("the mapper says what it said", () => {
  it.each(asked)("of $name: $step", ({ name, one, step, say }) => {
    expect(say(new Searcher(inventedProblem(one)))).toEqual(kept[`${name}: ${step}`]);
  });
});

if (isWriting) {
  for (const { name, one, step, say } of asked) {
    const at = performance.now();
    kept[`${name}: ${step}`] = say(new Searcher(inventedProblem(one)));
    const took = performance.now() - at;
    if (took > 300) console.log(name, step, took.toFixed());
  }
  writeFileSync(file, `${JSON.stringify(kept, null, 1)}\n`);
}
