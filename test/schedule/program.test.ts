import { describe, expect, it } from "vitest";
import { planOf } from "../../src/model/schedule/actions.js";
import type { TileEinsum } from "../../src/model/schedule/dataflows.js";
import { layOut, type Presence } from "../../src/model/schedule/program.js";
import { parseProgram } from "../../src/spec/schedule/notation.js";
import { arraysOf, einsumOf, scheduleOf } from "./two-arrays.js";

const einsums = [
  einsumOf("A", "pe", { points: 3 }),
  // A slot for what is done once, and two of each point.
  einsumOf("B", "pe", { points: 2, pointCycles: 2, leadCycles: 1 }),
  einsumOf("C", "pe", { points: 1, pointCycles: 2 }),
  einsumOf("Z", "pe", { points: 2, pointCycles: 0 }),
];
const { actions } = planOf(scheduleOf(0), { ...arraysOf({}, {}), einsums });
const numberOf = (name: string): number => einsums.findIndex(own => own.name === name);

/** An epoch's slots as `A0`, a dot where one is empty. Tiles of letter a are there. */
function laidOut(text: string, b: Presence = "there"): string {
  const { actions: issued, slot } = layOut(parseProgram(text, "here"), {
    einsumOf: ({ einsum }) => einsums[numberOf(einsum)] as TileEinsum,
    actionsOf: ({ einsum }) => actions[numberOf(einsum)] ?? [],
    presence: ({ tile }) => (tile === "b" ? b : "there"),
  });
  expect(slot.length).toBe(issued.length);
  return issued.map((own, i) => (own === null ? "." : `${einsums[own.einsum]?.name}${slot[i]}`)).join(" ");
}

describe("the slots of an epoch, counted by hand", () => {
  it.each<readonly [string, string, string, Presence]>([
    ["one after the other", "A[a] -> C[a]", "A0 A1 A2 C0 C1", "there"],
    ["take turns of a point, what is done once in the first", "(A[a] | B[a])", "A0 B0 B1 B2 A1 B3 B4 A2", "there"],
    ["and keep them where they are to", "(A[a] | B[a]..)", "A0 B0 B1 B2 A1 B3 B4 A2 . .", "there"],
    ["with empty ones", "(B[a] | idle(4))", "B0 B1 B2 . B3 B4 . . .", "there"],
    ["are empty for another's", "(A[a] | idle(B[b])) -> idle(C[b])", "A0 . . . A1 . . A2 . .", "there"],
    ["none of another's that is absent", "(A[a] | idle(B[b])) -> idle(C[b])", "A0 A1 A2", "absent"],
    ["none of another's that has none", "(A[a] | idle(B[b])) -> idle(C[b])", "A0 A1 A2", "none"],
    ["turns of an absent tile stay empty", "(A[a] | B[b])", "A0 . . . A1 . . A2", "absent"],
    ["and so after they are done", "(A[a] | B[b]..)", "A0 . . . A1 . . A2 . .", "absent"],
    ["longer ones too", "(C[a] | B[b])", "C0 C1 . . . . .", "absent"],
    ["what has nothing to do on a tile has none", "(A[a] | B[b])", "A0 A1 A2", "none"],
    ["but where it keeps them", "(A[a] | B[b]..)", "A0 . . . A1 . . A2 . .", "none"],
    ["a stage without a tile is passed over", "(A[b] | B[b]..) -> idle(C[b]) -> C[a]", "C0 C1", "absent"],
    ["and one of what never does anything", "(Z[a] | A[b]) -> C[a]", "C0 C1", "absent"],
    ["which takes no turn of others", "(Z[a] | A[a]) -> idle(Z[a])", "A0 A1 A2", "there"],
    ["empty slots alone are worth a stage", "(idle(1) | A[b])", ". . . .", "absent"],
  ])("%s: %s", (_, text, slots, presence) => {
    expect(laidOut(text, presence)).toBe(slots);
  });

  const many = (stage: string, times: number): string => Array(times).fill(stage).join(" -> ");

  it("are a million at the most", () => {
    expect(laidOut(many("idle(65536)", 16)).length).toBe(2 * 2 ** 20 - 1);
    expect(() => laidOut(`${many("idle(65536)", 16)} -> idle(1)`)).toThrow(/got an epoch of 1048577 slots or more/);
  });

  it.each<readonly [string, string, number, Presence]>([
    ["those of turns", "(idle(65536) | B[b])", 16 * (65536 + 5), "there"],
    ["those of turns that are kept", "(idle(65536) | B[b]..)", 6 * (65536 + 1 + 2 * 65536), "none"],
    ["none of what has nothing to do", "(idle(65536) | B[b])", 17 * 65536, "none"],
    ["nor of another's that is absent", "(idle(65536) | idle(B[b]))", 17 * 65536, "absent"],
  ])("of which there are too many, as soon as a stage has one more: %s", (_, stage, slots, presence) => {
    expect(() => laidOut(many(stage, 17), presence)).toThrow(`got an epoch of ${slots} slots or more`);
  });
});
