import type { MapperProblem } from "./problem.js";

/** What an entry of a mapping's file says of where an Einsum is done. */
interface LaidEntry {
  readonly array: string;
  readonly loops: Readonly<Record<string, readonly string[]>>;
  readonly spread?: Readonly<Record<string, readonly string[]>>;
}

/**
 * The fan-outs of several instances around Einsums over which none of them has a loop: that all but one idle has to be said, or is a
 * mistake of whoever wrote a mapping (`checkInstances`).
 */
export function idleFanouts(
  { arrays, compiled, values }: MapperProblem,
  entries: readonly LaidEntry[],
): readonly string[] {
  const used = new Set(entries.flatMap(({ loops, spread = {} }) => [...Object.keys(loops), ...Object.keys(spread)]));
  const around = new Set(
    arrays.flatMap(({ name, levels }) => (entries.some(({ array }) => array === name) ? levels : [])),
  );
  return [...around].filter(level => {
    const { spec, fields } = compiled.levels.get(level) ?? {};
    return spec?.kind === "fanout" && (fields?.get("size")?.(values) ?? 1) > 1 && !used.has(level);
  });
}
