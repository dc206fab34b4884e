import { type NamedAxes, parseNamedAxes } from "../../einsum/axes.js";
import type { Cascade } from "../../einsum/cascade.js";
import { nearest } from "../../einsum/source.js";
import { UsageError } from "../../errors.js";

/** One `--tensor`: what it names, and the file (or, of a tensor without ranks, the number) that it is read from. */
export interface TensorArgument {
  readonly named: NamedAxes;
  /** Null where only the axes are said, of a tensor that --input holds or that is generated. */
  readonly from: string | null;
}

/** Reads `Q=q.npy`, `Q[p,e]=q.npy` and `Q[p,e]`. @throws UsageError for anything else and for tensors that are no inputs */
export function parseTensorArguments(texts: readonly string[], cascade: Cascade): ReadonlyMap<string, TensorArgument> {
  const found = new Map<string, TensorArgument>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    const named = parseNamedAxes(equals < 0 ? text : text.slice(0, equals));
    const from = equals < 0 ? null : text.slice(equals + 1);
    if (named === null || from === "" || (from === null && named.axes === null)) {
      throw new UsageError({
        where: "--tensor",
        got: `"${text}"`,
        expected: 'NAME=FILE, such as Q=q.npy, or with the axes that the file has: "Q[p,e]=q.npy"',
      });
    }
    const name = inputNamed(cascade, named.name);
    if (found.has(name)) {
      throw new UsageError({ where: "--tensor", got: `${name} twice`, expected: "each tensor once" });
    }
    found.set(name, { named: { ...named, name }, from });
  }
  return found;
}

/** One of some names, in its own capitals if it is there, else in any if that is one name. */
export function findName(wanted: string, names: readonly string[]): string | undefined {
  if (names.includes(wanted)) return wanted;
  const alike = names.filter(name => name.toLowerCase() === wanted.toLowerCase());
  return alike.length === 1 ? alike[0] : undefined;
}

function inputNamed(cascade: Cascade, name: string): string {
  const found = findName(name, cascade.inputs);
  if (found !== undefined) return found;
  const computed = cascade.tensors.has(name) ? "computes itself" : "does not have";
  const near = nearest(name, cascade.inputs);
  throw new UsageError({
    where: "--tensor",
    got: `${name}, which ${cascade.name} ${computed}`,
    expected: `an input: ${cascade.inputs.join(", ") || "it has none"}`,
    ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
  });
}

/**
 * The tensors that --write names, in its order; all that are written for `all`, and those that no Einsum reads for
 * nothing. @throws UsageError for a name that the cascade does not write
 */
export function parseWrites(text: string | undefined, cascade: Cascade): readonly NamedAxes[] {
  const written = [...cascade.tensors.keys()].filter(name => !cascade.inputs.includes(name));
  const plain = (names: readonly string[]): readonly NamedAxes[] => names.map(name => ({ name, axes: null }));
  if (text === undefined) return plain(cascade.outputs);
  if (text.trim().toLowerCase() === "all" && !written.includes(text.trim())) return plain(written);
  const seen = new Set<string>();
  // A comma between brackets is part of a name.
  return text.split(/,(?![^[]*\])/).map(part => {
    const parsed = parseNamedAxes(part);
    const known = parsed === null ? undefined : findName(parsed.name, written);
    const named = parsed === null ? null : { ...parsed, name: known ?? parsed.name };
    if (named === null || seen.has(named.name)) {
      const expected = 'names of tensors, each once, such as "AV,RM" or "AV[p,f]", or all';
      throw new UsageError({ where: "--write", got: part.trim() === "" ? "nothing" : `"${part.trim()}"`, expected });
    }
    seen.add(named.name);
    if (known !== undefined) return named;
    const near = nearest(named.name, written);
    throw new UsageError({
      where: "--write",
      got: `${named.name}, which ${cascade.name} ${cascade.inputs.includes(named.name) ? "only reads" : "does not have"}`,
      expected: `tensors that it writes: ${written.join(", ")}`,
      ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
    });
  });
}
