import { readFileSync } from "node:fs";

/**
 * Mutants that compute the same as the source in every case, or the same within what the source promises, each reviewed by
 * hand: of which file, on which line of the text, and why. `changes` names some of those on the line, `before → after`;
 * without it all of them are meant.
 * @type {readonly { file: string, line: string, changes?: readonly string[], reason: string }[]}
 */
const equivalent = [];

/** The reasons of the mutants that are listed, by their IDs. An entry that fits no mutant of its file is refused. */
export function reasonsOf(mutants) {
  const reasons = new Map();
  const texts = new Map();
  const lineOf = ({ file, line }) => {
    if (!texts.has(file)) texts.set(file, readFileSync(file, "utf8").split("\n"));
    return texts.get(file)[line - 1].trim();
  };
  for (const { file, line, changes, reason } of equivalent) {
    const own = mutants.filter(one => one.file === file);
    if (own.length === 0) continue;
    const there = own.filter(one => lineOf(one) === line);
    for (const change of changes ?? [undefined]) {
      const found = there.filter(({ before, after }) => change === undefined || `${before} → ${after}` === change);
      if (found.length === 0)
        throw new Error(
          `${file}: no mutant ${change ?? ""} on the line ${line}; review it in scripts/mutants/equivalent.mjs`,
        );
      for (const { id } of found) reasons.set(id, reason);
    }
  }
  return reasons;
}
