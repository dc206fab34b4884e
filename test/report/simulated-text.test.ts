import { describe, expect, it } from "vitest";
import type { Simulated } from "../../src/model/mapper/simulated.js";
import { simulatedLines } from "../../src/report/simulated-text.js";

/** The line on a simulation of a mapping. */
function lineOf(simulated: Partial<Simulated>): string {
  const stalls = { array: "2d", cycles: {} };
  const schedule = { name: "any", source: "test", tiles: {} };
  const whole = { queries: 8, cycles: 1100, modelCycles: 1000, ratio: 1.1, agrees: false, stalls, schedule };
  return simulatedLines([{ isOwn: false, simulated: { ...whole, ...simulated } }], undefined).join("\n");
}

describe("what is said of a simulation", () => {
  it.each<[string, Partial<Simulated>, RegExp]>([
    ["agrees", { agrees: true }, /1,100 cycles, the model's 1,000, x1\.1000: within 1%$/],
    [
      "fills and drains",
      { stalls: { array: "2d", cycles: { fill: 60, drain: 30, port: 10 } } },
      /DISAGREES by more than 1%: 90 of them the pipeline takes to fill and drain, once/,
    ],
    [
      "waits for a port",
      { stalls: { array: "1d", cycles: { fill: 10, port: 80, RM: 10 } } },
      /the 1d array stands still for 80 cycles for a port, where/,
    ],
    [
      "waits for what another array makes",
      { stalls: { array: "1d", cycles: { port: 8, RM: 92 } } },
      /stands still for 92 cycles for RM, where/,
    ],
    ["takes less", { cycles: 900 }, /the model charges steps that wait/],
  ])("names its cause where it %s", (_, simulated, expected) => {
    expect(lineOf(simulated)).toMatch(expected);
  });
});
