import { describe, expect, test } from "vitest";
import { cascadeLibrary } from "../../explorer/cascade/library.js";
import { HandDerivation } from "../../explorer/derive/derivation.js";
import { story } from "../../explorer/story/steps.js";
import { invoke } from "../cli/invoke.js";

interface Printed {
  readonly steps: readonly {
    readonly law: string | null;
    readonly words: string;
    readonly passes: number;
    readonly live: readonly string[];
    readonly work: number;
    readonly text: string;
  }[];
}

async function printed(name: string, rank: string): Promise<Printed> {
  const { stdout } = await invoke("derive", name, "--rank", rank, "--json");
  return JSON.parse(stdout) as Printed;
}

const byHand = (name: string, rank: string) => new HandDerivation(name, cascadeLibrary.get(name) ?? "", rank);
const attention = byHand("attention-3-pass", "M");

describe("a derivation by hand", () => {
  test.each([
    ["attention-2-pass", "M"],
    ["variance-two-pass", "K"],
  ])("%s: the laws that it proposes are those of the command line, step by step", async (name, rank) => {
    const hand = byHand(name, rank);
    const plan = await hand.plan([], () => undefined);
    const { steps, text } = hand.derived(plan);
    const expected = await printed(name, rank);
    expect(steps.map(({ law, words, passes, live, work }) => ({ law, words, passes, live, work }))).toEqual(
      expected.steps.map(({ law, words, passes, live, work }) => ({ law, words, passes, live, work })),
    );
    expect(text).toBe(expected.steps.at(-1)?.text);
    // Whoever has gone some of the way is led on from there.
    expect(await hand.plan(plan.slice(0, -1), () => undefined)).toEqual(plan.slice(-1));
  });

  test("law: whatever is chosen among the offers applies, never adds passes, and gives the same values", async () => {
    const hand = attention;
    const keys: string[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const { laws, steps } = hand.derived(keys);
      const offers = laws.flatMap(law => law.offers);
      expect(new Set(offers.map(({ key }) => key)).size).toBe(offers.length);
      const offer = offers[(7 * turn) % offers.length];
      if (offer === undefined) break;
      expect(offer.passes).toBeLessThanOrEqual(steps.at(-1)?.passes ?? 0);
      keys.push(offer.key);
      const after = hand.derived(keys);
      expect(after.stopped).toBeNull();
      expect(after.steps.at(-1)).toMatchObject({ passes: offer.passes, words: offer.words });
    }
    const checks = await hand.checks(keys);
    expect(checks[0]).toBeNull();
    for (const words of checks.slice(1)) expect(words).toMatch(/^equal on \d+ inputs/);
  });

  test("stops at a law that does not apply, and says at which", () => {
    const { steps, stopped } = attention.derived(["defer-a-factor.AV", "defer-a-factor.GM", "x.Y"]);
    expect(steps).toHaveLength(2);
    expect(stopped).toBe("defer-a-factor.GM");
  });

  test("the story begins it with laws that apply, and leaves four that lead to one pass", () => {
    const { settings } = story.find(step => step.settings.panel === "derive") ?? {};
    expect(settings).toMatchObject({ cascade: attention.name, rank: "M" });
    const left = [
      "reduce-in-two-steps.AVS",
      "defer-a-factor.AVSS",
      "correct-a-running-sum.SD",
      "correct-a-running-sum.AVS",
    ];
    const { steps, stopped } = attention.derived([...(settings?.laws?.split(",") ?? []), ...left]);
    expect(stopped).toBeNull();
    expect(steps).toHaveLength(12);
    expect(steps.map(({ passes }) => passes)).toEqual([3, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1]);
    expect(steps.at(-1)?.live).toEqual([]);
  });

  test("from where nobody would go, it leads on by a way of its own", async () => {
    const hand = byHand("variance-two-pass", "K");
    const keys = ["recombine-sums.SS"];
    expect(hand.derived(keys).steps.at(-1)).toMatchObject({ passes: 1, caution: "large sums may cancel" });
    expect(await hand.plan(["a-running-sum.S"], () => undefined)).not.toEqual([]);
  });
});
