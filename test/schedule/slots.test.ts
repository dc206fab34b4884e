import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { layOut } from "../../src/model/schedule/program.js";
import { checkSlots } from "../../src/model/schedule/slots.js";
import type { Dataflow } from "../../src/spec/schedule/dataflow.js";

const einsum = (points: number, pointCycles: number, leadCycles: number): Dataflow => ({
  ...{ name: "A", array: "pe", points, pointCycles, leadCycles, units: [], when: "every", uses: [], carries: [] },
});

describe("the slots of an epoch", () => {
  it.each([
    [2 ** 20, 1, 0],
    [2 ** 19, 2, 0],
    [2 ** 20 - 6, 1, 6],
    [0, 5, 0],
  ])("may be 2^20 for one Einsum: %i points of %i cycles after %i", (points, pointCycles, leadCycles) => {
    expect(() => checkSlots(einsum(points, pointCycles, leadCycles))).not.toThrow();
  });

  it.each([
    [2 ** 20 + 1, 1, 0],
    [2 ** 20, 1, 1],
    [2 ** 20, 2, 0],
    [Number.POSITIVE_INFINITY, 1, 0],
    [Number.NaN, 1, 0],
  ])("are refused from one more on: %d points of %i cycles after %i", (points, pointCycles, leadCycles) => {
    const message = `schedule: got an epoch of ${leadCycles + points * pointCycles} slots or more; expected at most 1048576`;
    expect(() => checkSlots(einsum(points, pointCycles, leadCycles))).toThrow(message);
    expect(() => checkSlots(einsum(points, pointCycles, leadCycles))).toThrow(SpecError);
  });

  it("may be 2^20 for all stages together", () => {
    const none = () => {
      throw new Error("no Einsum is asked for");
    };
    const laidOut = (...idle: readonly number[]) =>
      layOut(
        idle.map(slots => ({ streams: [{ idle: slots }] })),
        { einsumOf: none, actionsOf: none, presence: none },
      ).actions.length;
    expect(laidOut(2 ** 20 - 3, 3)).toBe(2 ** 20);
    expect(() => laidOut(2 ** 20 - 3, 4)).toThrow(/got an epoch of 1048577 slots or more/);
    expect(() => laidOut(3, 2 ** 20 - 2)).toThrow(/got an epoch of 1048577 slots or more/);
  });
});
