import type { Cascade } from "../cascade.js";
import { accessesOf, type Einsum, type Expression, partsOf } from "../einsum.js";
import type { Rank } from "../ranks.js";
import { splitOf } from "../split.js";
import { changeReference } from "./change-reference.js";
import { correctRunningSum, followFactor } from "./correct-running-sum.js";
import { deferFactor } from "./defer-factor.js";
import { deferPastExtremum } from "./defer-past-extremum.js";
import { exponentialOf } from "./exponential.js";
import { bodyOf, opened, variablesOf } from "./factors.js";
import { inlineWork } from "./inline-work.js";
import { isLate } from "./late.js";
import type { Law, Rewrite } from "./law.js";
import { mergeTiles } from "./merge-tiles.js";
import { nameTerms } from "./name-terms.js";
import { recompute } from "./recompute.js";
import { reduceInTwoSteps } from "./reduce-in-two-steps.js";
import { runAboutMean } from "./run-about-mean.js";
import { runningExtremum, runningSum } from "./run-reduction.js";
import { splitRank } from "./split-rank.js";
import { recombineSums, splitSum } from "./take-apart.js";

/** A law, and where it is worth its step: a law may hold where nothing is won by it. */
export interface Move {
  readonly law: Law;
  readonly isWorth: (cascade: Cascade, rewrite: Rewrite) => boolean;
}

const always = (): boolean => true;

/** The moves over a rank, by what they are for. */
export interface Moves {
  /** Factors, shifts and sums that wait for less. */
  readonly defer: readonly Move[];
  readonly recombine: Move;
  readonly split: Move;
  readonly hoist: Move;
  readonly twoSteps: Move;
  readonly runExtremum: Move;
  readonly changeReference: Move;
  readonly correct: Move;
  readonly aboutMean: Move;
  readonly merge: Move;
  readonly runSum: Move;
  readonly follow: Move;
  readonly recompute: Move;
}

export function movesOver(rank: Rank, tile: string | undefined): Moves {
  const late = (cascade: Cascade) => {
    const whole = wholeOf(cascade, rank);
    const family = new Set([rank.name, ...(whole === undefined ? [] : [whole.name, ...whole.parts])]);
    return (part: Expression): boolean => accessesOf(part).some(access => isLate(cascade, access, family));
  };
  const of = (law: Law, isWorth: (cascade: Cascade, einsum: Einsum) => boolean): Move => ({
    law,
    isWorth: (cascade, { tensor }) =>
      cascade.einsums.some(einsum => einsum.tensor === tensor && isWorth(cascade, einsum)),
  });
  return {
    defer: [
      of(deferPastExtremum, (cascade, einsum) => fixedParts(cascade, einsum).some(late(cascade))),
      of(
        inlineWork,
        (cascade, { tensor, right }) =>
          late(cascade)(right) &&
          cascade.einsums.some(
            ({ right: reader, reads }) => exponentialOf(reader) !== null && reads.some(read => read.tensor === tensor),
          ),
      ),
      { law: splitSum, isWorth: always },
      { law: deferFactor, isWorth: always },
    ],
    recombine: { law: recombineSums, isWorth: always },
    split: { law: splitRank(rank.name, tile), isWorth: always },
    hoist: of(nameTerms, (cascade, einsum) =>
      isExtremum(einsum) ? isReference(cascade, einsum.tensor) : late(cascade)(einsum.right),
    ),
    twoSteps: of(reduceInTwoSteps, (cascade, einsum) =>
      isExtremum(einsum) ? isReference(cascade, einsum.tensor) : waitsForTiles(cascade, einsum, rank),
    ),
    runExtremum: of(
      runningExtremum,
      (cascade, einsum) => isReference(cascade, einsum.tensor) && runsOutside(cascade, einsum, rank),
    ),
    changeReference: { law: changeReference, isWorth: always },
    correct: { law: correctRunningSum, isWorth: always },
    aboutMean: { law: runAboutMean, isWorth: always },
    merge: {
      law: mergeTiles,
      // Where nothing else is in tiles and nobody asked for them, sums about means run element by element.
      isWorth: cascade =>
        tile !== undefined ||
        rank.parts.length > 1 ||
        cascade.einsums.some(({ right }) => exponentialOf(right) !== null && late(cascade)(right)),
    },
    runSum: of(runningSum, (cascade, { tensor }) => isFactorOfSum(cascade, tensor)),
    follow: { law: followFactor, isWorth: always },
    recompute: { law: recompute(rank.name), isWorth: always },
  };
}

/**
 * Every law, for whoever asks why one does not apply.
 * @example
 * ```ts
 * import { lawsFor, loadCascade } from "fusemax/node";
 *
 * const law = lawsFor("M").find(({ name }) => name === "defer a factor");
 * const [rewrite] = law?.apply(loadCascade("attention-3-pass")).rewrites ?? [];
 * console.log(rewrite?.words); // SD[p] out of the sum over m that makes AV
 * ```
 */
export const lawsFor = (rank: string, tile?: string): readonly Law[] => [
  deferPastExtremum,
  inlineWork,
  splitSum,
  deferFactor,
  correctRunningSum,
  runAboutMean,
  mergeTiles,
  changeReference,
  runningExtremum,
  nameTerms,
  splitRank(rank, tile),
  reduceInTwoSteps,
  recombineSums,
  runningSum,
  followFactor,
  recompute(rank),
];

const isExtremum = ({ reductions }: Einsum): boolean => reductions.some(({ op }) => op === "max" || op === "min");

/** What of an Einsum's right-hand side, as it is made element by element, does not vary over what it reduces. */
function fixedParts(cascade: Cascade, { right, reduced }: Einsum): Expression[] {
  const whole = bodyOf(cascade, right) ?? right;
  return accessesOf(whole).filter(access => !reduced.some(variable => variablesOf(access).has(variable)));
}

/** Whether an exponential is taken against a tensor, perhaps through a difference that has a name of its own. */
function isReference(cascade: Cascade, tensor: string): boolean {
  const seen = new Set<string>();
  const reads = (part: Expression): boolean =>
    accessesOf(part).some(access => {
      if (access.tensor === tensor) return true;
      if (seen.has(access.tensor)) return false;
      seen.add(access.tensor);
      const inside = bodyOf(cascade, access);
      return inside !== null && reads(inside);
    });
  return cascade.einsums.some(({ right }) =>
    [...partsOf(right)].some(part => part.kind === "unary" && part.fn === "exp" && reads(part.operand)),
  );
}

/** Whether an Einsum reduces the rank or its tiles; not the inside of a tile, which is done before the next one is begun. */
function runsOutside(cascade: Cascade, { reduced }: Einsum, rank: Rank): boolean {
  const own = cascade.ranks.byName(rank.name);
  const outer = own === undefined ? undefined : splitOf(cascade, own)[0];
  return reduced.every(variable => cascade.ranks.ofVariable(variable).name === outer);
}

/** The rank, or that of which it is a part. */
const wholeOf = (cascade: Cascade, { name }: Rank): Rank | undefined =>
  cascade.ranks.ranks.find(({ parts }) => parts.length > 1 && parts.includes(name)) ?? cascade.ranks.byName(name);

/** Whether a sum over tiles has a factor that is one for each tile, or is one about a mean. */
function waitsForTiles(cascade: Cascade, einsum: Einsum, rank: Rank): boolean {
  const whole = wholeOf(cascade, rank);
  const [outer, ...inner] = einsum.reduced.filter(v => whole?.parts.includes(cascade.ranks.ofVariable(v).name));
  if (outer === undefined || inner.length === 0) return false;
  const { factors, divisors } = opened(cascade, einsum.right);
  return [...factors, ...divisors].some(factor => {
    const variables = variablesOf(factor);
    return variables.has(outer) && !inner.some(variable => variables.has(variable));
  });
}

/** Whether a later sum has a tensor, which its ranks do not vary, as a factor. */
function isFactorOfSum(cascade: Cascade, tensor: string): boolean {
  return cascade.einsums.some(({ right, reduced }) => {
    if (reduced.length === 0) return false;
    const { factors, divisors } = opened(cascade, right);
    return [...factors, ...divisors].some(factor => accessesOf(factor).some(access => access.tensor === tensor));
  });
}
