import type { Cascade } from "../einsum/cascade.js";
import { plainVariable } from "../einsum/einsum.js";
import { InputError } from "../errors.js";

/** Which tensors of a cascade are attention's, and the rank variables by which they are indexed. */
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

/**
 * The roles that a cascade's header gives (`# roles: q=Q, k=K, v=V, out=AV`), by default Q, K, V and its only output.
 * @throws InputError where it has no such tensors, or they do not share ranks as those of attention do.
 */
export function rolesOf(cascade: Cascade): Roles {
  const header = new Map(
    (cascade.headers.get("roles") ?? "").split(",").map(part => {
      const [role = "", tensor = ""] = part.split("=").map(word => word.trim());
      return [role, tensor] as const;
    }),
  );
  const [onlyOutput] = cascade.outputs.length === 1 ? cascade.outputs : [];
  const tensorOf = (role: string, otherwise: string): string => {
    const tensor = header.get(role) ?? otherwise;
    if (cascade.tensors.has(tensor)) return tensor;
    throw new InputError({
      where: cascade.name,
      got: `no tensor ${tensor === "" ? role : tensor}`,
      expected: `a tensor for each of q, k, v and out`,
      mend: "name them in the cascade's header: # roles: q=Q, k=K, v=V, out=AV",
    });
  };
  const [q, k, v] = [tensorOf("q", "Q"), tensorOf("k", "K"), tensorOf("v", "V")];
  const out = tensorOf("out", onlyOutput ?? "");
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
  const extra = cascade.inputs.filter(name => name !== q && name !== k && name !== v);
  if (fits && extra.length === 0 && e && queries && keys && f) return { q, k, v, out, queries, keys, e, f };
  throw new InputError({
    where: cascade.name,
    got:
      extra.length > 0 ? `the input ${extra.join(", ")}` : `${q}[${ofQ}], ${k}[${ofK}], ${v}[${ofV}], ${out}[${ofOut}]`,
    expected: "attention of q[e,p], k[e,m] and v[f,m] alone, which gives out[f,p]",
    mend: "fusemax evaluate takes any cascade",
  });
}
