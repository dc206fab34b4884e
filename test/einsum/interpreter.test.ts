import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../src/einsum/cascade.js";
import type { Einsum, Expression, Index } from "../../src/einsum/einsum.js";
import { type EvaluationProgress, evaluateCascade } from "../../src/einsum/evaluate.js";
import { solveShape } from "../../src/einsum/shape.js";
import { sizeValue } from "../../src/einsum/size.js";
import type { DenseTensor } from "../../src/einsum/tensor-store.js";
import { InputError, UsageError } from "../../src/errors.js";
import { loadCascade } from "../../src/io/cascade-files.js";

type Point = ReadonlyMap<string, number>;

const combined = {
  "+": (a: number, b: number) => a + b,
  "*": (a: number, b: number) => a * b,
  max: Math.max,
  min: Math.min,
} as const;
const empty = { "+": 0, "*": 1, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY } as const;
const relations = {
  "<=": (a: number, b: number) => a <= b,
  "<": (a: number, b: number) => a < b,
  ">=": (a: number, b: number) => a >= b,
  ">": (a: number, b: number) => a > b,
  "==": (a: number, b: number) => a === b,
} as const;

/** One Einsum as its text defines it: every point by itself, then one reduction after the other, first the innermost. */
function plainly(
  cascade: Cascade,
  einsum: Einsum,
  inputs: Readonly<Record<string, DenseTensor>>,
  sizes: Point,
): number[] {
  const sizeOf = (name: string) => sizes.get(cascade.ranks.byName(name)?.name ?? name);
  const worth = ({ terms, offset }: Index, at: Point): number =>
    terms.reduce(
      (sum, { variable, coefficient }) => sum + (at.get(variable) ?? 0) * (sizeValue(coefficient, sizeOf) ?? 0),
      sizeValue(offset, sizeOf) ?? 0,
    );
  const value = (expression: Expression, at: Point): number => {
    if (expression.kind === "number") return expression.value;
    if (expression.kind === "size") return sizeValue(expression.size, sizeOf) ?? 0;
    if (expression.kind === "access") {
      const { shape, data } = inputs[expression.tensor] as DenseTensor;
      return (
        data[expression.indices.reduce((place, index, i) => place * (shape[i] ?? 1) + worth(index, at), 0)] ??
        Number.NaN
      );
    }
    if (expression.kind === "unary")
      return expression.fn === "square" ? value(expression.operand, at) ** 2 : Number.NaN;
    const [a, b] = [value(expression.left, at), value(expression.right, at)];
    return expression.op === "-" ? a - b : expression.op === "/" ? a / b : combined[expression.op](a, b);
  };
  const pointsOf = (variables: readonly string[], from: readonly Point[]): Point[] =>
    variables.reduce<Point[]>(
      (points, v) =>
        points.flatMap(point =>
          Array.from({ length: sizeOf(cascade.ranks.ofVariable(v).name) ?? 0 }, (_, i) => new Map([...point, [v, i]])),
        ),
      [...from],
    );
  // The points of an outer reduction are those at which its variables are known; an inner one runs over the rest.
  const reduced = (n: number, at: Point): number => {
    const level = einsum.reductions[n];
    if (level === undefined) return value(einsum.right, at);
    return pointsOf(
      einsum.reduced.filter(v => level.variables.includes(v)),
      [at],
    )
      .filter(point =>
        einsum.filters.every(
          f => !isKnown(f, point) || relations[f.relation](worth(f.left, point), worth(f.right, point)),
        ),
      )
      .map(point => reduced(n - 1, point))
      .reduce<number>((a, b) => combined[level.op](a, b), empty[level.op]);
  };
  return pointsOf(einsum.free, [new Map()]).map(at => {
    const known = einsum.filters.filter(f => isKnown(f, at));
    return known.every(f => relations[f.relation](worth(f.left, at), worth(f.right, at)))
      ? reduced(einsum.reductions.length - 1, at)
      : 0;
  });
}

const isKnown = ({ left, right }: Einsum["filters"][number], at: Point): boolean =>
  [...left.terms, ...right.terms].every(({ variable }) => at.has(variable));

/** Small whole numbers: exact in any order. */
const data = (count: number, n: number): number[] => Array.from({ length: count }, (_, i) => ((i * 5 + n * 3) % 7) - 2);

describe("one Einsum", () => {
  it.each([
    "Z = A[k] * B[k]",
    "Z[m,n] = A[k,m] * B[k,n]",
    "Z[m] = A[k,j,m] * B[j,k]",
    "Z = A[i,j,k] * B[k,j,i]",
    "Z[k] = A[k+1] * B[k] - A[k]",
    "Z[i] = A[i+k] * B[k]",
    "Z[i] = A[2*i+k+1] * B[k]",
    "Z[i] = A[i+3*k] * B[j,k]",
    "Z = A[k,k] * B[k]",
    "Z[i] = square(A[i,k])",
    "Z = A[k] * B[j] :: +(k) :: max(j)",
    "Z[i] = A[i,j,k] * B[k] :: max(j) :: +(k)",
    "Z[i] = A[i,j,k] - B[k] :: min(k,j)",
    "Z = A[i,j,k] :: *(k) :: +(i) :: max(j)",
    "Z[i] = A[k: k<=i] * B[k]",
    "Z[i] = A[k: k>i] :: max(k)",
    "Z[i] = A[k,j: j<=k & k<=i] * B[j]",
    "Z[i,j] = A[k,i: i>=j] * B[k]",
    "Z[i,j] = A[k: k<=i+j] * B[k]",
    "Z[i] = A[j,k: j+k<=i] * B[k,j] :: +(k) :: max(j)",
    "Z[i] = A[j,k: j<=i] :: max(k) :: +(j)",
    "Z[i] = A[j,k: j<=i] :: max(j) :: +(k)",
    "Z[i] = A[j: 2*j==i] * B[i]",
    "Z[k] = A[K-1] - A[0] + B[k] * K",
    "Z[k0] = A[k1*K0+k0] * B[k1]",
    "Z[k1] = A[k1*K0+k0] * B[k1*K0+k0]",
    "Z[a,b,c,d] = A[a,b] * B[c,d]",
    "Z[a] = A[a,b,c,d] * B[d,c,b]",
    "Z[a,d] = A[a+b+c] * B[b+c+d]",
  ])("law: is what its points give one by one, in the order of its reductions: %s", text => {
    const cascade = parseCascade(`inputs: A, B\n${text}`);
    const [einsum] = cascade.einsums;
    if (einsum === undefined) throw new Error("no Einsum");
    const names = [...new Set([...einsum.free, ...einsum.reduced].map(v => cascade.ranks.ofVariable(v).name))];
    for (const sizes of [
      names.map((_, i) => 3 + (i % 2)),
      names.map((_, i) => 1 + (i % 3)),
      names.map((_, i) => 4 - (i % 3)),
    ]) {
      const shape = Object.fromEntries(names.map((name, i) => [name, sizes[i] as number]));
      const solved = solveShape(cascade, shape);
      // Longer than any index reaches, so that what is read tells by how far.
      const inputs = Object.fromEntries(
        ["A", "B"].map((name, n) => {
          const reads = einsum.reads.filter(read => read.tensor === name);
          const own = (reads[0]?.indices ?? []).map((_, place) =>
            Math.max(
              ...reads.map(({ indices }) => {
                const index = indices[place] as Index;
                const sizeOf = (rank: string) => solved.get(cascade.ranks.byName(rank)?.name ?? rank);
                return index.terms.reduce(
                  (sum, { variable, coefficient }) =>
                    sum +
                    ((sizeOf(cascade.ranks.ofVariable(variable).name) ?? 1) - 1) *
                      (sizeValue(coefficient, sizeOf) ?? 0),
                  1 + (sizeValue(index.offset, sizeOf) ?? 0),
                );
              }),
            ),
          );
          return [
            name,
            {
              shape: own,
              data: data(
                own.reduce((a, b) => a * b, 1),
                n,
              ),
            },
          ] as const;
        }),
      );
      const { tensors } = evaluateCascade(cascade, inputs, { shape: Object.fromEntries(solved) });
      expect(Array.from(tensors.get("Z")?.data ?? [], x => x + 0)).toEqual(
        plainly(cascade, einsum, inputs, solved).map(x => x + 0),
      );
    }
  });

  it("sums products in the order of the coordinates, the rank that is named last fastest", () => {
    // 2^53 + 1 is 2^53: whether 1 or -2^53 comes first tells.
    const [A, ones] = [
      [2 ** 53, 1, -(2 ** 53), 1],
      [1, 1, 1, 1],
    ];
    const run = (text: string, shape: readonly number[]) =>
      evaluateCascade(parseCascade(text), { A: { shape, data: A }, B: { shape, data: ones } }).tensors.get("Z")
        ?.data[0];
    expect(run("Z = A[k] * B[k]", [4])).toBe(1);
    expect(run("Z = A[i,j] * B[i,j]", [2, 2])).toBe(1);
    expect(run("Z = A[i,j] * B[i,j] :: +(j,i)", [2, 2])).toBe(1);
    expect(run("Z = A[i,j] * B[i,j] :: +(i) :: +(j)", [2, 2])).toBe(2);
  });
});

describe("coordinates that do not exist", () => {
  const M = 12;
  const sets = [0xfff, 0x001, 0x800, 0xf00, 0x0f0, 0xa51, 0x000].map(bits => (m: number) => ((bits >> m) & 1) === 1);
  const Q = { shape: [3, 2], data: data(6, 1).map(x => x / 4) };
  const tensor = (rows: number, n: number, keys: readonly number[]) => {
    const whole = data(rows * M, n);
    return {
      shape: [rows, keys.length],
      data: Array.from({ length: rows }, (_, r) => keys.map(m => whole[r * M + m] ?? 0)).flat(),
    };
  };
  const every = Array.from({ length: M }, (_, m) => m);

  it.each(["attention-3-pass", "attention-2-pass", "attention-1-pass"])("law: might as well be cut out of %s", name => {
    const cascade = loadCascade(name);
    const isSplit = cascade.ranks.byName("M0") !== undefined;
    for (const exists of sets) {
      const kept = every.filter(exists);
      const run = (keys: readonly number[], m0: number, present: object) => {
        const inputs = { Q, K: tensor(3, 2, keys), V: tensor(2, 3, keys) };
        return Array.from(
          evaluateCascade(cascade, inputs, { shape: isSplit ? { M0: m0 } : {}, ...present }).tensors.get("AV")?.data ??
            [],
        );
      };
      for (const m0 of isSplit ? [1, 2, 3, 6, 12] : [1]) {
        const masked = run(every, m0, { present: { rank: "M", exists } });
        // A query without keys is 0.
        const cut = kept.length === 0 ? masked.map(() => 0) : run(kept, 1, {});
        for (const [i, x] of cut.entries()) expect(masked[i], `${name}, ${kept}, ${m0}`).toBeCloseTo(x, 12);
      }
    }
  });

  it("are not computed, of another rank change nothing, and are passed over by an iteration", () => {
    const run = (text: string, rank: string) =>
      evaluateCascade(
        parseCascade(text),
        { A: { shape: [4], data: [1, 2, 4, 8] } },
        { present: { rank, exists: m => m % 2 === 1 } },
      );
    const values = (text: string, rank: string) => Array.from(run(text, rank).tensors.get("Z")?.data ?? []);
    expect(values("Z[m] = A[m] + 1", "M")).toEqual([0, 3, 0, 9]);
    expect(values("Z[m] = A[m] + 1", "Z")).toEqual([2, 3, 5, 9]);
    expect(values("Z = A[m]", "m")).toEqual([10]);
    expect(values("Z[i=0] = 0\nZ[i+1] = Z[i] + A[i]\nuntil: i >= I", "I")).toEqual([0, 0, 2, 2, 10]);
  });
});

describe("what is told on the way", () => {
  it("is how many points are done, each 2^20 of them", () => {
    const told: EvaluationProgress[] = [];
    const onProgress = (progress: EvaluationProgress) => told.push(progress);
    const row = { shape: [2050], data: new Float64Array(2050) };
    const A = { shape: [1024], data: new Float64Array(1024) };
    evaluateCascade(parseCascade("Y = C\nZ[i] = A[i] * B[j]"), { A, B: row, C: 1 }, { onProgress });
    // The first line is one point; then 2050 a point of the second.
    const points = 1 + 1024 * 2050;
    const each = Math.ceil((2 ** 20 - 1) / 2050) * 2050 + 1;
    expect(told).toEqual([
      { pointsDone: each, points },
      { pointsDone: points, points },
    ]);
  });

  it("is told at 2^20 points, and not one before", () => {
    const told = (rows: number, columns: number) => {
      const found: EvaluationProgress[] = [];
      const [A, B] = [rows, columns].map(size => ({ shape: [size], data: new Float64Array(size) }));
      if (A === undefined || B === undefined) throw new Error("no inputs");
      evaluateCascade(parseCascade("Z[i] = A[i] * B[j]"), { A, B }, { onProgress: progress => found.push(progress) });
      return found;
    };
    expect(told(1024, 1024)).toEqual([{ pointsDone: 2 ** 20, points: 2 ** 20 }]);
    expect(told(1025, 1023)).toEqual([]);
  });

  it("is where the first of the quotients 0 / 0 is, and how many there are", () => {
    const notes = (text: string, A: DenseTensor) => evaluateCascade(parseCascade(text), { A }).emptyQuotients;
    const zeros = { shape: [2, 3], data: [1, 0, 0, 0, 2, 0] };
    expect(notes("Z[i,j] = A[i,j] / A[i,j]", zeros)).toEqual([{ tensor: "Z", points: 4, first: "at i=0, j=1" }]);
    expect(notes("Z = A / A", { shape: [], data: [0] })).toEqual([
      { tensor: "Z", points: 1, first: "at its only point" },
    ]);
    expect(notes("Z = A / A", { shape: [], data: [3] })).toEqual([]);
  });
});

describe("inputs of the interpreter", () => {
  const cascade = parseCascade("inputs: A[k], s\nZ[k] = A[k] * s", "mine");
  const A = { shape: [2], data: [1, 2] };
  it("may be numbers, and are refused by name", () => {
    expect(evaluateCascade(cascade, { A, s: 3 }).tensors.get("Z")?.data).toEqual(Float64Array.of(3, 6));
    expect(() => evaluateCascade(cascade, { A })).toThrow(/^the inputs of mine: no tensor s; expected all of A, s$/);
    expect(() => evaluateCascade(cascade, { A: { shape: [3], data: [1, 2] }, s: 1 })).toThrow(
      /^the input A of mine: got shape \[3\] with 2 values; expected a value for each point$/,
    );
    for (const scale of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => evaluateCascade(cascade, { A, s: 1 }, { scale })).toThrow(UsageError);
    const large = { A: { shape: [2], data: [1, 70000] }, s: 1 };
    expect(() => evaluateCascade(cascade, large, { format: "fp16" })).toThrow(InputError);
    expect(() => evaluateCascade(cascade, large, { format: "fp16" })).toThrow(
      /^A\[1\] in fp16 arithmetic: got 70000; expected a finite value of magnitude at most 65504; scale the input down/,
    );
    for (const x of [-65504, 65504])
      expect(evaluateCascade(cascade, { A, s: x }, { format: "fp16" }).tensors.get("Z")?.data[0]).toBe(x);
  });

  it("do not fit together, or have no size", () => {
    const reversed = parseCascade("inputs: A[k], B[j]\nZ[j] = A[3-j] * B[j]", "mine");
    const run = (length: number) => () =>
      evaluateCascade(reversed, {
        A: { shape: [4], data: [1, 2, 3, 4] },
        B: { shape: [length], data: Array(length).fill(1) },
      });
    expect(Array.from(run(4)().tensors.get("Z")?.data ?? [])).toEqual([4, 3, 2, 1]);
    expect(run(5)).toThrow(
      /^A\[3-j\] in mine: got coordinate -1; expected one from 0 to 3; the sizes of the ranks and of the inputs do not fit/,
    );
  });
});

describe("a place that is not there", () => {
  const run = (text: string, length: number, shape: Readonly<Record<string, number>>) => () => {
    const A = { shape: [length], data: Array.from({ length }, (_, i) => i) };
    return Array.from(evaluateCascade(parseCascade(text, "mine"), { A }, { shape }).tensors.get("Z")?.data ?? []);
  };
  it("is told before the first coordinate and past the last, on whichever side an index runs", () => {
    expect(run("Z[i,k] = A[i-k+2]", 3, { I: 1, K: 3 })()).toEqual([2, 1, 0]);
    expect(run("Z[i,k] = A[i-k+1]", 3, { I: 1, K: 3 })).toThrow(
      /^A\[i\+1-k\] in mine: got coordinate -1; expected one from 0 to 2/,
    );
    expect(run("Z[i,k] = A[i-k+2]", 3, { I: 2, K: 3 })).toThrow(/got coordinate 3; expected one from 0 to 2/);
    expect(run("Z[i,k] = A[2*i-k+2]", 5, { I: 2, K: 3 })()).toEqual([2, 1, 0, 4, 3, 2]);
    expect(run("Z[k,j] = A[k+j]", 5, { K: 3, J: 3 })()).toEqual([0, 1, 2, 1, 2, 3, 2, 3, 4]);
    expect(run("Z[k,j] = A[k+j]", 4, { K: 3, J: 3 })).toThrow(/got coordinate 4; expected one from 0 to 3/);
    expect(run("Z[k] = A[k+j] * 2", 4, { K: 3, J: 3 })).toThrow(/got coordinate 4; expected one from 0 to 3/);
  });
});

it("counts the quotients 0 / 0 of an iteration once a step", () => {
  const text = "R[i=0] = 0\nR[i+1] = R[i] / R[i]\nuntil: i >= 3";
  // The first step gives 0 / 0, and so do all.
  expect(evaluateCascade(parseCascade(text), {}).emptyQuotients).toEqual([{ tensor: "R", points: 3, first: "at i=0" }]);
  const none = evaluateCascade(
    parseCascade("Y = B[j]\nZ[m] = A[m]"),
    { A: { shape: [2], data: [1, 2] }, B: { shape: [2], data: [3, 4] } },
    { present: { rank: "M", exists: () => false } },
  );
  expect([none.tensors.get("Y")?.data[0], ...(none.tensors.get("Z")?.data ?? [])]).toEqual([7, 0, 0]);
});
