import { classesOf, type KeyMask } from "../attention/sequences.js";
import { SpecError } from "../errors.js";
import type { ElementRole } from "../spec/element-bits.js";
import { type Accounting, published } from "./accounting.js";
import { countLaid, type EinsumUse, type Laid, layOut, peStepsOf, variantOf } from "./action-counts.js";
import { type Area, areaOf } from "./area.js";
import { checkBuffers, checkInstances, checkNumbers } from "./check-machine.js";
import type { CompiledDesign } from "./compile.js";
import { type Energy, energyOf } from "./energy.js";
import { hasTimedLevels, levelUses } from "./level-use.js";
import { checkMaskable } from "./mask-ranks.js";
import type { VisibleRegion } from "./region.js";
import { scheduledCycles } from "./schedule/correction.js";
import { chooseMappings, chooseRows } from "./search.js";
import type { Sizes } from "./sizes.js";
import { hasStandingEnergy, withStandingEnergy } from "./standing-energy.js";
import { type Timing, timingOf } from "./timing.js";
import { dramBytes } from "./traffic.js";
import { valuesOf } from "./values.js";

/** What a design does and costs at given sizes. */
export interface Evaluation extends Timing, Energy, Area {
  readonly counts: readonly EinsumUse[];
  readonly trafficBytes: number;
  /** How many mappings a search compared; 0 when the mapping leaves no choice. */
  readonly mappingsTried: number;
  /** Bits of the words that bytes and energy are for; of the widest operands where an arithmetic is charged. */
  readonly wordBits: number;
  /** The arithmetic whose words and operations are charged; null where all words have `wordBits`. */
  readonly arithmetic: string | null;
  /** Bits of an element of each kind of tensor, its share of scales included; null without an arithmetic. */
  readonly elementBits: Readonly<Record<ElementRole, number>> | null;
  /** Figures that are not known, for the technology lacks what is in `lacking`. What is there is not to be shown. */
  readonly missing: readonly ("energyPj" | "areaUm2")[];
  /** What a technology has to give for them, such as `mac of fp8-e4m3`. */
  readonly lacking: readonly string[];
  /** What stands for words that the technology has no figures for, in a sentence; null where nothing does. */
  readonly assumed: string | null;
}

/** A design mapped at given sizes: everything that is chosen is chosen, and each Einsum has its numbers. */
export interface MappedDesign {
  readonly values: Float64Array;
  /** What the mask leaves; undefined without one. */
  readonly region: VisibleRegion | undefined;
  readonly einsums: readonly Laid[];
  readonly mappingsTried: number;
}

/** Maps a design, with the best mapping where it leaves a choice. Throws SpecError when the mapping does not fit the machine at these sizes. */
export function mapDesign(
  design: CompiledDesign,
  sizes: Sizes,
  accounting: Accounting = published,
  variables: readonly number[] = [],
  mask?: KeyMask,
): MappedDesign {
  const values = valuesOf(design, sizes, variables);
  // A check looks at every number: that one is looked at here says nothing of its use.
  if (design.reads === undefined) checkNumbers(design, values);
  else design.reads.without(() => checkNumbers(design, values));
  const region = mask === undefined ? undefined : regionOf(mask, sizes, design, values);
  const rowsTried = chooseRows(design, values, region);
  const einsums = design.einsums.map(einsum => variantOf(einsum, values));
  const mappingsTried = rowsTried + chooseMappings(design, einsums, values, accounting, region);
  return {
    values,
    region,
    einsums: einsums.map(einsum => layOut(design, einsum, values, region)),
    mappingsTried,
  };
}

/**
 * Runs the model once, on all scores or on those that a mask leaves. Throws SpecError when the mapping does not fit the machine at these sizes.
 * @example
 * ```ts
 * import { accountingOf, compileDesign, evaluateDesign, loadDesign, loadWorkload, sizesOf, specFiles } from "fusemax/node";
 *
 * const accounting = accountingOf("corrected", undefined);
 * const design = compileDesign(loadDesign(specFiles, "fusemax"), { corrections: accounting.corrections });
 * const sizes = sizesOf(loadWorkload(specFiles, "bert"), 4096);
 * const { latencySeconds, trafficBytes } = evaluateDesign(design, sizes, accounting);
 * console.log(latencySeconds, trafficBytes); // 0.03221147340425532 1610612736
 * ```
 */
export function evaluate(
  design: CompiledDesign,
  sizes: Sizes,
  accounting: Accounting = published,
  variables: readonly number[] = [],
  mask?: KeyMask,
): Evaluation {
  try {
    return evaluateAt(design, sizes, accounting, variables, mask);
  } catch (error) {
    throw withMadeFor(error, design.mapping);
  }
}

/** What is refused of a mapping that was made for one workload may be right there: the message says which that is. */
function withMadeFor(error: unknown, { madeFor }: CompiledDesign["mapping"]): unknown {
  if (madeFor === undefined || !(error instanceof SpecError)) return error;
  const { fix, ...complaint } = error.complaint;
  const made = `this mapping was made for ${madeFor}`;
  return new SpecError({ ...complaint, fix: fix === undefined ? made : `${fix}; ${made}` });
}

function evaluateAt(
  design: CompiledDesign,
  sizes: Sizes,
  accounting: Accounting,
  variables: readonly number[],
  mask: KeyMask | undefined,
): Evaluation {
  const { values, region, einsums, mappingsTried } = mapDesign(design, sizes, accounting, variables, mask);
  const has = (name: string): boolean => accounting.corrections.includes(name);
  // No published number is masked: there is no overflow to reproduce.
  const options = { allInstances: has("register-energy"), overflow: !has("first-reads") && region === undefined };
  const counts = einsums.map(
    (laid): EinsumUse =>
      Object.assign(countLaid(design, laid, values, options), { peSteps: peStepsOf(design, laid, values) }),
  );
  checkBuffers(design, counts, values);
  checkInstances(
    design,
    einsums.map(({ einsum }) => einsum),
    values,
  );
  for (const { name, cycles } of counts) values[design.busySlots.get(name) as number] = cycles;
  const bytes = new Map(counts.map(c => [c.name, dramBytes(c)]));
  const timing = timingOf(
    design,
    counts,
    bytes,
    values,
    has("schedule") ? scheduledCycles(design, { sizes, mask }, values) : null,
    hasTimedLevels(design) ? levelUses(design, einsums, counts, values) : undefined,
  );
  const energy = energyOf(design, counts, bytes, values, accounting);
  return {
    counts,
    mappingsTried,
    ...wordsText(design, values),
    trafficBytes: [...bytes.values()].reduce((sum, b) => sum + b, 0),
    ...timing,
    ...(hasStandingEnergy(design)
      ? withStandingEnergy(design, energy, einsums, timing.latencySeconds, values)
      : energy),
    ...areaOf(design, values),
  };
}

function wordsText(
  { words, elementBits }: CompiledDesign,
  values: Float64Array,
): Pick<Evaluation, "wordBits" | "arithmetic" | "elementBits" | "missing" | "lacking" | "assumed"> {
  const { arithmetic, figures, operandBits } = words;
  return {
    wordBits: operandBits,
    arithmetic: arithmetic?.name ?? null,
    elementBits: elementBits?.(values) ?? null,
    missing: figures.lacking.length === 0 ? [] : ["energyPj", "areaUm2"],
    lacking: figures.lacking,
    assumed: figures.assumed ?? null,
  };
}

/** What a mask leaves of the rows that the mapping makes of the queries. Throws SpecError where it has no ranks for it. */
function regionOf(mask: KeyMask, { queries }: Sizes, design: CompiledDesign, values: Float64Array): VisibleRegion {
  const einsums = design.einsums.map(einsum => variantOf(einsum, values));
  checkMaskable(einsums, classesOf(mask.sequences).length > 1, () => design.design.mapping.at([]));
  // There is one, or the mask would have been refused.
  const rows = einsums.flatMap(({ ranks }) => ranks.filter(({ role }) => role === "queries")).map(({ size }) => size);
  return { ...mask, group: (values[rows[0] as number] as number) / queries };
}
