import { noMaximum } from "../../numerics/limits.js";
import { bitsOf } from "../../numerics/rounding.js";

/**
 * What the device keeps of each query row (slot) between tiles and dispatches, as fp32 words [slot / 8][field][8 slots].
 * `lm` and `sld` are of the tile in work; `bad` is 1 once a value left the accumulator's range.
 */
export const stateField = { rm: 0, rd: 1, lm: 2, sld: 3, bad: 4 } as const;
export const stateFields = Object.keys(stateField).length;

/** Words before the state: the zero of the barrier. */
export const stateHeader = 8;

/** Parts of a tile's work. */
export const phase = { scores: 1, values: 2 } as const;

const named = (prefix: string, values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `const ${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)} = ${value}u;\n`)
    .join("");

/** The same for the shaders: `const stateRm = 0u;` and so on. */
export const stateDeclarations = [
  named("state", { ...stateField, fields: stateFields }),
  named("phase", phase),
  `const none = bitcast<f32>(0x${bitsOf(noMaximum).toString(16)}u); // RM of a row that has seen no key\n`,
].join("");
