import fc from "fast-check";
import { bitPlane } from "../../src/attention/bit-plane.js";
import type { AttentionMask } from "../../src/attention/mask.js";
import type { AttentionShape } from "../../src/attention/shape.js";
import type { AttentionInputs } from "../../src/emulator/operands.js";
import { prepareScores } from "../../src/emulator/prepare.js";
import type { FormatName } from "../../src/numerics/format.js";
import { type Case, cases } from "./arbitrary.js";

/** A case in which more is done to scores, and the inputs that say what. */
export interface ScoreCase extends Case {
  readonly inputs: AttentionInputs;
}

const broadcast = (shape: AttentionShape): fc.Arbitrary<readonly [number, number, number, number]> => {
  const either = (size: number): fc.Arbitrary<number> => fc.constantFrom(1, size);
  return fc.tuple(
    either(shape.batch),
    either(shape.heads),
    either(shape.queries),
    fc.oneof(fc.constantFrom(1, shape.keys, shape.keys), fc.integer({ min: 1, max: shape.keys })),
  );
};

/** A mask with patterns and planes more. */
function patterns(shape: AttentionShape, mask: AttentionMask): fc.Arbitrary<AttentionMask> {
  const plane = broadcast(shape).chain(sizes =>
    fc
      .record({
        density: fc.constantFrom(1, 3, 6, 9),
        seed: fc.nat(1 << 20),
        block: fc.constantFrom(1, 1, 3, 40),
      })
      .map(({ density, seed, block }) => {
        const keys = Math.ceil(sizes[3] / block);
        const queries = sizes[2] === 1 ? 1 : Math.ceil(sizes[2] / block);
        const own = [sizes[0], sizes[1], queries, sizes[3] === 1 ? 1 : keys] as const;
        const count = own.reduce((a, b) => a * b, 1);
        // Any bits do: those of a linear congruence.
        const values = Uint8Array.from({ length: count }, (_, i) =>
          ((seed + i * 2654435761) >>> 7) % 10 < density ? 1 : 0,
        );
        return bitPlane(own, values, { queries: block, keys: block });
      }),
  );
  const some = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(values, { nil: undefined, freq: 1 });
  return fc
    .record({
      planes: fc.array(plane, { maxLength: 2 }),
      prefix: some(fc.integer({ min: 0, max: shape.keys })),
      origin: some(fc.integer({ min: -3, max: 5 })),
      leftPad: some(
        fc.array(fc.integer({ min: 0, max: shape.keys }), { minLength: shape.batch, maxLength: shape.batch }),
      ),
      documents: some(fc.constant([Math.ceil(shape.keys / 3), shape.keys])),
    })
    .map(({ planes, prefix, origin, leftPad, documents }) => ({
      ...mask,
      planes,
      ...(prefix === undefined ? {} : { prefix }),
      ...(origin === undefined ? {} : { origin }),
      ...(leftPad === undefined ? {} : { leftPad }),
      ...(documents === undefined || shape.queries !== shape.keys ? {} : { documents }),
    }));
}

/** Cases with any mask, a bias (some of it -inf), a soft-cap and sinks, each of them there or not. */
export function scoreCases(format: FormatName, limits: Parameters<typeof cases>[0] = {}): fc.Arbitrary<ScoreCase> {
  const kinds = ["normal", "ties", "tiny", "equal scores", "negative scores"] as const;
  return cases({ dim: 9, keys: 40, queries: 9, kinds, ...limits, formats: [format] }).chain(({ problem, operands }) => {
    const { shape } = problem;
    const values = fc.oneof(
      fc.double({ min: -9, max: 9, noNaN: true }),
      fc.constantFrom(0, -0, 1e-40, -2, Number.NEGATIVE_INFINITY),
    );
    const bias = broadcast(shape).chain(sizes => {
      const length = sizes.reduce((a, b) => a * b, 1);
      return fc.array(values, { minLength: 1, maxLength: 7 }).map(some => ({
        shape: sizes,
        values: Float32Array.from({ length }, (_, i) => some[(i * 5) % some.length] ?? 0),
      }));
    });
    const sink = fc.array(fc.double({ min: -4, max: 8, noNaN: true }), {
      minLength: shape.heads,
      maxLength: shape.heads,
    });
    return fc
      .record({
        mask: fc.oneof(fc.constant(problem.mask), patterns(shape, problem.mask)),
        softcap: fc.option(fc.constantFrom(0.5, 2, 50, 2 ** -24, 2 ** 24), { nil: undefined }),
        bias: fc.option(bias, { nil: undefined }),
        sink: fc.option(sink, { nil: undefined }),
      })
      .map(({ mask, softcap, bias, sink }) => {
        const given = { ...problem, mask, states: true, ...(softcap === undefined ? {} : { softcap }) };
        const inputs = {
          ...operands,
          ...(bias === undefined ? {} : { bias }),
          ...(sink === undefined ? {} : { sink }),
        };
        const prepared = prepareScores(given, inputs);
        return {
          problem: prepared.problem,
          operands: { q: operands.q, k: operands.k, v: operands.v, ...prepared.operands },
          inputs,
        };
      });
  });
}
