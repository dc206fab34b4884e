import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { keepsOutputs } from "../../../src/einsum/derive/derivation.js";
import type { Law, Rewrite } from "../../../src/einsum/derive/law.js";
import { lawsFor, movesOver } from "../../../src/einsum/derive/moves.js";
import { compareCascades } from "../../../src/einsum/equal.js";

/** The lines of a cascade, a rank, and what each law makes of it: the lines that it writes and takes out, whether a search takes it, or why it does not apply. */
interface Kept {
  readonly rank: string;
  readonly text: readonly string[];
  /** Laws that are not asked: they apply to nearly every text. */
  readonly without?: readonly string[];
  readonly laws: Readonly<Record<string, readonly string[]>>;
}

/**
 * Small texts, each with what the laws made of it (docs/testing.md, "Mutants"); UPDATE_KEPT_LAWS=1 writes them anew, where what a
 * law makes without a caution computes the same.
 */
const file = join(import.meta.dirname, "../../golden/derive/laws.json");
const isWriting = process.env["UPDATE_KEPT_LAWS"] === "1";
const kept = JSON.parse(readFileSync(file, "utf8")) as readonly Kept[];

/** What laws without a word to say are left out. */
function madeOf({ rank, text, without = [] }: Kept): Kept["laws"] {
  const given = parseCascade(text.join("\n"), "kept");
  const own = given.ranks.byName(rank);
  const moves = own === undefined ? [] : Object.values(movesOver(own, undefined)).flat();
  const asked = lawsFor(rank).filter(({ name }) => !without.includes(name));
  const said = asked.map((law): [string, string[]] => {
    const { rewrites, refusals } = law.apply(given);
    const move = moves.find(one => one.law.name === law.name);
    return [
      law.name,
      [
        ...rewrites.flatMap(rewrite => written(law, given, rewrite, move?.isWorth(given, rewrite) ?? false)),
        ...refusals.map(({ tensor, reason }) => `! ${tensor}: ${reason}`),
      ],
    ];
  });
  return Object.fromEntries(said.filter(([, lines]) => lines.length > 0));
}

function written(law: Law, given: Cascade, { tensor, words, caution, cascade }: Rewrite, isWorth: boolean): string[] {
  // A split rank that an output has is the search's to refuse.
  if (isWriting && caution === null && keepsOutputs(given, cascade)) {
    const { cases } = compareCascades(given, cascade, { trials: 2 });
    // Inputs on which the given text computes nothing finite tell nothing.
    const differing = cases.find(
      ({ equal, difference }) =>
        !equal && difference !== null && Number.isFinite(difference.values[0]) && difference.relative > 1e-8,
    );
    if (differing !== undefined)
      throw new Error(`${law.name}: ${words} differs on ${differing.name}:\n${cascade.source.lines.join("\n")}`);
  }
  const [before, after] = [given.source.lines, cascade.source.lines];
  return [
    `${tensor}: ${words}${caution === null ? "" : ` (${caution})`}${isWorth ? "" : ", not worth it"}`,
    ...before.filter(line => !after.includes(line)).map(line => `- ${line}`),
    ...after.flatMap((line, i) => (before.includes(line) ? [] : [`+${i + 1} ${line}`])),
  ];
}

describe.skipIf(isWriting)("the laws", () => {
  it.each(kept.map(one => [`${one.rank}: ${one.text.join(" ; ")}`, one] as const))(
    "make of a kept text what they made: %s",
    (_, one) => {
      expect(madeOf(one)).toEqual(one.laws);
    },
  );
});

if (isWriting) {
  const anew = kept.map(one => ({ ...one, laws: madeOf(one) }));
  writeFileSync(file, `${JSON.stringify(anew, null, 1)}\n`);
}
