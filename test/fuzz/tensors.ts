import { zipSync } from "fflate";
import type { ByteSource } from "../../src/io/byte-source.js";
import { npyTensor } from "../../src/io/npy-format.js";
import { parseSafetensors } from "../../src/io/safetensors-format.js";
import { elementsOf, type StoredTensor } from "../../src/io/stored-tensor.js";
import { readZip } from "../../src/io/zip.js";
import { elementBytes, npyBytes, safetensorsBytes } from "../io/tensor-files.js";
import { mutateBytes, mutateText } from "./mutate.js";
import type { Random } from "./random.js";
import { refusingInWords, type Target } from "./target.js";

const sourceOf = (bytes: Uint8Array): ByteSource => ({
  where: "input",
  length: bytes.length,
  read: async function* (from, to) {
    for (let at = from; at < to; at += 50_000) yield bytes.subarray(at, Math.min(to, at + 50_000));
  },
});

const values = Array.from({ length: 24 }, (_, i) => i / 4);
const shape = [1, 2, 3, 4] as const;
const arrays = [
  npyBytes(values, { shape }),
  npyBytes(values, { shape, descr: "<f2", version: 2 }),
  npyBytes(values, { shape, descr: "<f8", fortran: true, version: 3 }),
  npyBytes(values, { shape: [24], descr: "|V2" }),
];

/** Loads what is small: a header may promise more than a file has only where it was found out. */
async function load(tensor: StoredTensor): Promise<void> {
  if (elementsOf(tensor.shape) > 1e6) return;
  const all = await tensor.load();
  if (all.length !== elementsOf(tensor.shape)) throw new Error(`${all.length} values of shape ${tensor.shape}`);
}

export const npyTarget: Target = {
  name: ".npy",
  few: 600,
  attempt: random => {
    const original = random.pick(arrays);
    const bytes = random.once(2) ? mutateBytes(random, original) : withHeader(random, original);
    return refusingInWords(async () => load(await npyTensor(sourceOf(bytes))));
  },
};

/** The header's text changed, and its length right again. */
function withHeader(random: Random, bytes: Uint8Array): Uint8Array {
  const from = (bytes[6] as number) === 1 ? 10 : 12;
  const text = new TextDecoder("latin1").decode(bytes.subarray(from, 128));
  const words = [
    "'descr'",
    "'shape'",
    "'fortran_order'",
    "True",
    "False",
    "'<f2'",
    "'>f4'",
    "'<u2'",
    "'|b1'",
    "()",
    "(0,)",
    "(99999999999,)",
    "[('a', '<f4')]",
  ];
  const header = new TextEncoder().encode(mutateText(random, text, words));
  const out = new Uint8Array(from + header.length + bytes.length - 128);
  out.set(bytes.subarray(0, from));
  const view = new DataView(out.buffer);
  if (from === 10) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  out.set(header, from);
  out.set(bytes.subarray(128), from + header.length);
  return out;
}

export const npzTarget: Target = {
  name: ".npz",
  few: 200,
  attempt: random => {
    const level = random.pick([0, 6] as const);
    const inner = random.once(3) ? withHeader(random, random.pick(arrays)) : random.pick(arrays);
    const archive = zipSync({ "q.npy": inner, "k.npy": random.pick(arrays) }, { level });
    const bytes = random.once(4) ? archive : mutateBytes(random, archive);
    return refusingInWords(async () => {
      for (const member of (await readZip(sourceOf(bytes))).values())
        await refusingInWords(async () => load(await npyTensor(member)));
    });
  },
};

const entry = (dtype: string, sizes: readonly number[], begin: number, end: number) => ({
  dtype,
  shape: sizes,
  data_offsets: [begin, end],
});
const header = JSON.stringify({
  __metadata__: { format: "pt" },
  q: entry("F32", [2, 3], 0, 24),
  k: entry("BF16", [4], 24, 32),
  v: entry("F8_E4M3", [2, 2], 32, 36),
});
const tail = elementBytes("<f4", values.slice(0, 9));
const words = [
  '"q"',
  '"dtype"',
  '"shape"',
  '"data_offsets"',
  '"F16"',
  '"I8"',
  '"F4"',
  '"U16"',
  "[",
  "]",
  "null",
  "1e3",
  "-0",
  "[[[[",
  '"__metadata__"',
  '"\\ud800"',
  '"\\u0000"',
];

export const safetensorsTarget: Target = {
  name: ".safetensors",
  few: 600,
  attempt: random => {
    const bytes = random.once(3)
      ? mutateBytes(random, safetensorsBytes(header, tail))
      : safetensorsBytes(mutateText(random, header, words), tail);
    return refusingInWords(async () => {
      const file = await parseSafetensors(sourceOf(bytes));
      for (const name of file.names) await refusingInWords(async () => load(file.tensor(name)));
    });
  },
};
