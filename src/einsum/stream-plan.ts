import { UsageError } from "../errors.js";
import { barriersOf } from "./barriers.js";
import type { Cascade } from "./cascade.js";
import type { Einsum, Index } from "./einsum.js";
import { formatIndex, formatRead } from "./format-einsum.js";
import { passesOver } from "./passes.js";
import { indexedRank } from "./shape.js";
import { windowsOf } from "./windows.js";

/** Which ranks a bound is asked about: the one that is streamed, and the one whose coordinates make blocks. */
export interface StreamedRanks {
  /** Key positions, M: a mapping runs through all of them for a block of rows. */
  readonly streamed: string;
  /** Query positions, P. */
  readonly rows: string;
}

/** What of a cascade moves between DRAM and the buffer, worked out once for all sizes. */
export interface StreamPlan {
  readonly cascade: string;
  readonly passes: number;
  /** Read or written once whatever the mapping: inputs and outputs without the streamed rank, or with the rows' too. */
  readonly compulsory: readonly Words[];
  /** Inputs with the streamed rank and without the rows': read again for every block of rows, in these passes. */
  readonly streams: readonly (Words & { readonly passes: readonly number[] })[];
  /**
   * By boundary between passes q and q + 1: tensors of which a fiber a row must live across it, and how often each of
   * their words moves where it does not: out and in again; an input only in, and one that is streamed not even that,
   * since the later pass streams it anyway.
   */
  readonly crossing: readonly (readonly (Words & { readonly moves: number })[])[];
  /** What a row keeps while the rank streams by, in words: its inputs and running values. */
  readonly rowState: readonly Words[];
  readonly rowsRank: string;
  readonly streamedRank: string;
}

/** Words of a tensor: the product of these ranks' sizes. */
export interface Words {
  readonly tensor: string;
  readonly ranks: readonly string[];
}

/**
 * Finds what a cascade streams, what it holds, and what it would spill.
 * @throws UsageError for a rank that the cascade does not have, or more passes than can be enumerated.
 */
export function streamPlan(cascade: Cascade, { streamed, rows }: StreamedRanks): StreamPlan {
  const [window] = windowsOf(cascade);
  if (window !== undefined) {
    throw new UsageError({
      where: cascade.name,
      got: `${formatRead(window.read)}, a sliding window`,
      expected: "indices of one variable, or the parts of a split rank",
      fix: "neighbouring blocks share what they read of a window, which the bound does not count: keys near a query are said with --mask window:LEFT,RIGHT, over a cascade that reads all",
    });
  }
  const filter = cascade.einsums.flatMap(({ filters }) => filters)[0];
  if (filter !== undefined) {
    throw new UsageError({
      where: cascade.name,
      got: `the condition ${formatIndex(filter.left)} ${filter.relation} ${formatIndex(filter.right)}`,
      expected: "Einsums over all points: which of them a mapping may leave out, a condition in the text does not say",
      fix: "say it as a mask, over the cascade without it: --mask causal:top-left for m <= p, --mask window:LEFT,RIGHT for a band",
    });
  }
  const [rank, rowsRank] = [streamed, rows].map(name => {
    const found = cascade.ranks.byName(name);
    if (found !== undefined) return found;
    throw new UsageError({
      where: cascade.name,
      got: `no rank ${name}`,
      expected: `one of ${cascade.ranks.ranks.map(r => r.name).join(", ")}`,
    });
  }) as [NonNullable<ReturnType<typeof cascade.ranks.byName>>, NonNullable<ReturnType<typeof cascade.ranks.byName>>];
  const analysis = passesOver(cascade, rank);
  if (analysis.passes > mostPasses) {
    throw new UsageError({ where: cascade.name, got: `${analysis.passes} passes`, expected: `at most ${mostPasses}` });
  }
  const words = (tensor: string): Words => ({ tensor, ranks: ranksOf(cascade, tensor) });
  const has = ({ ranks }: Words, wanted: typeof rank): boolean =>
    wanted.parts.every(part => ranks.some(name => cascade.ranks.byName(name)?.parts.includes(part)));
  const inputs = cascade.inputs.map(words);
  const isStream = (w: Words): boolean => has(w, rank) && !has(w, rowsRank);
  const barriers = barriersOf(cascade, analysis);
  const passOf = (einsum: number): number => analysis.einsums[einsum]?.pass ?? 1;
  const crossing = Array.from({ length: analysis.passes - 1 }, (_, q) => {
    const over = barriers.filter(b => b.through !== null && passOf(b.before) <= q + 1 && passOf(b.after) > q + 1);
    return [...new Set(over.map(b => b.through as string))].map(tensor => {
      const w = words(tensor);
      return { ...w, moves: !cascade.inputs.includes(tensor) ? 2 : isStream(w) ? 0 : 1 };
    });
  });
  return {
    cascade: cascade.name,
    passes: analysis.passes,
    compulsory: [...inputs.filter(w => !isStream(w)), ...cascade.outputs.map(words)],
    streams: inputs.filter(isStream).map(w => ({ ...w, passes: usesOf(cascade, w.tensor).map(passOf) })),
    crossing,
    rowState: rowStateOf(
      cascade,
      rank.parts,
      rowsRank.name,
      inputs.filter(w => !has(w, rank) && has(w, rowsRank)),
    ),
    rowsRank: rowsRank.name,
    streamedRank: rank.name,
  };
}

/** The plan where `part` is a piece of `whole` in memory, as latent values are of their keys: one read brings both. */
export function readTogether(plan: StreamPlan, whole: string, part: string): StreamPlan {
  const inner = plan.streams.find(({ tensor }) => tensor === part);
  const streams = plan.streams
    .filter(stream => stream !== inner)
    .map(stream =>
      stream.tensor === whole ? { ...stream, passes: [...stream.passes, ...(inner?.passes ?? [])] } : stream,
    );
  return { ...plan, streams };
}

/** Subsets of spilled boundaries are enumerated. */
const mostPasses = 12;

/** The ranks that index a tensor; where it has all parts of a split rank, that rank in their place. */
function ranksOf(cascade: Cascade, name: string): string[] {
  const indices = cascade.tensors.get(name)?.indices ?? [];
  let ranks = indices.flatMap((index: Index) => {
    const rank = indexedRank(cascade, { ...index, offset: [] });
    return rank === undefined ? index.terms.map(t => cascade.ranks.ofVariable(t.variable).name) : [rank];
  });
  for (const { name: whole, parts } of cascade.ranks.ranks) {
    if (parts.length > 1 && parts.every(part => ranks.includes(part))) {
      ranks = [whole, ...ranks.filter(rank => !parts.includes(rank))];
    }
  }
  return ranks;
}

/** Einsums that compute with an input, also by way of copies such as BK[e,m1,m0] = K[e, m1*M0+m0]. */
function usesOf(cascade: Cascade, tensor: string): number[] {
  return [...cascade.einsums.keys()].flatMap(i => {
    const einsum = cascade.einsums[i] as Einsum;
    if (!einsum.reads.some(read => read.tensor === tensor)) return [];
    return isCopy(einsum) ? usesOf(cascade, einsum.tensor) : [i];
  });
}

const isCopy = ({ right, reductions, iteration }: Einsum): boolean =>
  right.kind === "access" && reductions.length === 0 && iteration === null;

/**
 * A row's own inputs, and its running values: those that iterate over the streamed rank, else those that are reduced
 * over it.
 */
function rowStateOf(cascade: Cascade, parts: readonly string[], rowsRank: string, inputs: readonly Words[]): Words[] {
  const streamed = (variable: string): boolean =>
    cascade.ranks.ofVariable(variable).parts.some(part => parts.includes(part));
  const running = [...cascade.tensors.values()].filter(
    ({ iterative }) => iterative !== null && streamed(iterative.variable),
  );
  const reduced = cascade.einsums
    .filter(einsum => einsum.reduced.some(streamed) && !einsum.free.some(streamed))
    .flatMap(einsum => cascade.tensors.get(einsum.tensor) ?? []);
  const state = (running.length > 0 ? running : reduced).map(({ name, iterative }) => {
    const over = iterative === null ? undefined : cascade.ranks.ofVariable(iterative.variable).name;
    return { tensor: name, ranks: ranksOf(cascade, name).filter(rank => rank !== over) };
  });
  return [...inputs, ...state].filter(({ ranks }) => ranks.includes(rowsRank));
}
