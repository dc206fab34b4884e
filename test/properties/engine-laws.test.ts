import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { maskOf } from "../../src/attention/mask.js";
import type { Operands } from "../../src/attention/problem.js";
import { allRows, rowAt } from "../../src/attention/rows.js";
import type { Engine } from "../../src/emulator/engine.js";
import { type FormatName, formatNames } from "../../src/numerics/format.js";
import { requireFormat } from "../../src/numerics/format-of.js";
import { processingElement } from "../../src/numerics/pe.js";
import { attentionErrorBound, orderErrorBound } from "../../src/numerics/tolerance.js";
import { engines } from "../emulator/engines.js";
import { goldenRow } from "../emulator/golden.js";
import { type Case, cases, unmasked, valueKinds } from "./arbitrary.js";
import { exactElement, forEachElement, goldenDump, permutation, permuteRows, rowData } from "./golden-values.js";
import { expectSameBits, runCase } from "./run.js";

/** fp16 sums may overflow on huge values; those cases have laws of their own. */
const calm = valueKinds.filter(kind => kind !== "huge" && kind !== "wide");

/** A software adapter compiles a kernel for seconds: one format of each kind of words, and one that rounds every sum. */
const dumpedFormats = (engine: string): readonly FormatName[] =>
  engine.startsWith("webgpu") ? ["bf16", "fp16-strict", "fp32"] : formatNames;

describe.each(engines)("laws on $name", ({ name, runs, open }) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine?.close());
  const law = <T>(arbitrary: fc.Arbitrary<T>, hold: (value: T) => Promise<void>, share = 1): Promise<void> =>
    fc.assert(fc.asyncProperty(arbitrary, hold), { numRuns: Math.max(5, Math.round(runs * share)) });

  it("bits equal the contract written out, for any shape, tile, mask, format and range of values", () =>
    law(
      cases(),
      async one => {
        const { av, overflowRow } = await runCase(engine, one);
        const { valueDim } = one.problem.shape;
        for (let row = 0; row < allRows(one.problem).end; row += 1) {
          const golden = goldenRow(one.problem, one.operands, row);
          if (golden === null) {
            expect(overflowRow).toBe(row);
            return;
          }
          expectSameBits(av.subarray(row * valueDim, (row + 1) * valueDim), golden, `row ${row}`);
        }
        expect(overflowRow).toBeNull();
      },
      2,
    ));

  it("every intermediate of a tile equals the contract written out, in bits", () =>
    law(
      cases({ kinds: calm, formats: dumpedFormats(name) }).chain(one =>
        fc.record({
          one: fc.constant(one),
          at: fc.record({
            b: fc.nat(one.problem.shape.batch - 1),
            h: fc.nat(one.problem.shape.heads - 1),
            m1: fc.nat(Math.ceil(one.problem.shape.keys / one.problem.tile.m0) - 1),
            p1: fc.nat(Math.ceil(one.problem.shape.queries / one.problem.tile.p0) - 1),
          }),
        }),
      ),
      async ({ one: { problem, operands }, at }) => {
        const session = await engine.open(problem, operands);
        const dump = await session.dump(at).finally(() => session.close());
        const expected = goldenDump({ problem, operands }, at);
        for (const [name, value] of Object.entries(expected)) {
          const got = dump[name as keyof typeof dump];
          if (value instanceof Float32Array) expectSameBits(got as Float32Array, value, name);
          else expect(got).toEqual(value);
        }
      },
      0.5,
    ));

  it("AV is RNV over RD of the dump of its last tile: what is dumped is what runs", () =>
    law(
      cases({ kinds: calm, formats: dumpedFormats(name) }),
      async ({ problem, operands }) => {
        const { shape, tile } = problem;
        const last = { b: 0, h: 0, m1: Math.ceil(shape.keys / tile.m0) - 1, p1: 0 };
        const session = await engine.open(problem, operands);
        const { rd, rnv, columns } = await session.dump(last).finally(() => session.close());
        const pe = processingElement(requireFormat(problem.arithmetic, "a dump"));
        const { av } = await runCase(engine, { problem, operands });
        const quotients = Float32Array.from({ length: columns * shape.valueDim }, (_, i) => {
          const [p, f] = [Math.floor(i / shape.valueDim), i % shape.valueDim];
          const denominator = rd[p] as number;
          return denominator === 0 ? 0 : pe.div(rnv[f * columns + p] as number, denominator);
        });
        expectSameBits(av.subarray(0, quotients.length), quotients);
      },
      0.25,
    ));

  it("neither P0 nor the split of the rows changes a bit", () =>
    law(
      fc.record({
        one: cases({ kinds: calm }),
        p0: fc.integer({ min: 1, max: 300 }),
        rows: fc.integer({ min: 1, max: 7 }),
      }),
      async ({ one, p0, rows }) => {
        const { av } = await runCase(engine, one);
        const tile = { ...one.problem.tile, p0 };
        const other = await runCase(engine, { ...one, problem: { ...one.problem, tile } }, rows);
        expectSameBits(other.av, av);
      },
      0.5,
    ));

  it("permuting queries permutes the output", () =>
    law(
      cases({ masked: false, kinds: calm }).chain(one =>
        fc.record({ one: fc.constant(one), order: permutation(one.problem.shape.queries) }),
      ),
      async ({ one, order }) => {
        const { queries, headDim, valueDim } = one.problem.shape;
        const q = permuteRows(one.operands.q, queries, headDim, order);
        const { av } = await runCase(engine, one);
        const permuted = await runCase(engine, { ...one, operands: { ...one.operands, q } });
        expectSameBits(permuted.av, permuteRows(av, queries, valueDim, order));
      },
      0.3,
    ));

  it("permuting batches permutes the output", () =>
    law(
      cases({ kinds: calm, batch: 4 }).chain(one =>
        fc.record({ one: fc.constant(one), order: permutation(one.problem.shape.batch) }),
      ),
      async ({ one: { problem, operands }, order }) => {
        const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = problem.shape;
        const permute = (x: Float32Array, width: number): Float32Array => permuteRows(x, batch, width, order);
        const lengths = (x: readonly number[] | null): number[] | null => x && order.map(b => x[b] ?? 0);
        const { kvLens, qLens } = problem.mask;
        const { av } = await runCase(engine, { problem, operands });
        const permuted = await runCase(engine, {
          problem: { ...problem, mask: { ...problem.mask, kvLens: lengths(kvLens), qLens: lengths(qLens) } },
          operands: {
            q: permute(operands.q, heads * queries * headDim),
            k: permute(operands.k, kvHeads * keys * headDim),
            v: permute(operands.v, kvHeads * keys * valueDim),
          },
        });
        expectSameBits(permuted.av, permute(av, heads * queries * valueDim));
      },
      0.3,
    ));

  it("permuting heads with their keys and values permutes the output", () =>
    law(
      cases({ kinds: calm }).chain(one =>
        fc.record({ one: fc.constant(one), order: permutation(one.problem.shape.kvHeads) }),
      ),
      async ({ one: { problem, operands }, order }) => {
        const { heads, kvHeads, queries, keys, headDim, valueDim } = problem.shape;
        const group = heads / kvHeads;
        const permute = (x: Float32Array, width: number): Float32Array => permuteRows(x, kvHeads, width, order);
        const { av } = await runCase(engine, { problem, operands });
        const permuted = await runCase(engine, {
          problem,
          operands: {
            q: permute(operands.q, group * queries * headDim),
            k: permute(operands.k, keys * headDim),
            v: permute(operands.v, keys * valueDim),
          },
        });
        expectSameBits(permuted.av, permute(av, group * queries * valueDim));
      },
      0.3,
    ));

  it("permuting keys inside a tile moves the result by no more than the order of its sums can", () =>
    law(
      cases({ masked: false, kinds: calm }).chain(one =>
        fc.record({ one: fc.constant(one), order: permutation(one.problem.tile.m0) }),
      ),
      async ({ one, order }) => {
        const { keys, headDim, valueDim } = one.problem.shape;
        const { m0 } = one.problem.tile;
        // Keys stay in their tile; those of a ragged last tile keep their place.
        const moved = Array.from({ length: keys }, (_, m) => {
          const first = Math.floor(m / m0) * m0;
          return first + m0 <= keys ? first + (order[m - first] as number) : m;
        });
        const operands: Operands = {
          q: one.operands.q,
          k: permuteRows(one.operands.k, keys, headDim, moved),
          v: permuteRows(one.operands.v, keys, valueDim, moved),
        };
        const { av } = await runCase(engine, one);
        const permuted = await runCase(engine, { ...one, operands });
        forEachElement(one.problem, (row, f, at) => {
          const data = rowData(one, row, f);
          const bound = data === null ? 0 : orderErrorBound(data);
          expect(Math.abs((permuted.av[at] ?? Number.NaN) - (av[at] ?? Number.NaN))).toBeLessThanOrEqual(bound);
        });
      },
      0.3,
    ));

  it("is exact attention up to the error bound of the format", () =>
    law(
      cases({ kinds: calm }),
      async one => {
        const { av } = await runCase(engine, one);
        forEachElement(one.problem, (row, f, at) => {
          const data = rowData(one, row, f);
          const got = av[at] ?? Number.NaN;
          if (data === null) expect(got).toBe(0);
          else expect(Math.abs(got - exactElement(data))).toBeLessThanOrEqual(attentionErrorBound(data));
        });
      },
      0.5,
    ));

  it("adding a constant to all scores changes nothing beyond the error bounds of the two", () =>
    law(
      fc.record({ one: cases({ kinds: ["normal", "ties"], dim: 8 }), shift: fc.integer({ min: -16, max: 16 }) }),
      async ({ one, shift }) => {
        // One more element of every query, 1, and of every key, the constant.
        const { headDim } = one.problem.shape;
        const widen = (x: Float32Array, last: number): Float32Array =>
          Float32Array.from({ length: (x.length / headDim) * (headDim + 1) }, (_, i) => {
            const e = i % (headDim + 1);
            return e === headDim ? last : (x[Math.floor(i / (headDim + 1)) * headDim + e] ?? 0);
          });
        const shifted: Case = {
          problem: { ...one.problem, shape: { ...one.problem.shape, headDim: headDim + 1 } },
          operands: { q: widen(one.operands.q, 1), k: widen(one.operands.k, shift), v: one.operands.v },
        };
        const before = await runCase(engine, one);
        const after = await runCase(engine, shifted);
        forEachElement(one.problem, (row, f, at) => {
          const data = [rowData(one, row, f), rowData(shifted, row, f)];
          const bound = data.reduce((sum, d) => sum + (d === null ? 0 : attentionErrorBound(d)), 0);
          expect(Math.abs((after.av[at] ?? Number.NaN) - (before.av[at] ?? Number.NaN))).toBeLessThanOrEqual(bound);
        });
      },
      0.3,
    ));

  it("one key returns that key's value", () =>
    law(
      cases({ keys: 1, masked: false, kinds: [...calm, "wide"] }),
      async one => {
        const { av } = await runCase(engine, one);
        const { heads, kvHeads, queries, valueDim } = one.problem.shape;
        const expected = Float32Array.from(av, (_, i) => {
          const head = Math.floor(i / valueDim / queries);
          const kvHead = Math.floor(head / heads) * kvHeads + Math.floor((head % heads) / (heads / kvHeads));
          return one.operands.v[kvHead * valueDim + (i % valueDim)] ?? Number.NaN;
        });
        expectSameBits(av, expected);
      },
      0.3,
    ));

  it("a causal row is unmasked attention on the prefix of the keys, and decode with a growing cache", () =>
    law(
      cases({ masked: false, kinds: calm, batch: 1, queries: 9, keys: 30 }),
      async ({ problem, operands }) => {
        const { heads, kvHeads, queries, keys, headDim, valueDim } = problem.shape;
        const causal = { ...problem, mask: { ...unmasked, right: 0 } };
        const { av } = await runCase(engine, { problem: causal, operands });
        for (let p = 0; p < queries; p += 1) {
          const cache = p + keys - queries + 1;
          const row = (x: Float32Array, width: number): Float32Array =>
            Float32Array.from({ length: heads * width }, (_, i) => {
              const h = Math.floor(i / width);
              return x[(h * queries + p) * width + (i % width)] ?? 0;
            });
          if (cache <= 0) {
            expectSameBits(row(av, valueDim), new Float32Array(heads * valueDim));
            continue;
          }
          const prefix = (x: Float32Array, width: number): Float32Array =>
            Float32Array.from({ length: kvHeads * cache * width }, (_, i) => {
              const h = Math.floor(i / (cache * width));
              return x[h * keys * width + (i % (cache * width))] ?? 0;
            });
          const one = {
            problem: { ...problem, shape: { ...problem.shape, queries: 1, keys: cache } },
            operands: { q: row(operands.q, headDim), k: prefix(operands.k, headDim), v: prefix(operands.v, valueDim) },
          };
          expectSameBits((await runCase(engine, one)).av, row(av, valueDim), `query ${p}`);
        }
      },
      0.2,
    ));

  it("a window at least as long as the sequence is none", () =>
    law(
      fc.record({ one: cases({ masked: false, kinds: calm }), more: fc.nat(3) }),
      async ({ one, more }) => {
        const { queries, keys } = one.problem.shape;
        const wide = Math.max(queries, keys) + more;
        const mask = { ...unmasked, left: wide, right: wide };
        const windowed = await runCase(engine, { ...one, problem: { ...one.problem, mask } });
        expectSameBits(windowed.av, (await runCase(engine, one)).av);
      },
      0.3,
    ));

  it("grouped heads are plain heads whose keys and values are repeated", () =>
    law(
      cases({ kinds: calm }),
      async ({ problem, operands }) => {
        const { heads, kvHeads, keys, headDim, valueDim } = problem.shape;
        const repeat = (x: Float32Array, width: number): Float32Array =>
          Float32Array.from({ length: (x.length / kvHeads) * heads }, (_, i) => {
            const head = Math.floor(i / (keys * width));
            const kvHead = Math.floor(head / (heads / kvHeads));
            return x[kvHead * keys * width + (i % (keys * width))] ?? 0;
          });
        const plain = {
          problem: { ...problem, shape: { ...problem.shape, kvHeads: heads } },
          operands: { q: operands.q, k: repeat(operands.k, headDim), v: repeat(operands.v, valueDim) },
        };
        expectSameBits((await runCase(engine, plain)).av, (await runCase(engine, { problem, operands })).av);
      },
      0.3,
    ));

  it("a batch with lengths is its sequences run one by one, and padding is never read", () =>
    law(
      cases({ kinds: calm, batch: 3 }),
      async ({ problem, operands }) => {
        const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = problem.shape;
        const { kvLens, qLens } = problem.mask;
        const { av } = await runCase(engine, { problem, operands });
        for (let b = 0; b < batch; b += 1) {
          const [p, m] = [qLens?.[b] ?? queries, kvLens?.[b] ?? keys];
          const part = (x: Float32Array, hs: number, size: number, length: number, width: number): Float32Array =>
            Float32Array.from({ length: hs * length * width }, (_, i) => {
              const h = Math.floor(i / (length * width));
              return x[(b * hs + h) * size * width + (i % (length * width))] ?? Number.NaN;
            });
          const padding = part(av, heads, queries, queries, valueDim).filter(
            (_, i) => Math.floor(i / valueDim) % queries >= p,
          );
          expectSameBits(padding, new Float32Array(padding.length), "rows past the length");
          if (p === 0) continue;
          const got = part(av, heads, queries, p, valueDim);
          if (m === 0) {
            expectSameBits(got, new Float32Array(got.length), "rows without keys");
            continue;
          }
          const alone = {
            problem: {
              ...problem,
              shape: { ...problem.shape, batch: 1, queries: p, keys: m },
              mask: { ...problem.mask, kvLens: null, qLens: null },
            },
            operands: {
              q: part(operands.q, heads, queries, p, headDim),
              k: part(operands.k, kvHeads, keys, m, headDim),
              v: part(operands.v, kvHeads, keys, m, valueDim),
            },
          };
          expectSameBits(got, (await runCase(engine, alone)).av, `batch ${b}`);
        }
      },
      0.3,
    ));

  it("computes a tile only where a query of it sees a key (engines that count)", () =>
    law(
      cases({ kinds: ["normal"] }),
      async one => {
        const { tiles } = await runCase(engine, one);
        if (tiles === null) return;
        const { batch, heads, queries, keys } = one.problem.shape;
        const { m0, p0 } = one.problem.tile;
        const needed = new Set<string>();
        for (let b = 0; b < batch; b += 1) {
          for (let p = 0; p < queries; p += 1) {
            const { from, to } = maskOf(one.problem).span(rowAt(one.problem.shape, { b, h: 0, p }));
            for (let m = from; m < to; m += 1) needed.add(`${b} ${Math.floor(p / p0)} ${Math.floor(m / m0)}`);
          }
        }
        expect(tiles).toBe(heads * needed.size);
        expect(tiles).toBeLessThanOrEqual(batch * heads * Math.ceil(queries / p0) * Math.ceil(keys / m0));
      },
      0.3,
    ));
});
