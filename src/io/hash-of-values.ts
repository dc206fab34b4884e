import { createHash } from "node:crypto";
import { breather } from "../emulator/breathe.js";

/** Hashed at a time, so that Ctrl-C is heard. */
const valuesAtOnce = 2 ** 22;

/** The sha256 of fp32 values as little-endian bytes, in lower-case hexadecimal. */
export async function hashOfValues(values: Float32Array): Promise<string> {
  const breathe = breather();
  const sha256 = createHash("sha256");
  for (let at = 0; at < values.length; at += valuesAtOnce) {
    const part = values.subarray(at, at + valuesAtOnce);
    sha256.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    await breathe();
  }
  return sha256.digest("hex");
}
