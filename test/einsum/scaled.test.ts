import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { evaluateCascade } from "../../src/einsum/evaluate.js";
import { ScaledOperands } from "../../src/einsum/scaled-operands.js";
import { encode } from "../../src/emulator/golden/encode.js";
import { onePassAttention } from "../../src/emulator/golden/one-pass.js";
import { InputError } from "../../src/errors.js";
import { loadCascade } from "../../src/io/cascade-files.js";
import { specFiles } from "../../src/io/spec-files.js";
import { type ArithmeticSpec, type OperandSpec, type Scale, scaleBlock } from "../../src/numerics/arithmetic.js";
import { type NumberType, numberTypes } from "../../src/numerics/number-type.js";
import { loadArithmetic } from "../../src/spec/load.js";

const base = loadArithmetic(specFiles, "bf16");
const operand = (type: NumberType, scale: Scale): OperandSpec => ({ type: numberTypes[type], scale });
const plain = operand("fp16", "none");

function arithmeticOf(own: Partial<ArithmeticSpec["operands"]>, dot: ArithmeticSpec["dot"] = "chain"): ArithmeticSpec {
  return { ...base, name: "scaled", dot, operands: { q: plain, k: plain, v: plain, p: plain, ...own } };
}

const shared = fc.constantFrom<Scale>("none", "tensor", "head", { rows: 1 }, { rows: 3 });
const ofScores = fc.oneof(
  fc.tuple(shared, shared).map(([q, k]) => ({ q: operand("int8", q), k: operand("fp8-e4m3", k) })),
  fc.constant({ q: operand("fp8-e4m3", "mx"), k: operand("fp4-e2m1", "mx") }),
  fc.constant({ q: operand("fp4-e2m1", "nvfp4"), k: operand("fp4-e2m1", "nvfp4") }),
);
const ofValues = fc.constantFrom<Scale>("none", "tensor", "head").map(scale => ({ v: operand("fp8-e5m2", scale) }));
const steps = fc.constantFrom("chain" as const, { block: 32, align: 13, result: "e8m13-rz" as const });

/** Three blocks of 16 and two of 32 features, of which the last is short. */
const [P, M, E, F] = [4, 7, 37, 2];
/** Values of which some are 0 and some sets are all 0 or below 2^-40. */
const values = (count: number) =>
  fc.record({ seed: fc.nat(1e6), spread: fc.constantFrom(1, 1, 300, 2 ** -45) }).map(({ seed, spread }) =>
    Float64Array.from({ length: count }, (_, i) => {
      const x = Math.sin((i + 1) * (seed + 1.7));
      return i % 40 < 3 ? 0 : spread * x * (i < count / 2 ? 1 : 1e-3);
    }),
  );

/** Values of [rows, columns] as [columns, rows]. */
const turned = (from: Float64Array, rows: number, columns: number): Float64Array =>
  Float64Array.from(from, (_, i) => from[(i % rows) * columns + Math.floor(i / rows)] ?? 0);

/** FuseMax's cascade in one tile, with tokens first or last in each of its inputs, and keys that are copied or not. */
function textOf([q, k, v]: readonly boolean[], copied: boolean): string {
  const own = { Q: q ? "p,e" : "e,p", K: k ? "m,e" : "e,m", V: v ? "m,f" : "f,m" };
  return [
    ...(copied ? [`C[m,e] = K[${own.K}]`] : []),
    `QK[m,p] = ${copied ? "C[m,e]" : `K[${own.K}]`} * Q[${own.Q}]`,
    "GM[p] = QK[m,p] :: max(m)",
    "SN[m,p] = exp(QK[m,p] - GM[p]) @operand",
    "SD[p] = SN[m,p]",
    `SNV[f,p] = SN[m,p] * V[${own.V}]`,
    "AV[f,p] = SNV[f,p] / SD[p]",
  ].join("\n");
}

describe("inputs with scales", () => {
  it("law: attention has the golden bits in every layout of its tensors, copies of keys included", () => {
    const layout = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
    let compared = 0;
    fc.assert(
      fc.property(
        fc.tuple(ofScores, ofValues, steps),
        fc.tuple(values(P * E), values(M * E), values(M * F)),
        layout,
        fc.boolean(),
        ([scores, v, dot], [q, k, own], tokensFirst, copied) => {
          const arithmetic = arithmeticOf({ ...scores, ...v }, scores.q.scale === "nvfp4" ? "chain" : dot);
          const golden = onePassAttention(arithmetic, {
            q: { rows: P, columns: E, values: q },
            k: { rows: M, columns: E, values: k },
            v: { rows: M, columns: F, values: own },
            ...{ m0: M, scale: 0.5, kvSplits: 1, sees: () => true },
          }).av.values;
          const tensor = (data: Float64Array, rows: number, columns: number, asIs = true) =>
            asIs ? { shape: [rows, columns], data } : { shape: [columns, rows], data: turned(data, rows, columns) };
          const inputs = {
            Q: tensor(q, P, E, tokensFirst[0]),
            K: tensor(k, M, E, tokensFirst[1]),
            V: tensor(own, M, F, tokensFirst[2]),
          };
          const cascade = parseCascade(textOf(tokensFirst, copied));
          const { tensors } = evaluateCascade(cascade, inputs, { format: arithmetic, scale: 0.5 });
          expect([...(tensors.get("AV")?.data ?? [])]).toEqual([...turned(golden, P, F)]);
          compared += 1;
        },
      ),
      { numRuns: 100 },
    );
    expect(compared).toBeGreaterThan(0);
  });

  it.each([
    ["head", "int8", 5, 3],
    ["tensor", "fp8-e4m3", 5, 3],
    [{ rows: 2 }, "fp8-e4m3", 5, 3],
    [{ rows: 1 }, "int8", 3, 4],
    ["mx", "fp8-e5m2", 3, 37],
    ["mx", "fp4-e2m1", 2, 32],
    ["nvfp4", "fp4-e2m1", 3, 37],
    ["nvfp4", "fp4-e2m1", 2, 16],
  ] as const)(
    "law: scales of %j for %s are those of the contract, whichever rank is first",
    (scale, type, tokens, features) => {
      const spec = operand(type, scale);
      const arithmetic = arithmeticOf({ q: spec, k: spec, v: spec });
      const cascades = [true, false].map(first => parseCascade(textOf([first, first, first], false)));
      // Sets of unlike largest magnitudes, one of zeros, and one of which the largest is the least that counts.
      const values = Float64Array.from({ length: tokens * features }, (_, i) => {
        const [token, feature] = [Math.floor(i / features), i % features];
        const tiny = token === 1 && feature < 16 ? 2 ** -40 : token === tokens - 1 && feature >= 16 ? 0 : 1;
        return (((i * 7) % 11) - 5) * 2 ** token * tiny * (tiny === 2 ** -40 ? 0.2 : 1);
      });
      const encoded = encode({ rows: tokens, columns: features, values }, spec);
      const width = scaleBlock(scale) ?? features;
      const scales = values.map((_, i) => encoded.scale(Math.floor(i / features), Math.floor((i % features) / width)));
      for (const [n, cascade] of cascades.entries()) {
        const own = ScaledOperands.of(cascade, arithmetic);
        const inPlace = (data: Float64Array) => (n === 0 ? data : turned(data, tokens, features));
        const shape = n === 0 ? [tokens, features] : [features, tokens];
        for (const name of ["Q", "K", "V"]) {
          const found = own?.encode(name, { shape, data: inPlace(values) });
          expect(found?.values, `${name}, ${n}`).toEqual(inPlace(encoded.values));
          expect(found?.scales, `${name}, ${n}`).toEqual(inPlace(scales));
        }
        expect(own?.encode("SN", { shape, data: values })).toBeNull();
      }
    },
  );

  it("are those of q and k in their product, of copies of k, and of the output", () => {
    const cascade = parseCascade(textOf([true, true, true], true));
    const head = operand("fp16", "head");
    const of = (own: Partial<ArithmeticSpec["operands"]>) => ScaledOperands.of(cascade, arithmeticOf(own));
    const all = of({ q: head, k: head, v: head });
    const pairs = [
      ...[
        ["Q", "K"],
        ["K", "Q"],
        ["Q", "C"],
        ["C", "Q"],
      ],
      ...[
        ["Q", "Q"],
        ["K", "K"],
        ["C", "K"],
        ["Q", "V"],
        ["V", "K"],
        ["Q", null],
        [null, "K"],
        [null, null],
      ],
    ] as const;
    expect(pairs.map(([a, b]) => all?.isScore(a ?? null, b ?? null))).toEqual(pairs.map((_, i) => i < 4));
    expect(["C", "K", "Q", "QK"].map(name => all?.copiesScaled(name))).toEqual([true, true, false, false]);
    expect(of({ q: head })?.copiesScaled("C")).toBe(false);
    expect([all?.output, of({ q: head })?.output]).toEqual([{ tensor: "AV", values: "V" }, null]);
    const blocked = operand("fp4-e2m1", "mx");
    const after = [{ q: head }, { k: head }, { q: head, k: head }, { v: head }, { q: blocked, k: blocked }];
    expect(after.map(own => of(own)?.isScoreScaledAfterwards)).toEqual([true, true, true, false, false]);
    expect([of({ q: blocked, k: blocked }), all].map(own => own?.scoreBlock)).toEqual([32, null]);
    expect([all?.times(3, 0.5), all?.times(2 ** -60, 2 ** -60), all?.times(1 + 2 ** -23, 1 + 2 ** -23)]).toEqual([
      1.5,
      0,
      1 + 2 ** -22,
    ]);
    expect(of({})).toBeNull();
  });

  const one = { shape: [1, 1], data: [1] };
  const evaluate = (text: string, own: Partial<ArithmeticSpec["operands"]>, data: readonly number[] = [1]) =>
    evaluateCascade(
      parseCascade(text, "mine"),
      { Q: { shape: [1, 1], data }, K: one, V: one },
      { format: arithmeticOf(own) },
    );
  const scaled = operand("fp16", "head");
  const attention = (scores: string, output: string) =>
    `# roles: out=AV\nQK[m,p] = ${scores}\nAV[f,p] = ${output}\n`.replaceAll("; ", "\n");

  it.each([
    ["Q[e,p] * K[e,m]", true],
    ["K[e,m] * Q[e,p]", true],
    ["Q[e,p] * K[e,m] :: +(e)", true],
    ["Q[e,p] * K[e,m] :: max(e)", false],
    ["Q[e,p] * K[e,m] * 2", false],
    ["2 * Q[e,p]; R[m,p] = QK[m,p] * K[e,m]", false],
    ["Q[e,p] + K[e,m]", false],
    ["square(Q[e,p]) * K[e,m]", false],
    ["Q[e,p] * square(K[e,m])", false],
    ["Q[e,p] * K[e,m]; R[m,p] = K[e,m] * Q[e,p]", true],
    ["Q[e,p] * K[e,m]; R[p] = Q[e,p] * K[e,m]", false],
    ["Q[e,p] * K[e,m]; R[m,p,e] = Q[e,p] * K[e,m]", false],
    ["Q[e,p] * K[e,m]; R[p] = Q[e,p] * K[e,m] :: +(e) :: +(m)", false],
    ["Q[e,p] * K[e,m]; R[p] = Q[e,p] * Q[e,p]", false],
    ["Q[e,p] * K[e,m]; R[m] = K[e,m] * K[e,m]", false],
    ["Q[e,p] * K[e,m]; R[m] = K[e,m]", false],
    ["Q[e,p] * K[e,m]; C[m,e] = K[e,m]; R[m,p] = C[m,e] * Q[e,p]", true],
    ["Q[e,p] * K[e,m]; C[m,e] = K[e,m]; R[m] = C[m,e] * 2", false],
    ["Q[e,p] * K[e,m]; C[m,e] = K[e,m] @operand", false],
  ])("take q and k in their product over E alone: %s", (scores, taken) => {
    const text = attention(scores, "QK[m,p] * V[f,m]");
    for (const input of ["q", "k"] as const) {
      const run = () => evaluate(text, { [input]: scaled });
      if (taken) expect(run).not.toThrow();
      else expect(run).toThrow(InputError);
    }
    if (!taken)
      expect(() => evaluate(text, { k: scaled })).toThrow(
        /^mine:\d: got .*, where k has scales in arithmetic scaled; expected Q and K in their product over E alone; take an arithmetic without scales, or/,
      );
  });

  it.each([
    ["QK[m,p] * V[f,m]", true],
    ["V[f,m] * QK[m,p]", true],
    ["neg(V[f,m]) * QK[m,p]", true],
    ["QK[m,p] * V[f,m] / 2", true],
    ["QK[m,p] * V[f,m] + QK[m,p] * V[f,m]", true],
    ["QK[m,p] * V[f,m] - QK[m,p] * V[f,m]", true],
    ["QK[m,p] * V[f,m] / exp(QK[m,p])", true],
    ["QK[m,p] * V[f,m] / max(QK[m,p], 1)", true],
    ["QK[m,p] * V[f,m] :: max(m)", false],
    ["QK[m,p] * V[f,m] + 1", false],
    ["1 + QK[m,p] * V[f,m]", false],
    ["2 - QK[m,p] * V[f,m]", false],
    ["max(QK[m,p] * V[f,m], QK[m,p] * V[f,m])", false],
    ["QK[m,p] * relu(V[f,m])", false],
    ["QK[m,p] * relu(V[f,m]) * V[f,m]", false],
    ["QK[m,p] / V[f,m]", false],
    ["QK[m,p] * V[f,m] * V[f,m]", false],
    ["QK[m,p] * V[f,m] / V[f,m]", false],
    ["QK[m,p] * V[f,m]; Z = AV[f,p]", false],
    ["QK[m,p] * W[f,m]; W[f,m] = V[f,m] + 1", false],
  ])("take v where the output is linear in it: %s", (output, taken) => {
    const [av, w] = output.split("; W");
    const text = attention("Q[e,p] * K[e,m]", av ?? "");
    const whole = w === undefined ? text : text.replace("AV[f,p]", `W${w}\nAV[f,p]`);
    const run = () => evaluate(whole, { v: scaled });
    if (taken) expect(run).not.toThrow();
    else expect(run).toThrow(/where v has scales in arithmetic scaled; expected AV linear in V, and read nowhere/);
  });

  it("take v through an iteration that begins with 0 alone", () => {
    const text = (start: number) =>
      `# roles: out=AV\nQK[m,p] = Q[e,p] * K[e,m]\nS[i=0,f,p] = ${start}\nS[i+1,f,p] = S[i,f,p] + QK[i,p] * V[f,i]\nAV[f,p] = S[M,f,p]\nuntil: i >= M`;
    expect(evaluate(text(0), { v: scaled }).tensors.get("AV")?.data[0]).toBe(1);
    expect(() => evaluate(text(1), { v: scaled })).toThrow(/S\[i=0,f,p\] = 1, where v has scales/);
  });

  it("are of magnitude 2^50 at most, and attention's", () => {
    const text = attention("Q[e,p] * K[e,m]; S[m,p] = exp(QK[m,p] - QK[m,p])", "S[m,p] * V[f,m]");
    expect(() => evaluate(text, { q: scaled }, [2 ** 50])).not.toThrow();
    for (const data of [[2 ** 51], [-(2 ** 51)], [Number.NaN]])
      expect(() => evaluate(text, { q: scaled }, data)).toThrow(
        /^Q\[0,0\] in scaled arithmetic: got \S+; expected a finite value of magnitude at most 2\^50; scale the input/,
      );
    expect(() => evaluate("Z = Q[e,p] * K[e,p]", { q: scaled, v: scaled })).toThrow(
      /^arithmetic scaled: got scales of q, v for mine; expected attention of q\[e,p\], k\[e,m\] and v\[f,m\], or operands/,
    );
    expect(() => evaluate("Z = Q[e,p] * K[e,p]", {})).not.toThrow();
  });

  it("are multiplied back, once the sum is done where they are constant along it", () => {
    const scores = (scale: Scale, type: NumberType) => {
      const Q = { shape: [2, 1], data: [3, -1.5] };
      const K = { shape: [2, 2], data: [5, 2, -4, 1] };
      const own = { q: operand(type, scale), k: operand(type, scale) };
      const text = attention("Q[e,p] * K[e,m]", "QK[m,p] * V[f,m]");
      const { tensors } = evaluateCascade(
        parseCascade(text),
        { Q, K, V: { shape: [1, 2], data: [1, 1] } },
        { format: arithmeticOf(own) },
      );
      return tensors.get("QK")?.data ?? [];
    };
    // 3 * 5 + 1.5 * 4 and 3 * 2 - 1.5; of 127 steps and of 3 bits.
    for (const [scale, type, error] of [
      ["head", "int8", 0.3],
      ["tensor", "int8", 0.3],
      [{ rows: 1 }, "int8", 0.3],
      ["mx", "fp8-e4m3", 2],
      ["nvfp4", "fp4-e2m1", 8],
    ] as const) {
      const [first = 0, second = 0] = scores(scale, type);
      expect(Math.abs(first - 21), JSON.stringify(scale)).toBeLessThan(error);
      expect(Math.abs(second - 4.5), JSON.stringify(scale)).toBeLessThan(error);
    }
  });

  it("have no mask", () => {
    const Q = { shape: [2, 1], data: [1, 2] };
    const present = { rank: "M", exists: () => true };
    const run = (own: Partial<ArithmeticSpec["operands"]>) => () =>
      evaluateCascade(loadCascade("attention-3-pass"), { Q, K: Q, V: Q }, { format: arithmeticOf(own), present });
    expect(run({})).not.toThrow();
    expect(run({ k: scaled })).toThrow(
      /^arithmetic scaled: got coordinates of M that do not exist; expected all of them, where inputs have scales/,
    );
  });
});
