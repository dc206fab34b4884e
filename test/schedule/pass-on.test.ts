import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TileEinsum } from "../../src/model/schedule/dataflows.js";
import { inOrder } from "../../src/model/schedule/one-tile.js";
import { passOn } from "../../src/model/schedule/pass-on.js";
import { slotsOf } from "../../src/spec/schedule/dataflow.js";
import { flowText } from "./flow-text.js";

// Random Einsums, one of which has nothing to do, against what that says: who takes over what it would read and write.

const names = ["A", "B", "C", "D", "E"];
const rarely = fc.integer({ min: 0, max: 3 }).map(n => n === 3);
const each = fc.record({
  isOther: rarely,
  array: fc.constantFrom("pe", "lanes"),
  when: fc.constantFrom("every", "last" as const),
  points: fc.constantFrom(1, 2, 2),
  uses: fc.array(fc.tuple(fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 3 }),
  carries: fc.array(fc.constantFrom(...names), { maxLength: 1 }),
  valuePerPoint: fc.boolean(),
  reads: fc.nat(2),
  writesRows: fc.constantFrom(0, 0, 0, 0, 2),
  numbers: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
  inRegisters: fc.boolean(),
  inBuffer: rarely,
  stays: fc.boolean(),
});
const einsums = fc
  .tuple(fc.array(each, { minLength: 2, maxLength: 5 }), fc.nat(4))
  .map(([list, n]): readonly TileEinsum[] => {
    const idle = n < list.length ? n : list.length - 1;
    const [first] = list;
    return list.map((own, i): TileEinsum => {
      // Most are of one array, of the same tiles and points.
      const { array, when, points } = own.isOther || first === undefined ? own : first;
      // What it uses comes before it, each once.
      const makers = new Map(own.uses.flatMap(([back, pointwise]) => (back < i ? [[i - 1 - back, pointwise]] : [])));
      const used = [...makers.keys()].map(maker => names[maker] as string);
      return {
        ...{ name: names[i] as string, array, when, points },
        ...{ pointCycles: i === idle ? 0 : 1 + (own.numbers[0] ?? 0), leadCycles: 0, units: [], scratchFrom: -1 },
        uses: [...makers].map(([maker, pointwise]) => ({ einsum: names[maker] as string, pointwise, each: 1 })),
        carries: own.carries.filter(name => names.indexOf(name) < list.length && (name === names[i] || own.inBuffer)),
        ...{ output: `out${i}`, valuePerPoint: own.valuePerPoint, writesRows: own.writesRows },
        reads: Array.from({ length: own.reads }, () => ({ perPoint: own.valuePerPoint, rows: i + 1, carried: false })),
        loads: own.reads === 2 ? [{ tensor: `in${i}`, by: "keys", words: i + 1 }] : [],
        storedWords: own.numbers[1] ?? 0,
        runningWords: own.numbers[2] ?? 0,
        carriedEntries: own.numbers[0] ?? 0,
        fromRegisters: own.inRegisters ? used.map(name => `out${names.indexOf(name)}`) : [],
        fromBuffer: own.inBuffer ? used : [],
        staysInRegisters: own.stays,
      };
    });
  });

const isAlike = (a: TileEinsum, b: TileEinsum): boolean =>
  a.array === b.array && a.when === b.when && a.points === b.points;
const users = (name: string, all: readonly TileEinsum[]): readonly TileEinsum[] =>
  all.filter(({ uses }) => uses.some(({ einsum }) => einsum === name));

/** Who takes over what an Einsum without operations would do: who takes its value, or else who makes an operand of it. */
function heirOf(idle: TileEinsum, all: readonly TileEinsum[]): { user?: TileEinsum; maker?: TileEinsum } {
  const [user, other] = users(idle.name, all);
  const isCarried = all.some(({ carries }) => carries.includes(idle.name));
  if (user !== undefined && other === undefined && isAlike(user, idle) && idle.writesRows === 0 && !isCarried)
    return { user };
  const maker = all.find(own => {
    const use = idle.uses.find(({ einsum }) => einsum === own.name);
    const isForItAlone = users(own.name, all).every(one => one === idle) && own.writesRows === 0;
    return use !== undefined && (use.pointwise || idle.points === 1) && isAlike(own, idle) && isForItAlone;
  });
  return maker === undefined ? {} : { maker };
}

const sorted = (list: readonly string[]): readonly string[] => [...new Set(list)].sort();
const usesOf = (einsum: TileEinsum): readonly string[] =>
  einsum.uses.map(use => `${use.einsum}${use.pointwise ? "." : ""}${use.each}`).sort();

describe("an Einsum that no operation is left for", () => {
  it("law: has another of its array and its tiles do what it would, or keeps a cycle for each value", () => {
    const met = { user: 0, maker: 0, none: 0 };
    fc.assert(
      fc.property(einsums, all => {
        const idle = all.find(einsum => slotsOf(einsum) === 0) as TileEinsum;
        const result = passOn(all);
        const { user, maker } = heirOf(idle, all);
        const heir = user ?? maker;
        met[user !== undefined ? "user" : maker !== undefined ? "maker" : "none"]++;
        expect(result.map(({ name }) => name)).toEqual(all.map(({ name }) => name));
        // Whatever was passed on, each is done before what uses it, in some order.
        const ordered = inOrder(result).map(({ name }) => name);
        for (const { name, uses } of result)
          for (const use of uses) expect(ordered.indexOf(use.einsum)).toBeLessThan(ordered.indexOf(name));
        const of = (name: string): TileEinsum => result.find(own => own.name === name) as TileEinsum;
        if (heir === undefined) {
          expect(result).toEqual(all.map(own => (own === idle ? { ...own, pointCycles: 1 } : own)));
          return;
        }
        expect(flowText({ ...of(idle.name), valuePerPoint: false })).toBe(
          `${idle.name} ${idle.array} ${idle.when} ${idle.points}x0 `,
        );
        // With the idle one's name replaced by who makes its value now.
        const now = (name: string): string => (maker !== undefined && name === idle.name ? maker.name : name);
        for (const own of all) {
          const { uses, carries, fromBuffer } = own;
          const renamed = uses.map(use => ({ ...use, einsum: now(use.einsum) }));
          const before = { ...own, uses: renamed, carries: carries.map(now), fromBuffer: fromBuffer.map(now) };
          if (own !== idle && own !== heir) expect(of(own.name)).toEqual(before);
        }
        // The heir: all that both take, but what one made for the other; the value of the one that comes last.
        const [first, last] = user === undefined ? [heir, idle] : [idle, heir];
        const taken = of(heir.name);
        const both = [...heir.uses, ...idle.uses.filter(use => heir.uses.every(({ einsum }) => einsum !== use.einsum))];
        expect(usesOf(taken)).toEqual(usesOf({ ...heir, uses: both.filter(use => use.einsum !== first.name) }));
        expect(sorted(taken.carries)).toEqual(sorted([...heir.carries, ...idle.carries].map(now)));
        expect(taken.carries.length).toBe(new Set([...heir.carries, ...idle.carries]).size);
        expect(taken.reads).toEqual([...heir.reads, ...idle.reads]);
        expect(taken.loads).toEqual([...heir.loads, ...idle.loads]);
        expect(taken.carriedEntries).toBe(heir.carriedEntries + idle.carriedEntries);
        const registers = [...heir.fromRegisters, ...idle.fromRegisters].filter(tensor => tensor !== first.output);
        expect(taken.fromRegisters).toEqual([...new Set(registers)]);
        const buffer = [...heir.fromBuffer, ...idle.fromBuffer].filter(name => name !== first.name);
        expect(taken.fromBuffer).toEqual([...new Set(buffer)]);
        const { output, valuePerPoint, writesRows, storedWords, runningWords, staysInRegisters } = last;
        expect(taken).toMatchObject({ output, valuePerPoint, writesRows, storedWords, runningWords, staysInRegisters });
        expect([taken.points, taken.pointCycles, taken.array]).toEqual([heir.points, heir.pointCycles, heir.array]);
      }),
      { numRuns: 300 },
    );
    // Some say little of how many there are.
    if (met.user + met.maker + met.none < 100) return;
    expect(Math.min(met.user, met.maker, met.none)).toBeGreaterThan(10);
  });
});
