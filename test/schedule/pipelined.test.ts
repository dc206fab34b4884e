import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TileEinsum } from "../../src/model/schedule/dataflows.js";
import { inOrder, oneTileSchedule } from "../../src/model/schedule/one-tile.js";
import { pipelinedSchedule } from "../../src/model/schedule/pipelined.js";
import { programText } from "../../src/spec/schedule/notation.js";
import type { ScheduleSpec } from "../../src/spec/schedule/schedule.js";

/** `NAME array USES…`, each use with a point after it where it is point by point; what is carried after a bar. */
function einsum(text: string, own: Partial<TileEinsum> = {}): TileEinsum {
  const [before = "", carries = ""] = text.split(" | ");
  const [name = "", array = "", ...uses] = before.split(" ");
  return {
    ...{ name, array, points: 1, pointCycles: 1, leadCycles: 0, units: [], when: "every", output: name },
    uses: uses.map(use => ({ einsum: use.replace(".", ""), pointwise: use.endsWith("."), each: 1 })),
    carries: carries === "" ? [] : carries.split(" "),
    ...{ valuePerPoint: false, reads: [], writesRows: 0, loads: [], storedWords: 0, runningWords: 0 },
    ...{ carriedEntries: 0, fromRegisters: [], fromBuffer: [], staysInRegisters: false, scratchFrom: -1 },
    ...own,
  };
}
const textsOf = (spec: ScheduleSpec | undefined) =>
  spec && {
    lags: spec.lags,
    ...Object.fromEntries(Object.entries(spec.programs).map(([array, program]) => [array, programText(program)])),
  };

const drawn = fc.record({
  array: fc.constantFrom("x", "y", "z"),
  uses: fc.array(fc.nat(4), { maxLength: 3 }),
  carries: fc.array(fc.nat(4), { maxLength: 2 }),
});
/** Einsums that use and carry what is before them, in any order. */
const flows = fc
  .array(drawn, { minLength: 1, maxLength: 8 })
  .map(list =>
    list.map(({ array, uses, carries }, i) => {
      const names = (back: readonly number[]): string =>
        [...new Set(back.flatMap(n => (n < i ? [`E${i - 1 - n}`] : [])))].join(" ");
      return einsum(`E${i} ${array} ${names(uses)}`.trim() + (names(carries) === "" ? "" : ` | ${names(carries)}`));
    }),
  )
  .chain(list => fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }));

/** By Einsum, the place of its letter. */
const placesOf = (spec: ScheduleSpec): ReadonlyMap<string, number> =>
  new Map(
    Object.values(spec.programs).flatMap(program =>
      program.flatMap(({ streams }) =>
        streams.flatMap(stream =>
          "einsum" in stream ? [[stream.einsum, stream.tile.charCodeAt(0) - 97] as const] : [],
        ),
      ),
    ),
  );

describe("Einsums in the order of their use", () => {
  it("law: come after what they use, and else stay as they are", () => {
    fc.assert(
      fc.property(flows, all => {
        const ordered = inOrder(all);
        expect(new Set(ordered)).toEqual(new Set(all));
        const done = new Set<string>();
        for (const own of ordered) {
          const waits = ({ uses }: TileEinsum): boolean => uses.some(use => !done.has(use.einsum));
          // The first of the list that nothing keeps waiting.
          expect(own).toBe(all.find(other => !done.has(other.name) && !waits(other)));
          done.add(own.name);
        }
      }),
    );
  });

  it("stay as they are where they wait for one another", () => {
    const all = [einsum("A x B"), einsum("B x A"), einsum("C x")];
    expect(inOrder(all).map(({ name }) => name)).toEqual(["C", "A", "B"]);
  });
});

describe("the schedule of one tile at a time", () => {
  it("alternates what is taken point by point, of as many Einsums as take from each other", () => {
    const many = { points: 3 };
    const all = [
      einsum("A x", many),
      einsum("B x A.", many),
      einsum("C x A. B.", many),
      einsum("D x C.", many),
      einsum("E x D", many),
      einsum("F x E.", { ...many, when: "last" }),
      einsum("G x"),
      einsum("H x G."),
      einsum("I y H."),
      einsum("J x", { points: 2 }),
      einsum("K x J.", { points: 2 }),
    ];
    expect(textsOf(oneTileSchedule(all))).toEqual({
      lags: { a: 0 },
      x: "(A[a] | B[a] | C[a]) -> D[a] -> E[a] -> F[a] -> G[a] -> H[a] -> (J[a] | K[a])",
      y: "I[a]",
    });
  });
});

describe("the schedule of arrays side by side, its Einsums by themselves", () => {
  it("law: an Einsum is a letter later than what it uses of an array further on, as late as what it uses or carries, and no later", () => {
    fc.assert(
      fc.property(flows, fc.integer({ min: 1, max: 3 }), (all, apart) => {
        const spec = pipelinedSchedule(all, apart, false) as ScheduleSpec;
        const places = placesOf(spec);
        const arrays = [...new Set(inOrder(all).map(({ array }) => array))];
        const of = (name: string): number => places.get(name) ?? Number.NaN;
        const arrayOf = (name: string): number => arrays.indexOf(all.find(own => own.name === name)?.array ?? "");
        for (const { name, uses, carries } of all) {
          const least = [
            0,
            ...uses.map(use => of(use.einsum) + (arrayOf(use.einsum) > arrayOf(name) ? 1 : 0)),
            ...carries.map(of),
          ];
          expect(of(name), name).toBe(Math.max(...least));
        }
        const last = Math.max(...places.values());
        const letters = Array.from({ length: last + 1 }, (_, i) => String.fromCharCode(97 + i));
        expect(Object.keys(spec.lags)).toEqual(letters);
        letters.forEach((letter, i) => {
          const after = { after: letters[i - 1], by: apart };
          expect(spec.lags[letter]).toEqual(i === 0 ? 0 : i === 1 ? "auto" : after);
        });
        expect(Object.keys(spec.programs)).toEqual(arrays);
      }),
    );
  });

  it("has 26 letters for whatever comes back more often", () => {
    const chain = Array.from({ length: 60 }, (_, i) => einsum(`E${i} ${i % 2 === 0 ? "x" : "y"} E${i - 1}`));
    const places = placesOf(pipelinedSchedule([einsum("E-1 x"), ...chain], 1, false) as ScheduleSpec);
    // Each second Einsum is back on the first array.
    expect(Array.from({ length: 60 }, (_, i) => places.get(`E${i}`))).toEqual(
      Array.from({ length: 60 }, (_, i) => Math.min(25, Math.floor(i / 2))),
    );
  });

  it("brings what is carried along, however many carry on from one another", () => {
    // Each of C0 to C5 carries on what the next one leaves; the last is back on the first array.
    const chain = Array.from({ length: 6 }, (_, i) => einsum(`C${i} x${i < 5 ? ` | C${i + 1}` : " B"}`));
    const places = placesOf(pipelinedSchedule([einsum("A x"), einsum("B y A"), ...chain], 1, false) as ScheduleSpec);
    expect(chain.map(({ name }) => places.get(name))).toEqual([1, 1, 1, 1, 1, 1]);
  });

  const pair = [einsum("A x", { points: 4 }), einsum("B x A", { points: 4 }), einsum("C y B.", { points: 4 })];

  it("has what another array takes point by point take turns with what begins, and leaves it the time of a slower array", () => {
    const busy = [...pair, einsum("D y C", { points: 3, pointCycles: 2, leadCycles: 5 })];
    expect(textsOf(pipelinedSchedule(busy, 1, true))).toEqual({
      lags: { a: 0, b: "auto" },
      // 4 + 3 * 2 + 5 cycles of y, 4 + 4 of x.
      x: "(B[b] | A[a]..) -> idle(7)",
      y: "C[b] -> D[b]",
    });
    const alone = (all: readonly TileEinsum[], takesTurns: boolean) =>
      programText(pipelinedSchedule(all, 1, takesTurns)?.programs["x"] ?? []);
    // One slot behind, and none; a turn of two points; what takes something else besides.
    expect(alone([...pair, einsum("D y C", { points: 5 })], true)).toBe("(B[b] | A[a]..) -> idle(1)");
    expect(alone([...pair, einsum("D y C", { points: 4 })], true)).toBe("(B[b] | A[a]..)");
    const besides = [einsum("A x", { points: 2 }), einsum("B x A", { points: 2 }), einsum("C y A B.", { points: 2 })];
    expect(alone(besides, true)).toBe("(B[b] | A[a]..)");
    expect(alone(besides, false)).toBe("A[a] -> B[a]");
    // What is done on last tiles is no part of an epoch's time, but is waited for: that of another array.
    const last = [...pair, einsum("D x B", { when: "last" }), einsum("E y C", { when: "last", points: 50 })];
    expect(textsOf(pipelinedSchedule(last, 1, true))).toEqual({
      lags: { a: 0, b: "auto" },
      x: "(B[b] | A[a]..) -> D[b] -> idle(E[b])",
      y: "C[b] -> E[b]",
    });
  });

  it.each<readonly [string, readonly TileEinsum[]]>([
    ["nothing is taken on another array", [einsum("A x", { points: 4 }), einsum("B x A", { points: 4 })]],
    ["it is taken as a whole", [...pair.slice(0, 2), einsum("C y B", { points: 4 })]],
    ["it has more points", [einsum("A x", { points: 3 }), ...pair.slice(1)]],
    ["it has one", pair.map(own => ({ ...own, points: 1 }))],
    ["it is on another array", [einsum("A x", { points: 4 }), einsum("B y A", { points: 4 }), einsum("C x B.")]],
    ["it is what begins", [einsum("A x", { points: 4 }), einsum("C y A.", { points: 4 })]],
  ])("has no turns where %s", (_, all) => {
    expect(pipelinedSchedule(all, 1, true)).toBeUndefined();
    expect(pipelinedSchedule(all, 1, false)).toBeDefined();
  });
});
