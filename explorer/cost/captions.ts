import { ofArray } from "../../src/model/array-shares.js";
import { arrayInWords, arraysOf } from "../../src/report/array-names.js";
import { bytes, lengthLabel, percent } from "../../src/report/units.js";
import { isPaperDesign } from "../design/names.js";
import { ownName } from "../design/own.js";
import type { CostPoint } from "./known-costs.js";
import { boundNames, componentNames, hasPaperArrays, type Solved, solved, useOf, usesOf } from "./shares.js";

/** Sentences that say what a chart's numbers are; none is true of all settings, so each is made of the numbers. */

const digits = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

function least(points: readonly Solved[], of: (point: Solved) => number): Solved | undefined {
  return [...points].sort((a, b) => of(a) - of(b))[0];
}

/** The design that a sentence is about: the visitor's, else FuseMax where it is shown, else the last one. */
export const subjectOf = (points: readonly CostPoint[]): Solved | undefined => {
  const found = solved(points);
  return (
    found.find(({ design }) => design === ownName) ??
    found.find(({ design }) => design === "fusemax") ??
    found.findLast(({ design }) => isPaperDesign(design)) ??
    found.at(-1)
  );
};

const nothing = "None of the chosen designs can compute this.";

/** Designs that differ by less are said to be alike. */
const alike = 1.0005;

/** The designs of the least value: "+Architecture and +Binding". */
const leastOnes = (points: readonly Solved[], of: (point: Solved) => number): readonly Solved[] => {
  const best = least(points, of);
  return best === undefined ? [] : points.filter(point => of(point) <= alike * of(best));
};

/** "The fastest of those chosen: …, 11.6 times as fast as Unfused." */
function bestCaption(
  points: readonly CostPoint[],
  bases: readonly CostPoint[],
  what: string,
  of: (point: Solved) => number,
  against: (best: number, base: number) => string,
): string {
  const best = leastOnes(solved(points), of);
  const [first] = best;
  if (first === undefined) return nothing;
  const compared = solved(bases)
    .filter(({ design }) => !best.some(point => point.design === design))
    .map(base => `${against(of(first), of(base))} ${base.label}`);
  return `${what} of those chosen: ${[listed(best.map(({ label }) => label)), ...(compared.length > 0 ? [listed(compared)] : [])].join(", ")}.`;
}

export const speedupCaption = (points: readonly CostPoint[], bases: readonly CostPoint[]): string =>
  bestCaption(
    points,
    bases,
    "The fastest",
    ({ evaluation }) => evaluation.latencySeconds,
    (best, base) => `${digits(base / best)} times as fast as`,
  );

export function energyCaption(points: readonly CostPoint[], bases: readonly CostPoint[]): string {
  const known = solved(points).filter(({ evaluation }) => evaluation.energyPj !== undefined);
  const unknown = solved(points).filter(point => !known.includes(point));
  const without =
    unknown.length === 0
      ? ""
      : ` Nobody has published the energies of ${listed(unknown.map(({ label }) => label))}, which have no value.`;
  const best = bestCaption(
    known,
    bases,
    "The least energy",
    ({ evaluation: { energyPj = Number.POSITIVE_INFINITY } }) => energyPj,
    (least, base) => `${percent(least / base)} of that of`,
  );
  return `${known.length === 0 && unknown.length > 0 ? "" : best}${without}`.trim();
}

/** What each of the paper's arrays is for; of other machines' arrays nothing. */
export const dutiesCaption = (points: readonly CostPoint[]): string =>
  solved(points).every(hasPaperArrays) ? ": the 2D array multiplies, the 1D array does what it cannot" : "";

/** Arrays that are as busy as this are busy. */
const busyShare = 0.9;

export function utilizationCaption(points: readonly CostPoint[]): string {
  const subject = subjectOf(points);
  if (subject === undefined) return nothing;
  const { utilization, bound } = subject.evaluation;
  const arrays = arraysOf([utilization]);
  const shares = arrays.map(array => `its ${arrayInWords(array)} ${percent(ofArray(utilization, array))}`);
  const limit = boundNames[bound] ?? bound;
  return arrays.every(array => ofArray(utilization, array) >= busyShare)
    ? `${subject.label} keeps all of its arrays busy (${listed(shares)}), by working on several tiles at a time.`
    : `Of the time of ${subject.label}, ${listed(shares)} are busy; it is limited by: ${limit}.`;
}

export function useCaption(points: readonly CostPoint[]): string {
  const subject = subjectOf(points);
  if (subject === undefined) return nothing;
  const [useful, ...others] = usesOf([subject]).map(([name, , of]) => [name, useOf(subject, of)] as const);
  const [[name, share] = ["", 0]] = others.sort(([, a], [, b]) => b - a);
  const words = `${percent(useful?.[1] ?? 0)} of the PE-cycles of ${subject.label} compute`;
  return share < 0.01 ? `${words}.` : `${words}; most of the others go to: ${name} (${percent(share)}).`;
}

export function componentsCaption(points: readonly CostPoint[]): string {
  const subject = subjectOf(points);
  if (subject === undefined) return nothing;
  const { componentEnergyPj, energyPj } = subject.evaluation;
  if (energyPj === undefined) return `The energy of ${subject.label} is not known.`;
  const [[name, pj] = ["", 0]] = Object.entries(componentEnergyPj).sort(([, a], [, b]) => b - a);
  return `The largest part of the energy of ${subject.label} is ${componentNames[name] ?? name}: ${percent(pj / energyPj)}.`;
}

export function trafficCaption(points: readonly CostPoint[]): string {
  const of = ({ evaluation }: Solved) => evaluation.trafficBytes;
  const low = least(solved(points), of);
  const high = least(solved(points), point => -of(point));
  if (low === undefined || high === undefined) return nothing;
  const lowest = `${low.label} moves ${bytes(of(low))}`;
  const times = of(high) / of(low);
  return times < 1.005 ? `${lowest}, like the others.` : `${lowest}, ${high.label} ${digits(times)} times as much.`;
}

/** @param knee operations for each byte at which a design's roof bends */
export function rooflineCaption(
  points: readonly CostPoint[],
  knee: (point: Solved) => number,
  intensity: (point: Solved) => number,
): string {
  const found = solved(points);
  if (found.length === 0) return nothing;
  const left = found.filter(point => intensity(point) < knee(point)).map(({ label }) => label);
  if (left.length === 0) return "All of those chosen stand to the right of it.";
  return left.length === found.length
    ? "All of those chosen stand to the left of it."
    : `To the left of it: ${listed(left)}.`;
}

/** Where designs have no value, by design: "FLAT at 512K and 1M tokens". */
function gapsOf(points: readonly CostPoint[], designs: readonly string[]): readonly string[] {
  return designs.flatMap(name => {
    const missing = points.filter(({ design, problem }) => design === name && problem !== null);
    const [first] = missing;
    return first === undefined ? [] : [`${first.label} at ${listed(missing.map(({ seq }) => lengthLabel(seq)))}`];
  });
}

export function lengthCaption(points: readonly CostPoint[], designs: readonly string[]): string {
  const lengths = [...new Set(points.map(({ seq }) => seq))];
  const fastest = lengths.flatMap(length => {
    const at = solved(points).filter(({ seq, design }) => seq === length && designs.includes(design));
    return least(at, ({ evaluation }) => evaluation.latencySeconds)?.label ?? [];
  });
  const [name] = fastest;
  const always = name !== undefined && fastest.every(other => other === name);
  const gaps = gapsOf(points, designs);
  return [
    always
      ? `${name} is the fastest of those chosen at every length.`
      : `The fastest: ${listed([...new Set(fastest)])}.`,
    ...(gaps.length > 0 ? [`No value: ${gaps.join("; ")}.`] : []),
  ].join(" ");
}
