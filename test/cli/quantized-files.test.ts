import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type AttentionShape, type InputName, inputNames, tensorShapes } from "../../src/attention/shape.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { scaleSizes } from "../../src/emulator/given-scales.js";
import { type Encoded, encode, transposed } from "../../src/emulator/golden/encode.js";
import { decodeElements } from "../../src/io/element-types.js";
import { writeSafetensors } from "../../src/io/safetensors.js";
import { specFiles } from "../../src/io/spec-files.js";
import { type ArithmeticSpec, scaleBlock } from "../../src/numerics/arithmetic.js";
import type { RunResult } from "../../src/report/run-result.js";
import { loadArithmetic } from "../../src/spec/load.js";
import { concat, npyBytes, safetensorsBytes } from "../io/tensor-files.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-quantized-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const save = (name: string, content: Uint8Array | string): string => {
  writeFileSync(at(name), content);
  return at(name);
};

const shape: AttentionShape = { batch: 1, heads: 2, kvHeads: 2, queries: 5, keys: 37, headDim: 36, valueDim: 4 };
const sizes = "--heads 2 --q-len 5 --kv-len 37 --head-dim 36 --value-dim 4 --array 16x4 --seed 3".split(" ");

async function run(...args: readonly string[]): Promise<{ readonly result: RunResult; readonly stderr: string }> {
  const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", "--json", "--array", "16x4", ...args);
  if (code !== 0) throw new Error(stderr);
  return { result: JSON.parse(stdout) as RunResult, stderr };
}

async function complaint(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", ...args);
  expect({ code, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 2, stdout: "", lines: 1 });
  return stderr;
}

const valuesOf = (name: InputName): Float32Array =>
  generateNormal(
    3,
    name,
    tensorShapes(shape)[name].reduce((product, size) => product * size, 1),
  );

interface Quantized {
  readonly operands: Float32Array;
  readonly scales: Float32Array;
}

/** What a quantizer of one's own would write: operands, and the scales in the shape of their kind. */
function quantized(arithmetic: ArithmeticSpec, name: InputName): Quantized {
  const [, heads, rows, columns] = tensorShapes(shape)[name];
  const spec = arithmetic.operands[name];
  const operands: number[] = [];
  const scales: number[] = [];
  for (let head = 0; head < heads; head += 1) {
    const values = Float64Array.from(valuesOf(name).subarray(head * rows * columns, (head + 1) * rows * columns));
    const own = { rows, columns, values };
    const encoded: Encoded = encode(name === "v" ? transposed(own) : own, spec);
    operands.push(...(name === "v" ? transposed(encoded) : encoded).values);
    const width = scaleBlock(spec.scale);
    const sets = typeof spec.scale === "object" ? Math.ceil(rows / spec.scale.rows) : 1;
    if (width === null) {
      const first = typeof spec.scale === "object" ? spec.scale.rows : 0;
      for (let set = 0; set < sets; set += 1) scales.push(encoded.scale(set * first, 0));
    } else if (name === "v") {
      for (let block = 0; block < Math.ceil(rows / width); block += 1) {
        for (let f = 0; f < columns; f += 1) scales.push(encoded.scale(f, block));
      }
    } else {
      for (let row = 0; row < rows; row += 1) {
        for (let block = 0; block < Math.ceil(columns / width); block += 1) scales.push(encoded.scale(row, block));
      }
    }
  }
  return { operands: Float32Array.from(operands), scales: Float32Array.from(scales) };
}

async function writeQuantized(path: string, arithmetic: ArithmeticSpec): Promise<void> {
  await writeSafetensors(
    path,
    inputNames.flatMap(name => {
      const { operands, scales } = quantized(arithmetic, name);
      const own = scaleSizes(arithmetic.operands[name].scale, name, shape);
      const tensor = { name, shape: tensorShapes(shape)[name], values: operands };
      return own === null ? [tensor] : [tensor, { name: `${name}_scale`, shape: own, values: scales }];
    }),
  );
}

const codes = decodeElements(
  "F8_E4M3",
  Uint8Array.from({ length: 256 }, (_, code) => code),
  false,
);
const e4m3 = (values: Iterable<number>): Uint8Array =>
  Uint8Array.from(values, x => codes.findIndex(value => Object.is(value, x)));

const rows = `
name: rows
source: a test
operands:
  q: { type: int8, scale: { rows: 2 } }
  k: { type: int8, scale: { rows: 16 } }
  v: { type: fp8-e5m2, scale: head }
  p: { type: fp8-e5m2 }
`;

describe("operands with the scales that a quantizer chose", () => {
  it.each(["fa3-fp8", "mxfp8", "mxfp4", "nvfp4", "rows.yaml"])(
    "give the bits of the unquantized file in %s",
    async name => {
      const arithmetic = name === "rows.yaml" ? save(name, rows) : name;
      await writeQuantized(at(`${name}.safetensors`), loadArithmetic(specFiles, arithmetic));
      const whole = await run(...sizes, "--arithmetic", arithmetic, "--check", "full");
      const { result, stderr } = await run(
        "--input",
        at(`${name}.safetensors`),
        "--arithmetic",
        arithmetic,
        "--check",
        "full",
      );
      expect(stderr).toBe("");
      expect(result.output.sha256).toBe(whole.result.output.sha256);
      expect(result.error?.maxAbs).toBe(whole.result.error?.maxAbs);
      // The inputs are what the operands stand for: nothing is rounded a second time.
      expect(result.error?.withInputRounding.maxAbs).toBe(result.error?.maxAbs);
    },
  );

  it("are read from files of 8-bit floats, and scales from files of their own", async () => {
    const arithmetic = loadArithmetic(specFiles, "fa3-fp8");
    const header: Record<string, object> = {};
    const parts: Uint8Array[] = [];
    let end = 0;
    for (const name of inputNames) {
      const { operands, scales } = quantized(arithmetic, name);
      parts.push(e4m3(operands));
      header[name] = { dtype: "F8_E4M3", shape: tensorShapes(shape)[name], data_offsets: [end, end + operands.length] };
      end += operands.length;
      save(`${name}-scale.npy`, npyBytes([...scales], { shape: [1, 2] }));
    }
    const input = save("codes.safetensors", safetensorsBytes(header, concat(parts)));
    const files = inputNames.flatMap(name => [`--${name}-scale`, at(`${name}-scale.npy`)]);
    const whole = await run(...sizes, "--arithmetic", "fa3-fp8");
    const given = await run("--input", input, ...files, "--arithmetic", "fa3-fp8");
    expect(given.result.output.sha256).toBe(whole.result.output.sha256);
    // Without scales the codes are numbers, which are scaled themselves: a line says so for each tensor.
    const numbers = await run("--input", input, "--arithmetic", "fa3-fp8");
    expect(
      numbers.stderr.match(/F8_E4M3 values without [qkv]_scale are numbers, scaled and rounded to fp8-e4m3/g),
    ).toHaveLength(3);
    // bf16 holds them all: there is nothing to say.
    expect((await run("--input", input)).stderr).toBe("");
  });
});

describe("bad scales", () => {
  const one = { q: [1, 1, 2, 2], k: [1, 1, 3, 2], v: [1, 1, 3, 2] } as const;

  /** A file of ones with other tensors, all fp32. */
  const file = (
    name: string,
    other: Readonly<Record<string, readonly [shape: readonly number[], values: readonly number[]]>>,
  ): string => {
    const header: Record<string, object> = {};
    const parts: Uint8Array[] = [];
    let end = 0;
    const tensors = {
      ...Object.fromEntries(inputNames.map(n => [n, [one[n], Array(one[n][2] * 2).fill(1)] as const])),
      ...other,
    };
    for (const [tensor, [own, values]] of Object.entries(tensors)) {
      parts.push(new Uint8Array(Float32Array.from(values).buffer));
      header[tensor] = { dtype: "F32", shape: own, data_offsets: [end, end + 4 * values.length] };
      end += 4 * values.length;
    }
    return save(name, safetensorsBytes(header, concat(parts)));
  };

  const cases: Readonly<
    Record<string, readonly [other: Parameters<typeof file>[1], arithmetic: string, message: RegExp]>
  > = {
    "of another shape": [
      { k_scale: [[2], [1, 1]] },
      "fa3-fp8",
      /tensor k_scale: got shape \[2\]; expected \[1, 1\], as k has scale head in arithmetic fa3-fp8$/m,
    ],
    "where the arithmetic has none": [
      { v_scale: [[1], [1]] },
      "bf16",
      /tensor v_scale: got scales of v; expected none, as arithmetic bf16 has none for v; take an arithmetic that has/,
    ],
    "of keys that are smoothed": [
      { k_scale: [[1, 1, 1], [1]] },
      "int8-qk",
      /k_scale: got scales of k; expected keys without/,
    ],
    "below zero": [
      { q_scale: [[1, 1], [-1]] },
      "fa3-fp8",
      /^fusemax: q_scale\[0, 0\]: got -1; expected a number from 2\^-60/,
    ],
    "that are no number": [
      { q_scale: [[1, 1], [Number.NaN]] },
      "fa3-fp8",
      /^fusemax: q_scale\[0, 0\]: got NaN; expected/,
    ],
    "that are no powers of two": [
      {
        k_scale: [
          [1, 1, 3, 1],
          [1, 3, 1],
        ],
      },
      "mxfp8",
      /^fusemax: k_scale\[0, 0, 1, 0\]: got 3; expected a power of two from 2\^-127 to 2\^127/,
    ],
    "of values that are no operands": [
      { q: [one.q, [1, 1, 0.3, 1]], q_scale: [[1, 1], [1]] },
      "fa3-fp8",
      /^fusemax: q\[0, 0, 1, 0\]: got 0\.3\d*; expected a value of fp8-e4m3, since its scale is given; leave the scales out/,
    ],
  };

  it.each(Object.entries(cases))("%s are refused in one line", async (name, [other, arithmetic, message]) => {
    expect(await complaint("--input", file(`${name}.safetensors`, other), "--arithmetic", arithmetic)).toMatch(message);
  });

  it("without files are refused", async () => {
    expect(await complaint("--seq", "2", "--q-scale", at("none.npy"))).toMatch(/--q-scale: needs input files/);
  });

  it("of 8-bit values of another type are refused", async () => {
    const header: Record<string, object> = {};
    const parts: Uint8Array[] = [];
    let end = 0;
    const add = (name: string, dtype: string, own: readonly number[], bytes: Uint8Array): void => {
      parts.push(bytes);
      header[name] = { dtype, shape: own, data_offsets: [end, end + bytes.length] };
      end += bytes.length;
    };
    for (const name of inputNames) add(name, "I8", one[name], new Uint8Array(one[name][2] * 2));
    add("k_scale", "F32", [1, 1], new Uint8Array(Float32Array.of(1).buffer));
    const input = save("int8.safetensors", safetensorsBytes(header, concat(parts)));
    expect(await complaint("--input", input, "--arithmetic", "fa3-fp8")).toMatch(
      /tensor k: got values of type I8; expected fp8-e4m3, as operands of arithmetic fa3-fp8 whose scales are given/,
    );
  });

  it("NaN codes of 8-bit floats are refused at their place", async () => {
    const header = Object.fromEntries(
      inputNames.map((name, i) => [name, { dtype: "F8_E4M3", shape: [1, 1, 1, 2], data_offsets: [2 * i, 2 * i + 2] }]),
    );
    const input = save("nan.safetensors", safetensorsBytes(header, Uint8Array.of(0x38, 0x38, 0x38, 0x7f, 0x38, 0x38)));
    expect(await complaint("--input", input)).toMatch(/k\[0, 0, 0, 1\]: got NaN; expected a finite value/);
    expect(await complaint("--input", input, "--arithmetic", "hopper-fp8")).toMatch(
      /k\[0, 0, 0, 1\]: got NaN; expected a finite/,
    );
  });
});
