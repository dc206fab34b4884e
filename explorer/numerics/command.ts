import type { State } from "../state.js";
import { optionWords } from "./attention.js";

/** The call that gives the same bits. @throws UsageError for masks that are none */
export function runCommand(state: State, arithmetic: string, files: string | null): string {
  const { m0, seed, spread, engine } = state;
  return [
    "npx fusemax run",
    optionWords(state, files !== null),
    files ?? `--seed ${seed} --spread ${spread}`,
    `--array ${m0}x256 --arithmetic ${arithmetic} --engine ${engine}`,
  ]
    .filter(words => words !== "")
    .join(" ");
}
