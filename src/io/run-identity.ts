import { createHash } from "node:crypto";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { breather } from "../emulator/breathe.js";

/** Hashed at a time, so that Ctrl-C is heard. */
const valuesAtOnce = 2 ** 22;

/** What rows belong to: everything that fixes their bits. The array's columns, the engine and its speed do not. */
export type RunIdentity = Readonly<Record<string, string | number | readonly number[] | null>>;

/** The identity of a run: its contract, sizes and number format, and the hashes of its operands. */
export async function runIdentity(problem: AttentionProblem, operands: Operands): Promise<RunIdentity> {
  const { shape, mask, tile, format, scale, cascade } = problem;
  const breathe = breather();
  const hash = async (values: Float32Array): Promise<string> => {
    const sha256 = createHash("sha256");
    for (let at = 0; at < values.length; at += valuesAtOnce) {
      const part = values.subarray(at, at + valuesAtOnce);
      sha256.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
      await breathe();
    }
    return sha256.digest("hex");
  };
  return {
    contract: 1,
    format: format.name,
    ...shape,
    m0: tile.m0,
    scale,
    ...mask,
    ...(cascade === undefined ? {} : { cascade: cascade.text }),
    q: await hash(operands.q),
    k: await hash(operands.k),
    v: await hash(operands.v),
  };
}
