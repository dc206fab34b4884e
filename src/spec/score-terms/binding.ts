import { type Binding, bindingSchema } from "../binding.js";
import type { Design } from "../design.js";
import { type Document, withSchema } from "../document.js";
import type { ScoreCascade } from "./cascade.js";
import { firstDependent, type TermArrays } from "./place.js";

/**
 * The binding with the added Einsums: one after the other beside the Einsum that makes scores, or that reads them, and the
 * division beside the first Einsum of its array that waits for it.
 */
export function bindingWithTerms(design: Design, scores: ScoreCascade, arrays: TermArrays): Document<Binding> {
  const { home, divider, reader } = arrays;
  const aliases = Object.entries(design.mapping.data.aliases ?? {});
  const beside = reader?.name ?? scores.score;
  const away = divider === home ? [] : scores.added.filter(({ role }) => role === "quotient");
  const here = scores.added.filter(term => !away.includes(term));
  const phases = design.binding.data.phases.map(phase => ({ ...phase, latency: String(phase.latency) }));
  const put = (einsum: string, names: readonly string[]): void => {
    const words = [einsum, ...aliases.flatMap(([alias, name]) => (name === einsum ? [alias] : []))].join("|");
    const word = new RegExp(`(?<![\\w.])(?:${words})(?![\\w.])`);
    const phase = phases.find(({ latency }) => word.test(latency));
    if (phase === undefined || names.length === 0) return;
    phase.latency = phase.latency.replace(word, found => `(${[found, ...names].join(" + ")})`);
  };
  put(
    beside,
    here.map(({ name }) => name),
  );
  put(
    firstDependent(design, scores, divider) ?? beside,
    away.map(({ name }) => name),
  );
  return { ...withSchema(design.binding, { ...design.binding.data, phases }, bindingSchema), shipped: false };
}
