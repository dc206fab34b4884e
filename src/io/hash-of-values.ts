import { createHash } from "node:crypto";
import { breather } from "../emulator/breathe.js";

/** Hashed at a time, so that Ctrl-C is heard. */
const valuesAtOnce = 2 ** 22;

/** The sha256 of fp32 values as little-endian bytes, in lower-case hexadecimal. */
export const hashOfValues = (values: Float32Array): Promise<string> => hashOfPieces(piecesOf(values));

/** The same of values that come piece by piece. */
export async function hashOfPieces(pieces: Iterable<Float32Array>): Promise<string> {
  const breathe = breather();
  const sha256 = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of pieces) {
    sha256.update(new Uint8Array(buffer, byteOffset, byteLength));
    await breathe();
  }
  return sha256.digest("hex");
}

function* piecesOf(values: Float32Array): Generator<Float32Array> {
  for (let at = 0; at < values.length; at += valuesAtOnce) yield values.subarray(at, at + valuesAtOnce);
}
