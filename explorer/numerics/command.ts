import { type State, writeSize } from "../state.js";

/** The call that gives the same bits. */
export function runCommand(state: State, arithmetic: string, files: string | null): string {
  const { queries, keys, runHeads, E, F, mask, m0, seed, spread, engine } = state;
  const sizes = `--q-len ${writeSize(queries)} --kv-len ${writeSize(keys)} --heads ${runHeads} --head-dim ${E} --value-dim ${F}`;
  return [
    "npx fusemax run",
    files ?? `${sizes} --seed ${seed} --spread ${spread}`,
    ...(mask === "causal" ? ["--causal"] : []),
    `--array ${m0}x256 --arithmetic ${arithmetic} --engine ${engine}`,
  ].join(" ");
}
