import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { derivationChecker } from "../../../src/einsum/derive/check.js";
import { deriveOver } from "../../../src/einsum/derive/search.js";
import { loadCascade } from "../../../src/io/cascade-files.js";
import { invented } from "./invented.js";

/** A cascade of the library or an invented one, a rank and a budget, and the answers of a search: steps, measures, cautions. */
interface Kept {
  readonly cascade: string;
  readonly rank: string;
  readonly budget: number;
  readonly says: readonly string[];
}

/** What searches answered (docs/testing.md, "Mutants"); UPDATE_KEPT_ANSWERS=1 writes them anew. */
const file = join(import.meta.dirname, "../../golden/derive/answers.json");
const isWriting = process.env["UPDATE_KEPT_ANSWERS"] === "1";
const kept = JSON.parse(readFileSync(file, "utf8")) as readonly Kept[];

function cascadeOf(name: string): Cascade {
  const own = invented.find(one => one.name === name);
  return own === undefined ? loadCascade(name) : parseCascade(own.text, "invented");
}

async function saidOf({ cascade: name, rank: of, budget }: Kept): Promise<readonly string[]> {
  const cascade = cascadeOf(name);
  const rank = cascade.ranks.byName(of);
  if (rank === undefined) throw new Error(`no rank ${of}`);
  const found = await deriveOver(cascade, rank, { budget });
  const { answers, refuted, refusals, seen, complete, wholeFiber } = await derivationChecker()(found);
  return [
    `${seen} seen${complete ? ", complete" : ""}${wholeFiber === null ? "" : `, ${wholeFiber.numbers} of ${wholeFiber.elements}`}`,
    ...answers.flatMap(({ steps, cautions, equal, last }) => [
      `${equal ? "" : "cancels: "}${last.measure.passes} passes, ${last.measure.work}${last.measure.live.map(fiber => `, ${fiber}`).join("")}`,
      ...steps.map(({ words, measure }) => `  ${measure.passes} ${words}`),
      ...cautions.map(({ caution, words }) => `  ${caution}: ${words}`),
    ]),
    ...refuted.map(({ step, passes }) => `refuted: ${passes} passes, ${step.words}`),
    ...refusals.map(({ law, tensor, reason }) => `! ${law.name}, ${tensor}: ${reason}`),
  ];
}

describe.skipIf(isWriting)("a search", () => {
  it.each(kept.map(one => [one.cascade, one] as const))("answers what it answered: %s", async (_, one) => {
    expect(await saidOf(one)).toEqual(one.says);
  });
});

if (isWriting) {
  const anew: Kept[] = [];
  for (const one of kept) anew.push({ ...one, says: await saidOf(one) });
  writeFileSync(file, `${JSON.stringify(anew, null, 1)}\n`);
}
