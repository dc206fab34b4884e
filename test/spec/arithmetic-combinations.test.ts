import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { numberTypeNames } from "../../src/numerics/number-type.js";
import { loadArithmetic } from "../../src/spec/load.js";

/*
 * The rules of docs/arithmetic.md, "A file", said again: a file is read if, and only if, it breaks none of them, and what
 * is said of one that does is at a field of a rule that it breaks.
 */

type Scale = string | { readonly rows: number };
interface Operand {
  readonly type: string;
  readonly scale?: Scale | undefined;
}
interface File {
  readonly name: string;
  readonly source: string;
  readonly operands: Readonly<Record<"q" | "k" | "v" | "p", Operand>>;
  readonly accumulator?: string | undefined;
  readonly smooth?: string | undefined;
  readonly dot?: string | { readonly block: number; readonly align: number; readonly result: string } | undefined;
  readonly exponent?: string | undefined;
  readonly exp?: { readonly coefficients?: readonly number[]; readonly fused?: boolean } | undefined;
  readonly offset?: number | undefined;
  readonly threshold?: number | undefined;
  readonly denominator?: string | undefined;
  readonly sums?: string | undefined;
  readonly keys?: string | undefined;
  readonly normalize?: string | undefined;
  readonly output?: string | undefined;
}

const small = ["fp8-e4m3", "fp8-e5m2", "fp6-e2m3", "fp6-e3m2", "fp4-e2m1"];
const usual = {
  ...{ smooth: "none", dot: "chain", exponent: "difference", offset: 0, threshold: 0, denominator: "rounded" },
  ...{ sums: "tile", keys: "ascending", normalize: "divide" },
} as const;

/** The fields of the rules that a file breaks. */
function brokenBy(file: File): readonly string[] {
  const { operands, accumulator = "fp32", dot = "chain" } = file;
  const scaleOf = (name: keyof File["operands"]): Scale => operands[name].scale ?? "none";
  const names = ["q", "k", "v", "p"] as const;
  const broken: string[] = [];
  if (accumulator !== "fp32") {
    for (const [field, value] of Object.entries(usual)) {
      if ((file[field as keyof typeof usual] ?? value) !== value) broken.push(field);
    }
    if (file.exp?.fused === true) broken.push("exp.fused");
    for (const name of names) if (scaleOf(name) !== "none") broken.push(`operands.${name}.scale`);
  }
  const isBlocked = (scale: Scale): boolean => scale === "mx" || scale === "nvfp4";
  for (const [one, other] of [
    ["q", "k"],
    ["p", "v"],
  ] as const) {
    const [a, b] = [scaleOf(one), scaleOf(other)];
    if ((isBlocked(a) || isBlocked(b)) && a !== b) broken.push(`operands.${one}.scale`);
  }
  if (typeof scaleOf("v") === "object") broken.push("operands.v.scale");
  if (!["none", "mx", "nvfp4"].includes(scaleOf("p") as string)) broken.push("operands.p.scale");
  const scales = names.map(scaleOf);
  if (file.keys === "descending" && scales.some(isBlocked)) broken.push("keys");
  if (typeof dot === "object" && dot.block !== 32 && scales.includes("mx")) broken.push("dot.block");
  if (typeof dot === "object" && scales.includes("nvfp4")) broken.push("dot");
  for (const name of names) {
    const { type } = operands[name];
    const scale = scaleOf(name);
    if (scale === "mx" && !small.includes(type)) broken.push(`operands.${name}.type`);
    if (scale === "nvfp4" && type !== "fp4-e2m1") broken.push(`operands.${name}.type`);
    if (scale !== "none" && !isBlocked(scale) && ["fp32", "bf16"].includes(type)) broken.push(`operands.${name}.scale`);
  }
  if (Math.abs(file.offset ?? 0) > 16) broken.push("offset");
  if ((file.threshold ?? 0) < 0 || (file.threshold ?? 0) > 16) broken.push("threshold");
  return broken;
}

/** YAML of nested maps, one field a line. */
const yaml = (value: object, indent = ""): string =>
  Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([key, field]: [string, unknown]) =>
      typeof field === "object" && field !== null && !Array.isArray(field) && Object.keys(field).length > 0
        ? `${indent}${key}:\n${yaml(field, `${indent}  `)}`
        : `${indent}${key}: ${typeof field === "string" ? field : JSON.stringify(field)}\n`,
    )
    .join("");

/** The line of a field, from 1, or of the deepest map on its way that is there. */
function lineOf(text: string, path: readonly string[]): number {
  const lines = text.split("\n");
  let at = -1;
  for (const [depth, key] of path.entries()) {
    const indent = "  ".repeat(depth);
    const end = lines.findIndex((line, i) => i > at && !line.startsWith(indent));
    const own = lines.findIndex((line, i) => i > at && (end < 0 || i < end) && line.startsWith(`${indent}${key}:`));
    if (own < 0) break;
    at = own;
  }
  return at + 1;
}

/** What is said of a text; null where it is read. */
function said(text: string): string | null {
  try {
    loadArithmetic({ read: () => ({ file: "own.yaml", text }), names: () => [] }, "own.yaml");
    return null;
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
}

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 3 });
const oneOf = (...values: readonly string[]): fc.Arbitrary<string | undefined> => maybe(fc.constantFrom(...values));

const scale: fc.Arbitrary<Scale> = fc.oneof(
  fc.constantFrom("none", "tensor", "head", "mx", "nvfp4"),
  fc.record({ rows: fc.integer({ min: 1, max: 300 }) }),
);
const operand: fc.Arbitrary<Operand> = fc.record({
  type: fc.constantFrom(...numberTypeNames),
  scale: fc.option(scale, { nil: undefined, freq: 2 }),
});
/** Of one kind throughout, so that files without a fault are among them. */
const alike: fc.Arbitrary<File["operands"]> = fc
  .record({ type: fc.constantFrom(...numberTypeNames), scale: maybe(fc.constantFrom("none", "mx", "nvfp4")) })
  .map(one => ({ q: one, k: one, v: one, p: one }));

const file: fc.Arbitrary<File> = fc.record({
  name: fc.constant("tried"),
  source: fc.constant("a test"),
  operands: fc.oneof(alike, fc.record({ q: operand, k: operand, v: operand, p: operand })),
  accumulator: oneOf("fp32", "fp32", "bf16", "fp16"),
  smooth: oneOf("none", "keys"),
  dot: maybe(
    fc.oneof(
      fc.constant("chain"),
      fc.record({
        block: fc.constantFrom(8, 16, 32),
        align: fc.integer({ min: 1, max: 40 }),
        result: fc.constantFrom("fp32-rz", "e8m13-rz"),
      }),
    ),
  ),
  exponent: oneOf("difference", "fused"),
  exp: maybe(
    fc.record(
      { coefficients: fc.constantFrom([0x3f800000], [0x3f800000, 0x3f317218, 0x3e75edab]), fused: fc.boolean() },
      { requiredKeys: [] },
    ),
  ),
  offset: maybe(fc.constantFrom(0, 8, -16, 16, 8.807, 16.5, -17)),
  threshold: maybe(fc.constantFrom(0, 4, 16, -1, 16.25)),
  denominator: oneOf("rounded", "unrounded"),
  sums: oneOf("tile", "running"),
  keys: oneOf("ascending", "descending"),
  normalize: oneOf("divide", "reciprocal"),
  output: oneOf(...numberTypeNames),
});

describe("combinations of an arithmetic's fields", () => {
  it("are read if, and only if, they break no rule, and refused at a field of a rule that they break", () => {
    let read = 0;
    fc.assert(
      fc.property(file, written => {
        const text = yaml(written);
        const message = said(text);
        const broken = brokenBy(written);
        if (message === null) {
          read += 1;
          expect(broken).toEqual([]);
          return;
        }
        const [, line, , path = ""] = /^own\.yaml:(\d+):(\d+) ([\w.]+): got .*; expected .+/.exec(message) ?? [];
        expect(broken, message).toContain(path);
        // The place is the field's own line, or where the field is left out that of the deepest part that is there.
        expect(Number(line), message).toBe(lineOf(text, path.split(".")));
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it("that are refused say what to do", () => {
    fc.assert(
      fc.property(file, written => {
        const message = said(yaml(written));
        // A number out of its range says the range: that is what to do.
        if (message !== null && !/ (offset|threshold): /.test(message))
          expect(message.split("; ").length, message).toBeGreaterThan(2);
      }),
      { numRuns: 500 },
    );
  });

  it("with a field spoilt are refused at its line and column", () => {
    const spoilt = fc.constantFrom<unknown>("nonsense", 1.5, -3, [], {}, true, null);
    const fields = ["accumulator", "smooth", "dot", "exponent", "offset", "denominator", "keys", "operands", "output"];
    fc.assert(
      fc.property(file, fc.constantFrom(...fields), spoilt, (written, field, value) => {
        fc.pre(brokenBy(written).length === 0 && !(field === "offset" && typeof value === "number"));
        const text = yaml({ ...written, [field]: value });
        const line = text.split("\n").findIndex(one => one.startsWith(`${field}:`)) + 1;
        // Of the operands, the first that is missed is there.
        expect(said(text) ?? "nothing").toMatch(new RegExp(`^own\\.yaml:${line}:\\d+ ${field}`));
      }),
      { numRuns: 500 },
    );
  });
});
