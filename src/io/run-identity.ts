import { createHash } from "node:crypto";
import type { BitPlane } from "../attention/bit-plane.js";
import type { AttentionProblem, OperandScales, Operands } from "../attention/problem.js";
import { hashOfValues } from "./hash-of-values.js";

/** What rows belong to: everything that fixes their bits. The array's columns, the engine and its speed do not. */
export type RunIdentity = Readonly<Record<string, string | number | readonly number[] | null>>;

/** The identity of a run: its contract, sizes and number format, and the hashes of its operands. */
export async function runIdentity(problem: AttentionProblem, operands: Operands): Promise<RunIdentity> {
  const { shape, mask, tile, arithmetic, scale, softcap, cascade, kvSplits = 1 } = problem;
  const { planes = [], documents, prefix, origin, leftPad, left, right, kvLens, qLens } = mask;
  return {
    contract: 1,
    format: arithmetic.name,
    arithmetic: createHash("sha256").update(JSON.stringify(arithmetic)).digest("hex").slice(0, 32),
    ...(kvSplits === 1 ? {} : { kvSplits }),
    ...shape,
    m0: tile.m0,
    scale,
    ...{ left, right, kvLens, qLens },
    ...(origin === undefined ? {} : { origin }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(documents === undefined ? {} : { documents }),
    ...((leftPad ?? null) === null ? {} : { leftPad: leftPad ?? null }),
    ...(planes.length === 0 ? {} : { planes: await hashOfPlanes(planes) }),
    ...(softcap === undefined ? {} : { softcap }),
    ...(operands.addends === undefined
      ? {}
      : { bias: operands.addends.sizes, addends: await hashOfValues(operands.addends.values) }),
    ...(operands.sinks === undefined ? {} : { sink: await hashOfValues(operands.sinks) }),
    ...(cascade === undefined ? {} : { cascade: cascade.text }),
    q: await hashOfValues(operands.q),
    k: await hashOfValues(operands.k),
    v: await hashOfValues(operands.v),
    ...(operands.scales === undefined ? {} : await hashesOfScales(operands.scales)),
  };
}

async function hashesOfScales(scales: OperandScales): Promise<Readonly<Record<string, string>>> {
  const hashes = Object.entries(scales).map(async ([name, values]) => [`${name}Scale`, await hashOfValues(values)]);
  return Object.fromEntries(await Promise.all(hashes));
}

/** What planes of bits show, one hash for all: sizes and bits. */
async function hashOfPlanes(planes: readonly BitPlane[]): Promise<string> {
  const parts = planes.map(({ sizes, queriesPerBit, keysPerBit, words }) => ({
    sizes: [...sizes, queriesPerBit, keysPerBit].join(" "),
    bits: new Float32Array(words.buffer, words.byteOffset, words.length),
  }));
  const hashes = await Promise.all(parts.map(async ({ sizes, bits }) => `${sizes} ${await hashOfValues(bits)}`));
  return hashes.join(", ");
}
