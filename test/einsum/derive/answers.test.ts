import { describe, expect, it } from "vitest";
import { parseCascade } from "../../../src/einsum/cascade.js";
import { Answers } from "../../../src/einsum/derive/answers.js";
import type { Node } from "../../../src/einsum/derive/derivation.js";
import { lawsFor } from "../../../src/einsum/derive/moves.js";

describe("answers", () => {
  const laws = new Map(lawsFor("K").map(law => [law.name, law]));
  const still = parseCascade("Z = A[k]");
  const runs = parseCascade("R[k=0] = 0\nR[k+1] = R[k] + A[k]\nZ = R[K]\nuntil: k >= K");
  const names = {
    split: "split a rank into tiles",
    change: "change the reference of an exponential",
    merge: "merge the sums of squares of tiles",
    two: "reduce in two steps",
    extremum: "a running extremum",
    sum: "a running sum",
    follow: "follow a running factor",
    mean: "a running sum of squares about a running mean",
    defer: "defer a factor",
    again: "recompute in place of storing",
  } as const;
  type Way = readonly (keyof typeof names)[];
  interface About {
    readonly passes?: number;
    readonly work?: number;
    readonly live?: readonly string[];
    readonly runs?: boolean;
    readonly caution?: boolean;
  }
  /** A cascade at the end of a way; its words are what it is called here. */
  const node = (words: string, way: Way, about: About = {}): Node => {
    const { passes = 1, work = 1, live = [], caution = false } = about;
    const measure = { passes, work, live, operations: [] };
    const cautions = caution ? [{ caution: "division" as const, words: "w" }] : [];
    const cascade = about.runs === true ? runs : still;
    const start: Node = { law: null, words: "as given", cascade, measure, from: null, cautions: [] };
    return way.reduce<Node>(
      (from, name) => ({ law: laws.get(names[name]) ?? null, words, cascade, measure, from, cautions }),
      start,
    );
  };
  const below = (passes: number, ...nodes: readonly Node[]) => {
    const answers = new Answers();
    for (const one of nodes) answers.add(one);
    return answers.below(passes).map(({ words }) => words);
  };

  it.each<[Way, boolean]>([
    [["split"], false],
    [["split", "change"], true],
    [["split", "merge"], true],
    [["two"], false],
    [["two", "merge"], false],
    [["two", "change"], true],
    [["extremum"], false],
    [["extremum", "change"], true],
    [["sum"], false],
    [["sum", "change"], false],
    [["sum", "follow"], true],
    [["defer"], true],
    [["change", "mean"], true],
    [["change", "mean", "split"], false],
    [["change", "mean", "split", "two"], true],
    [["change", "split"], true],
    [["mean", "split", "merge"], true],
  ])("are none where steps were taken that lead nowhere: %j", (way, isAnswer) => {
    expect(below(2, node("a", way))).toEqual(isAnswer ? ["a"] : []);
  });

  it("are the best of each form, in fewer passes than were given, best first", () => {
    expect(below(2, node("two passes", ["defer"], { passes: 2 }))).toEqual([]);
    expect(below(3, node("two passes", ["defer"], { passes: 2 }))).toEqual(["two passes"]);
    const [a, b] = [node("a", ["defer"], { work: 3 }), node("b", ["defer"], { work: 2 })];
    expect([below(2, a, b), below(2, b, a)]).toEqual([["b"], ["b"]]);
    expect(below(2, node("first", ["defer"]), node("second", ["defer"]))).toEqual(["first"]);
    const tiles = node("tiles", ["split", "change"], { work: 5 });
    expect(below(2, tiles, b)).toEqual(["b", "tiles"]);
    // One with cautions that does less work stays beside the best without.
    expect(below(2, b, node("cautious", ["defer"], { work: 1, caution: true }))).toEqual(["b", "cautious"]);
    const again = node("again", ["defer", "again"], { work: 9 });
    expect(below(2, again, b)).toEqual(["b", "again"]);
  });

  it.each<[string, Node, Node, boolean]>([
    [
      "cautions and more passes, no less work",
      node("a", ["defer"], { work: 3 }),
      node("b", ["defer"], { passes: 2, work: 3, caution: true }),
      true,
    ],
    [
      "cautions and more passes, less work",
      node("a", ["defer"], { work: 3 }),
      node("b", ["split", "change"], { passes: 2, work: 2, caution: true }),
      false,
    ],
    [
      "cautions in the same form",
      node("a", ["defer"], { work: 3 }),
      node("b", ["defer"], { work: 4, caution: true }),
      true,
    ],
    [
      "cautions in another form",
      node("a", ["defer"], { work: 3 }),
      node("b", ["split", "change"], { work: 4, caution: true }),
      false,
    ],
    [
      "cautions beside cautions in the same form",
      node("a", ["defer"], { work: 3, caution: true }),
      node("b", ["defer"], { passes: 2, work: 4, caution: true }),
      true,
    ],
    [
      "more work to follow a factor",
      node("a", ["defer"], { work: 3 }),
      node("b", ["sum", "follow"], { work: 4, runs: true }),
      true,
    ],
    [
      "less work, and more live fibers, to follow a factor",
      node("a", ["defer"], { work: 5 }),
      node("b", ["sum", "follow"], { work: 3, live: ["x"], runs: true }),
      false,
    ],
    [
      "more live fibers to follow a factor",
      node("a", ["defer"], { work: 3 }),
      node("b", ["sum", "follow"], { work: 3, live: ["x"], runs: true }),
      true,
    ],
    [
      "more work to follow a factor than what runs",
      node("a", ["extremum", "change"], { work: 3, runs: true }),
      node("b", ["sum", "follow"], { work: 4, runs: true }),
      false,
    ],
    [
      "more work to follow a factor than tiles",
      node("a", ["split", "change"], { work: 3 }),
      node("b", ["sum", "follow"], { work: 4, runs: true }),
      false,
    ],
    [
      "more work without following",
      node("a", ["defer"], { work: 3 }),
      node("b", ["extremum", "change"], { work: 4, runs: true }),
      false,
    ],
    [
      "more passes than what runs",
      node("a", ["extremum", "change"], { runs: true }),
      node("b", ["defer"], { passes: 2 }),
      false,
    ],
    ["more passes, running", node("a", ["defer"]), node("b", ["extremum", "change"], { passes: 2, runs: true }), true],
    [
      "more passes and more work in the same form",
      node("a", ["defer"]),
      node("b", ["defer"], { passes: 2, work: 2 }),
      true,
    ],
    [
      "more passes and less work in the same form",
      node("a", ["defer"], { work: 2 }),
      node("b", ["defer"], { passes: 2, work: 1 }),
      false,
    ],
    [
      "more passes in tiles as well",
      node("a", ["split", "change"]),
      node("b", ["split", "change"], { passes: 2, work: 2 }),
      false,
    ],
    ["more passes in another form", node("a", ["defer"]), node("b", ["defer", "again"], { passes: 2, work: 2 }), false],
  ])("are not said where another is better for everyone: %s", (_what, better, worse, isDropped) => {
    expect(below(3, better, worse)).toEqual(isDropped ? ["a"] : ["a", "b"]);
  });
});
