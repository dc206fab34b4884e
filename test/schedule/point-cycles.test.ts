import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { slotsOf } from "../../src/spec/schedule/dataflow.js";
import { fusemaxWith } from "./small-cases.js";

const sizes = { B: 1, H: 1, E: 8, F: 4, M: 22, queries: 12, modelDim: 4, feedForward: 4, group: 1 };

/** SPNV with so many products for each of F values, or AV with so many divisions, each of some cycles. */
function flowOf(name: "SPNV" | "AV", operation: "mac" | "divide", times: number, cost: number, F: number) {
  const { compiled, variables } = fusemaxWith({
    "architecture.parameters.rows": 4,
    "architecture.parameters.columns": 3,
    [`mapping.einsums.${name}.operations.${operation}`]: times,
    [`architecture.arrays.1d.operations.${operation}`]: cost,
  });
  const { einsums } = scheduleOfDesign(compiled, { sizes: { ...sizes, F }, variables }).arrays;
  const flow = einsums.find(own => own.name === name);
  if (flow === undefined) throw new Error(`no ${name}`);
  return flow;
}

describe("the second entry of an exponential", () => {
  it.each([
    ["its third operation, after a subtraction and a product", 6, 1, 1, 2],
    ["its third of three", 2, 1, 1, 2],
    ["its third, after a long subtraction", 2, 3, 1, 4],
    ["its last cycle at the latest, where products take parts of one", 2, 1, 0.25, 1],
    ["none, where it is two operations", 1, 1, 1, -1],
  ])("is taken from %s", (_, products, add, mac, scratchFrom) => {
    const { compiled, variables } = fusemaxWith({
      "architecture.parameters.rows": 4,
      "architecture.parameters.columns": 3,
      "mapping.einsums.PRM.operations.mac": products,
      "architecture.arrays.1d.operations.add": add,
      "architecture.arrays.1d.operations.mac": mac,
    });
    const { einsums } = scheduleOfDesign(compiled, { sizes, variables }).arrays;
    const pointCycles = Math.ceil(add + products * mac);
    expect(einsums.find(({ name }) => name === "PRM")).toMatchObject({ scratchFrom, pointCycles, leadCycles: 0 });
  });
});

describe("the cycles of a point", () => {
  it.each([
    ["whole operations, one after the other", 2, 3, 4, 6, 0],
    ["a share of an operation, done once before the first", 2.25, 1, 4, 2, 1],
    ["a share that fills no whole cycle", 3.1, 1, 4, 3, 1],
    ["a share of a long one", 1.5, 3, 4, 3, 6],
    ["a share that is whole but for rounding: 10 times 0.7", 2.7, 1, 10, 2, 7],
    ["less than one operation a point: a cycle for each, which is enough", 0.5, 1, 4, 1, 0],
    ["less than one, of many cycles: what is left comes first", 0.25, 8, 4, 1, 4],
    ["half a cycle for each operation, rounded up for each point", 3, 0.5, 4, 2, 0],
    ["as many as there may be", 1e4, 1, 1, 1e4, 0],
  ])("are %s", (_, times, cost, F, pointCycles, leadCycles) => {
    for (const [name, operation] of [
      ["SPNV", "mac"],
      ["AV", "divide"],
    ] as const) {
      const flow = flowOf(name, operation, times, cost, F);
      expect(flow).toMatchObject({ points: F, pointCycles, leadCycles, units: [operation] });
      expect(slotsOf(flow)).toBe(leadCycles + F * pointCycles);
    }
  });

  it("are none without an operation, which is then no unit that is needed", () => {
    expect(flowOf("SPNV", "mac", 0, 1, 4)).toMatchObject({ points: 4, pointCycles: 0, leadCycles: 0, units: [] });
  });

  it.each([10_001, 1e4 + 0.5, Number.POSITIVE_INFINITY, Number.NaN])("are refused for %d operations", times => {
    const flow = () => flowOf("SPNV", "mac", times, 1, 4);
    expect(flow).toThrow(SpecError);
    expect(flow).toThrow(
      /SPNV\.operations\.mac: got \S+ operations for one point; expected at most 10000 in a schedule/,
    );
  });
});
