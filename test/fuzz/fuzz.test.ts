import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Random } from "./random.js";
import { tryInput } from "./target.js";
import { targets } from "./targets.js";

// Set by scripts/fuzz.mjs: the seed, the seconds for each target, the one target, the number of the first input, and a file
// that names the input that is being tried.
const {
  FUSEMAX_FUZZ_SEED: seedText,
  FUSEMAX_FUZZ_SECONDS: secondsText,
  FUSEMAX_FUZZ_ONLY: only,
  FUSEMAX_FUZZ_FROM: fromText,
  FUSEMAX_FUZZ_PULSE: pulse,
} = process.env;
const seed = Number(seedText ?? 1);
const seconds = secondsText === undefined ? null : Number(secondsText);

describe(`no input of seed ${seed} ends in anything but a result or a line`, () => {
  it.each(targets.filter(({ name }) => only === undefined || name === only))(
    "$name",
    async target => {
      const violations: string[] = [];
      const began = performance.now();
      const goesOn = (index: number): boolean =>
        seconds === null ? index < target.few : performance.now() - began < seconds * 1000;
      let index = Number(fromText ?? 0);
      for (; goesOn(index) && violations.length < 10; index += 1) {
        if (pulse !== undefined) writeFileSync(pulse, `${target.name}\t${index}`);
        const wrong = await tryInput(target, new Random(seed, target.name, index));
        if (wrong !== null) violations.push(`seed ${seed}, ${target.name}, input ${index}: ${wrong}`);
      }
      process.stderr.write(
        `fuzz ${target.name.padEnd(13)} ${String(index).padStart(8)} inputs, ${violations.length} violations\n`,
      );
      expect(violations.join("\n\n")).toBe("");
    },
    24 * 3600_000,
  );
});
