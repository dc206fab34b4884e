import type { ScoreTerms } from "../../attention/score-terms.js";
import { type Cascade, parseCascade } from "../../einsum/cascade.js";
import { formatAccess } from "../../einsum/format-einsum.js";
import { attentionRoles } from "../../einsum/roles.js";
import { SpecError } from "../../errors.js";
import { needsNoPlace } from "../placement.js";

/** What an added Einsum is: of tanh x = (1 - e) / (1 + e) with e = exp(-2x) a part, or the sum with the bias. */
export type TermRole = "exponential" | "numerator" | "denominator" | "quotient" | "capped" | "biased";

export interface TermEinsum {
  readonly role: TermRole;
  readonly name: string;
}

/** A cascade of attention in which scores are capped and biased before anything else reads them. */
export interface ScoreCascade {
  readonly cascade: Cascade;
  /** The scores as they are made, by the number of their Einsum in the cascade that was given, and as they are read. */
  readonly index: number;
  readonly score: string;
  readonly final: string;
  readonly added: readonly TermEinsum[];
  /** The input that holds the bias; null without one. */
  readonly bias: string | null;
}

const known = new WeakMap<Cascade, Map<string, ScoreCascade>>();

/**
 * Inserts the Einsums of a soft-cap and of a bias behind the one that makes scores of Q and K. The factors g and w of
 * docs/numerics.md are numbers of no meaning: a cost does not depend on them. Throws SpecError for a cascade that is not
 * attention.
 */
export function withScoreTerms(cascade: Cascade, terms: ScoreTerms, whoAsks: string): ScoreCascade {
  const memo = known.get(cascade) ?? new Map<string, ScoreCascade>();
  known.set(cascade, memo);
  const key = JSON.stringify(terms);
  const made = memo.get(key) ?? inserted(cascade, terms, whoAsks);
  memo.set(key, made);
  return made;
}

function inserted(cascade: Cascade, { softcap, bias }: ScoreTerms, whoAsks: string): ScoreCascade {
  const { einsums, source } = cascade;
  const roles = attentionRoles(cascade);
  const index = einsums.findIndex(({ right, reads, reductions }) => {
    const from = reads.map(({ tensor }) => copiedFrom(cascade, tensor));
    const isProduct = right.kind === "binary" && right.op === "*" && reductions.length === 1;
    return isProduct && roles !== null && from.includes(roles.q) && from.includes(roles.k);
  });
  const score = einsums[index];
  if (roles === null || score === undefined) {
    throw new SpecError({
      where: whoAsks,
      got: `${cascade.name}, which has no product of queries and keys`,
      expected: "a cascade of attention, whose scores can be capped and biased",
    });
  }
  const nameOf = (wanted: string): string => {
    let name = wanted;
    while (cascade.tensors.has(name)) name += "0";
    return name;
  };
  const at = (tensor: string): string => formatAccess(tensor, score.indices);
  const capped: readonly (readonly [role: TermRole, name: string, right: (names: readonly string[]) => string])[] = [
    ["exponential", nameOf("CE"), () => `exp(${at(score.tensor)} * -0.5)`],
    ["numerator", nameOf("CN"), ([e = ""]) => `1 - ${at(e)}`],
    ["denominator", nameOf("CD"), ([e = ""]) => `1 + ${at(e)}`],
    ["quotient", nameOf("CR"), ([, n = "", d = ""]) => `${at(n)} / ${at(d)}`],
    ["capped", nameOf("CS"), ([, , , r = ""]) => `${at(r)} * 0.5`],
  ];
  const parts = softcap === null ? [] : capped;
  const names = parts.map(([, name]) => name);
  const added = parts.map(([role, name]): TermEinsum => ({ role, name }));
  const lines = parts.map(([, name, right]) => `${at(name)} = ${right(names)}`);
  const input = bias === null ? null : nameOf("BIAS");
  // A rank of the queries, and those of the keys, as the score has them.
  const isQuery = (variable: string): boolean => cascade.ranks.ofVariable(variable).name === roles.queries;
  const own = score.free.filter(variable => (isQuery(variable) ? bias?.queries : bias?.keys) === true);
  const declared = input === null ? null : own.length === 0 ? input : `${input}[${own.join(",")}]`;
  if (declared !== null) {
    added.push({ role: "biased", name: nameOf("SB") });
    lines.push(`${at(nameOf("SB"))} = ${at(names.at(-1) ?? score.tensor)} + ${declared}`);
  }
  const final = added.at(-1)?.name ?? score.tensor;
  const lists = source.lines.some(line => /^\s*inputs?\s*:/i.test(line));
  if (declared !== null && lists) lines.unshift(`inputs: ${declared}`);
  const text = source.lines.flatMap((line, i) => {
    const replaced = replaceReads(line, readsOn(cascade, score.tensor, i + 1), final);
    return i + 1 === score.span.line ? [replaced, ...lines.map(own => `  ${own}`)] : [replaced];
  });
  const heading = input === null ? [] : [`# beside: ${input}`];
  return {
    cascade: named(parseCascade([...heading, ...text].join("\n"), source.name), cascade.name),
    ...{ index, score: score.tensor, final, added, bias: input },
  };
}

const named = (cascade: Cascade, name: string): Cascade => ({ ...cascade, name });

/** Where a line reads a tensor, from right to left. */
function readsOn(cascade: Cascade, tensor: string, line: number): readonly number[] {
  const columns = cascade.einsums.flatMap(({ reads }) =>
    reads.flatMap(read => (read.tensor === tensor && read.span.line === line ? [read.span.column] : [])),
  );
  return [...new Set(columns)].sort((a, b) => b - a);
}

const replaceReads = (line: string, columns: readonly number[], name: string): string =>
  columns.reduce((text, column) => {
    const rest = text.slice(column - 1).replace(/^\w+/, name);
    return text.slice(0, column - 1) + rest;
  }, line);

/** The input that a tensor has the values of, by other indices. */
function copiedFrom(cascade: Cascade, tensor: string): string {
  const writer = cascade.tensors.get(tensor)?.writer ?? null;
  const einsum = writer === null ? undefined : cascade.einsums[writer];
  const [read] = einsum?.reads ?? [];
  if (einsum === undefined || read === undefined || !needsNoPlace(einsum) || einsum.iteration !== null) return tensor;
  return copiedFrom(cascade, read.tensor);
}
