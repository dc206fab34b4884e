import type { Move, Moves } from "./moves.js";

/** Moves that are made for as long as one of them applies, the first that does each time. */
export type Phase = readonly Move[];

/** A way in which people make a cascade pass a rank less often: phases, one after the other. */
export interface Plan {
  readonly name: string;
  readonly phases: readonly Phase[];
}

/**
 * Straight ways to the forms that are known, so that a long cascade finds them as soon as a short one: what may wait is deferred; sums
 * run along the elements or the tiles and are corrected; tiles are corrected at the end. Each also with its sums taken
 * apart first.
 */
export function plansOf(moves: Moves): readonly Plan[] {
  const { defer, recombine, split, hoist, twoSteps, runExtremum, changeReference, correct, aboutMean, merge } = moves;
  const running: Phase = [...defer, aboutMean, hoist, runExtremum, changeReference, correct];
  const tiled: Phase = [...defer, merge, hoist, twoSteps, runExtremum, changeReference, correct];
  const local: Phase = [...defer, merge, hoist, twoSteps, changeReference];
  const ways: readonly Plan[] = [
    { name: "deferred", phases: [] },
    { name: "running over tiles", phases: [[split], tiled] },
    { name: "running over elements", phases: [running] },
    { name: "tiles, corrected at the end", phases: [[split], local] },
    { name: "following a factor", phases: [[moves.runSum], [moves.follow], running] },
  ];
  return [
    ...ways.map(({ name, phases }) => ({ name, phases: [defer, ...phases] })),
    { name: "following a factor before all else", phases: [[moves.runSum], [moves.follow], running] },
    ...ways.slice(0, 4).map(({ name, phases }) => ({
      name: `${name}, sums taken apart`,
      phases: [[...defer, recombine], ...phases, [...defer, recombine]],
    })),
  ];
}
