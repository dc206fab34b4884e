import { argumentOf } from "../design/names.js";
import type { State } from "../state.js";
import { optionWords } from "./attention.js";

/** The call that gives the same bits. @throws UsageError for masks that are none */
export const runCommand = (state: State, arithmetic: string, files: string | null): string =>
  commandOf(state, files, `--array ${state.m0}x256 --arithmetic ${arithmetic}`);

/** The same of a design, which says its tile and arithmetic itself. @throws UsageError likewise */
export const runOfDesignCommand = (state: State, files: string | null): string =>
  commandOf(state, files, `--design ${argumentOf(state.runDesign)}`);

const commandOf = (state: State, files: string | null, machine: string): string =>
  [
    "npx fusemax run",
    optionWords(state, files !== null),
    files ?? `--seed ${state.seed} --spread ${state.spread}`,
    machine,
    `--engine ${state.engine}`,
  ]
    .filter(words => words !== "")
    .join(" ");
