import { UsageError } from "../errors.js";
import { formatOf } from "../numerics/format-of.js";
import type { Design } from "../spec/design.js";
import { type Accounting, publishedDesigns } from "./accounting.js";
import { wordsCorrection } from "./words.js";

/** One error of the published evaluation that can be corrected by itself. */
export interface Correction {
  readonly name: string;
  /** What it can do to time, traffic and energy: only add to them, only save, or either. */
  readonly effect: "adds" | "saves" | "both";
  readonly what: string;
  /** Where the error shows. */
  readonly source: string;
}

/**
 * What the accounting `corrected` changes. Three are done by the analysis (`register-energy`, `first-reads`, `words`), one by simulation (`schedule`);
 * the others are fields that the specs themselves list under `corrections`.
 */
export const corrections: readonly Correction[] = [
  {
    name: "register-energy",
    effect: "adds",
    what: "register files are charged for every PE, not for one",
    source: "published energy model: accesses per instance, arithmetic in total",
  },
  {
    name: "first-reads",
    effect: "both",
    what: "partial sums read for the first time are counted truly, not in 64-bit words that overflow; SLNV is a sum per key tile, as in Cascade 5",
    source: "published loop-nest counts from 64K tokens on",
  },
  {
    name: "exp-energy",
    effect: "adds",
    what: "+Cascade's exponentials are charged",
    source: "published energy model: a misspelt key drops them",
  },
  {
    name: "cascade-buffer",
    effect: "both",
    what: "+Cascade sizes its tiles for FLAT's 32 MiB, not for 16 MiB",
    source: 'FuseMax, section VI: "+Cascade on the FLAT architecture"',
  },
  {
    name: "exp-cost",
    effect: "both",
    what: "exp costs the same everywhere: six multiply-accumulates after one subtraction, 7 cycles",
    source: "FuseMax, section V (FuseMax); section VI gives the baselines a one-cycle exp unit",
  },
  {
    name: "divider",
    effect: "adds",
    what: "a division takes 4 cycles, as fast half-precision dividers do",
    source: "J. D. Bruguera, Low Latency Floating-Point Division and Square Root Unit, IEEE Trans. Computers, 2020",
  },
  {
    name: "bandwidth",
    effect: "adds",
    what: "400 GB/s is 400 * 10^9 bytes per second, not 400 * 2^30",
    source: "FuseMax, section V; published timing model",
  },
  {
    name: "double-buffering",
    effect: "both",
    what: "tiles that stream from DRAM have room for two in the buffer",
    source: "FuseMax, section V: loads overlap with computation",
  },
  {
    name: "partial-blocks",
    effect: "both",
    what: "blocks of tiles may leave a partial last one, where the published ones divide the sequence; Unfused's are searched for",
    source: "published tile sizes: at 65,792 tokens the rule gives blocks of one tile",
  },
  {
    name: "flat-mapper",
    effect: "both",
    what: "FLAT takes, at every length, the one of its mapper's configurations that takes the least energy",
    source: "published configurations: twelve lengths, the powers of two from 512 to 1M",
  },
  {
    name: "loop-order",
    effect: "saves",
    what: "the linear layers may keep a block of weights on chip while the rows pass, where that moves less than a block of rows while the weights pass",
    source: "published mappings of the linear layers: always rows outside",
  },
  {
    name: wordsCorrection,
    effect: "both",
    what: "words have the bits of the arithmetic that a design or a command names (operands with their scales, accumulators, the output), and its operations are counted; the paper's designs name none, and have 16 bits for all",
    source: "docs/arithmetic.md, What it costs; published word size",
  },
  {
    name: "schedule",
    effect: "adds",
    what: "computation takes the cycles of the schedule's simulation: fill, drain, skew and the arrays' waits for each other included",
    source: "docs/schedule.md; published timing model: the larger of two busy times",
  },
];

export const correctionNames: readonly string[] = corrections.map(({ name }) => name);

/**
 * The accounting that a user asked for, by its name or by corrections; `byDefault` where neither is given. With some
 * corrections it is `corrected` with those alone. Throws UsageError for an unknown correction, and for a name and
 * corrections at once.
 * @example
 * ```ts
 * import { accountingOf } from "fusemax";
 *
 * console.log(accountingOf("published", undefined).corrections.length); // 0
 * console.log(accountingOf(undefined, ["schedule"]).name); // corrected
 * ```
 */
export function accountingOf(
  name: string | undefined,
  wanted: readonly string[] | undefined,
  mapping: Accounting["mapping"] = "published",
  byDefault: Accounting["name"] = "published",
): Accounting {
  const named = name ?? (wanted === undefined ? byDefault : undefined);
  const all = named === "corrected" || wanted?.includes("all") === true;
  const asked = all ? correctionNames : (wanted ?? []);
  const unknown = wanted?.find(correction => correction !== "all" && !correctionNames.includes(correction));
  if (unknown !== undefined) {
    throw new UsageError({
      where: "--correct",
      got: `"${unknown}"`,
      expected: `one of ${correctionNames.join(", ")}, all`,
    });
  }
  if (name !== undefined && wanted !== undefined) {
    throw new UsageError({
      ...{ where: "--correct", got: `--accounting ${name}`, expected: "one of the two" },
      ...{ problem: `cannot be given with --accounting ${name}`, fix: "corrected has all corrections" },
    });
  }
  const used = correctionNames.filter(correction => asked.includes(correction));
  return { name: used.length > 0 ? "corrected" : "published", corrections: used, mapping };
}

/**
 * The accounting where nobody names one. `published` answers for what was published: the paper's designs as they ship, with
 * nothing set. Anybody else's design must not get the authors' errors unasked.
 */
export const accountingFor = (designs: readonly Design[], settings: number): Accounting["name"] =>
  settings === 0 && designs.every(isPublished) ? "published" : "corrected";

/** A design of the paper as it ships, in one of the formats of its 16-bit words. */
function isPublished({ name, spec, architecture, mapping, binding, technology, arithmetic }: Design): boolean {
  const parts = [spec, architecture, mapping, binding, technology];
  const words = formatOf(arithmetic.data) !== null && arithmetic.data.operands.q.type.storageBits === 16;
  return publishedDesigns.includes(name) && words && parts.every(({ shipped }) => shipped);
}

/** A report's first line. */
export function accountingLine(accounting: Accounting, byDefault: boolean): string {
  const why =
    accounting.name === "published"
      ? "the paper's designs as they ship"
      : "a design, a setting or scores that are not the paper's; --accounting published computes as the authors did";
  return `Accounting: ${accountingText(accounting)}${byDefault ? ` (${why})` : ""}`;
}

/** Corrections of the analysis itself, which no spec lists. */
const ofAnalysis: readonly string[] = ["register-energy", "first-reads", "schedule"];

/** The corrections that can change anything of a design. */
export function correctionsOf({ spec, architecture, mapping, binding, arithmeticBy }: Design): readonly string[] {
  const listed = [spec, architecture, mapping, binding].flatMap(({ data }) => Object.keys(data.corrections ?? {}));
  const charged = (spec.data.unchargedWhenPublished ?? []).map(({ correction }) => correction);
  const named = arithmeticBy === "default" ? [] : [wordsCorrection];
  const own = new Set([...ofAnalysis, ...named, ...listed, ...charged]);
  return correctionNames.filter(name => own.has(name));
}

/** The accounting in words, for reports. */
export function accountingText({ corrections: used, mapping }: Accounting): string {
  const counted =
    used.length === 0
      ? "published"
      : used.length === correctionNames.length
        ? "corrected"
        : `published with ${used.join(", ")}`;
  return mapping === "search" ? `${counted}, searched mappings` : counted;
}
