import { describe, expect, it } from "vitest";
import { processorSeconds } from "../../bench/processor-time.js";
import { invoke } from "./invoke.js";

/** Numbers that loops could run to: each ends in a result or a line, within seconds of the processor. */
const cases: readonly (readonly [line: string, message: RegExp])[] = [
  ["model --design fusemax --set architecture.parameters.D=1e12", /^$/],
  ["schedule --design fusemax --seq 1K --array 1000000000x1", /^fusemax: /],
  [
    "model --design fusemax --set architecture.levels.buffer.bytes=largestDivisor(1e300,1e149)",
    /got largestDivisor of 1e\+300; expected of a number of at most 2\^48/,
  ],
  [
    `model --design fusemax --set architecture.levels.buffer.bytes=${"(".repeat(20_000)}1`,
    /got .*a formula of 20001 characters|got .*\(\(/,
  ],
  [
    "model --design fusemax --accounting corrected --set architecture.arrays.1d.operations.divide=1e12",
    /schedule: got an epoch of \d+ slots or more; expected at most 1048576/,
  ],
  ["model --design fusemax --accounting corrected --set mapping.partitions.M.M0=-1", /got (tiles of )?-1; expected /],
  [
    "model --design fusemax --accounting corrected --seq 1 --set mapping.partitions.P.P0=1e-300",
    /expected [a-z ]*whole number/,
  ],
  ["sweep --set architecture.frequencyHz=1..1e300*1.0000001", /got "1\.\.1e300\*1\.0000001", 6907755621 values/],
  [
    `model --kv-lens ${Array.from({ length: 5000 }, (_, i) => i + 1)}`,
    /--kv-lens: got "5000 lengths"; expected at most 4096/,
  ],
  ["equal softmax softmax --shape M=200000000", /got 200000000 elements; expected at most 16777216/],
];

describe("numbers that loops could run to", () => {
  it.each(cases)("%.90s", async (line, message) => {
    const began = process.cpuUsage();
    const { code, stderr } = await invoke(...line.split(" "));
    expect(processorSeconds(began)).toBeLessThan(5);
    expect(stderr).toMatch(message);
    expect(stderr.length).toBeLessThan(2500);
    expect(code).toBe(stderr === "" || /a second/.test(stderr) ? 0 : 2);
  });
});
