import type { Cascade } from "./cascade.js";
import { plainVariable } from "./einsum.js";
import { headerSpan, type Role, readRoles, rolesExample } from "./role-header.js";
import { CascadeError } from "./source.js";

/** Which tensors of a cascade are attention's, and the ranks by which they are indexed. */
export interface Roles {
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly out: string;
  /** Ranks by their names: queries, keys, the width of queries and keys, the width of values. */
  readonly queries: string;
  readonly keys: string;
  readonly e: string;
  readonly f: string;
}

/** Inputs that a cascade's header names as beside those of attention (`# beside: BIAS`): what is added to scores. */
export const inputsBeside = ({ headers }: Cascade): readonly string[] =>
  (headers.get("beside") ?? "").split(",").map(name => name.trim());

/**
 * The roles that a cascade's header gives (`# roles: q=Q, k=K, v=V, out=AV`), by default Q, K, V and its only output.
 * @param beside inputs that it may have beside those
 * @throws CascadeError where it has no such tensors, or they do not share ranks as those of attention do.
 */
export function rolesOf(cascade: Cascade, beside: readonly string[] = []): Roles {
  const { source } = cascade;
  const span = headerSpan(source);
  const header = readRoles(cascade);
  const [onlyOutput] = cascade.outputs.length === 1 ? cascade.outputs : [];
  const tensorOf = (role: Role, otherwise: string | undefined): string => {
    const tensor = header.get(role) ?? otherwise;
    if (tensor !== undefined && cascade.tensors.has(tensor)) return tensor;
    throw new CascadeError(source, span, {
      got: `no tensor ${tensor ?? role}`,
      expected: "a tensor for each of q, k, v and out",
      fix: `name them in the cascade's header: ${rolesExample}`,
    });
  };
  const [q, k, v] = [tensorOf("q", "Q"), tensorOf("k", "K"), tensorOf("v", "V")];
  const out = tensorOf("out", onlyOutput);
  const ranks = (tensor: string): string[] =>
    (cascade.tensors.get(tensor)?.indices ?? []).map(index => {
      const variable = plainVariable(index);
      return variable === undefined ? "" : cascade.ranks.ofVariable(variable).name;
    });
  const [ofQ, ofK, ofV, ofOut] = [ranks(q), ranks(k), ranks(v), ranks(out)];
  const [e] = ofQ.filter(rank => ofK.includes(rank));
  const [queries] = ofQ.filter(rank => rank !== e);
  const [keys] = ofK.filter(rank => rank !== e);
  const [f] = ofV.filter(rank => rank !== keys);
  const fits =
    [ofQ, ofK, ofV, ofOut].every(tensor => tensor.length === 2 && !tensor.includes("")) &&
    ofV.includes(keys ?? "") &&
    [f, queries].every(rank => ofOut.includes(rank ?? ""));
  const extra = cascade.inputs.filter(name => ![q, k, v, ...beside].includes(name));
  if (fits && extra.length === 0 && e && queries && keys && f) return { q, k, v, out, queries, keys, e, f };
  throw new CascadeError(source, span, {
    got:
      extra.length > 0 ? `the input ${extra.join(", ")}` : `${q}[${ofQ}], ${k}[${ofK}], ${v}[${ofV}], ${out}[${ofOut}]`,
    expected: "attention of q[e,p], k[e,m] and v[f,m] alone, which gives out[f,p]",
    fix: "fusemax evaluate takes any cascade",
  });
}

/** The same, for a cascade that may be no attention: null then. Inputs beside, such as a bias, are let pass. */
export function attentionRoles(cascade: Cascade): Roles | null {
  try {
    return rolesOf(cascade, inputsBeside(cascade));
  } catch (error) {
    if (error instanceof CascadeError) return null;
    throw error;
  }
}
