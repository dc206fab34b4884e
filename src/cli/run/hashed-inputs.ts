import { createHash } from "node:crypto";
import { type InputName, inputNames } from "../../attention/shape.js";
import type { InputPieces } from "./inputs.js";

/** The same inputs, and the SHA-256 of each as given, once it has been gone through. */
export function hashedInputs(pieces: InputPieces): {
  readonly pieces: InputPieces;
  readonly hashes: () => readonly string[];
} {
  const known = new Map<InputName, string>();
  return {
    async *pieces(name) {
      if (known.has(name)) {
        yield* pieces(name);
        return;
      }
      const hash = createHash("sha256");
      for await (const piece of pieces(name)) {
        hash.update(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
        yield piece;
      }
      known.set(name, hash.digest("hex"));
    },
    hashes: () => inputNames.map(name => known.get(name) ?? ""),
  };
}
