import { SpecError } from "../errors.js";
import type { CompleteMapping } from "./completed.js";
import { type Document, type Path, withSchema } from "./document.js";
import type { FusionFacts } from "./fusion-facts.js";
import { mappingSchema, type WrittenMapping } from "./mapping.js";

/** A mapping of a design without a cascade: it has to say everything itself. Throws SpecError at what it leaves out. */
export function mappingAlone(written: Document<WrittenMapping>): CompleteMapping {
  const { data, at } = written;
  const missing = (path: Path, field: string): SpecError => {
    const [got, expected] = [`no ${field}, and a design that names no cascade`, `${field} in the mapping`];
    const fix = "say them, or name the design's cascade, which has them";
    return new SpecError({ where: at(path), got, expected, fix });
  };
  if (data.tensors === undefined) throw missing([], "tensors");
  for (const [name, entry] of Object.entries(data.einsums)) {
    if (entry.of !== undefined) {
      const got = `a part of ${entry.of}`;
      throw new SpecError({ where: at(["einsums", name, "of"]), got, expected: "parts only with a cascade" });
    }
    for (const [i, variant] of ("variants" in entry ? entry.variants : [entry]).entries()) {
      const path: Path = "variants" in entry ? ["einsums", name, "variants", i] : ["einsums", name];
      const field = (["inputs", "output", "operations"] as const).find(key => variant[key] === undefined);
      if (field !== undefined) throw missing(path, field);
    }
  }
  const mapping = withSchema(written, written.raw, mappingSchema);
  const inputsOf = (name: string): readonly string[] => {
    const entry = mapping.data.einsums[name];
    return entry === undefined ? [] : "variants" in entry ? entry.variants.flatMap(v => v.inputs) : entry.inputs;
  };
  const facts: FusionFacts = {
    reads: name => inputsOf(name).map(tensor => ({ name: tensor, tensor, when: "now" })),
    ranks: tensor => mapping.data.tensors[tensor] ?? [],
    iterates: () => [],
    indexOf: () => undefined,
    rankOf: () => undefined,
    cascade: undefined,
  };
  return { mapping, placement: undefined, facts };
}
