import type { Laid } from "../model/action-counts.js";
import type { CompiledDesign } from "../model/compile.js";
import type { MappedDesign } from "../model/evaluate.js";
import { tileWords } from "../model/loop-nest.js";

/**
 * A mapping as the nest of loops that each Einsum runs, as Timeloop prints its mappings: level by level what is kept there
 * (words of a tile, of one instance) and the loops over it, outermost first. `[0:16,4)`: sixteen iterations, four the last time.
 */
export function loopNestText(design: CompiledDesign, mapped: MappedDesign): string {
  return mapped.einsums.map(laid => nestOf(design, laid, mapped.values)).join("\n\n");
}

function nestOf(design: CompiledDesign, { einsum, boxes, kept }: Laid, values: Float64Array): string {
  const { shape, ranks, path } = einsum;
  const lines: string[] = [];
  let depth = 0;
  const indent = (): string => "  ".repeat(depth);
  const iterations = new Map<number, string>();
  for (const { shift, parts, size, bounds } of ranks) {
    const coordinates = values[size] as number;
    const own = bounds.length === 0 ? [coordinates] : bounds.map(slot => Math.max(1, values[slot] as number));
    iterationsOf(coordinates, own).forEach((iteration, part) => {
      iterations.set(shift + part, `${parts[part]} in ${iteration}`);
    });
  }
  path.forEach(({ name, spec, fields }, level) => {
    const held = shape.tensors.flatMap((tensor, t) =>
      (kept[t] ?? []).includes(level)
        ? [`${tensor.name}: ${tileWords(shape, boxes, tensor, level).toLocaleString("en-US")}`]
        : [],
    );
    const size = spec.kind === "fanout" ? ` x ${fields.get("size")?.(values)}` : "";
    const dealt = einsum.spreadOver.includes(name) ? " (iterations of the loops above are dealt to them)" : "";
    const holds = spec.kind === "fanout" ? dealt : ` [ ${held.length === 0 ? "passed by" : held.join(", ")} ]`;
    lines.push(`${name}${size}${holds}`);
    for (const loop of shape.loops) {
      if (loop.level !== level) continue;
      depth += 1;
      lines.push(`${indent()}${spec.kind === "fanout" ? "parallel" : "for"} ${iterations.get(loop.bit)}`);
    }
  });
  depth += 1;
  const operations = einsum.operations
    .map(({ name, perPoint }) => ({ name, each: perPoint(values) }))
    .filter(({ each }) => each > 0)
    .map(({ name, each }) => (each === 1 ? name : `${Number(each.toPrecision(4))} ${name}`));
  const inputs = shape.tensors.filter(({ output }) => !output).map(({ name }) => name);
  const output = shape.tensors.find(t => t.output)?.name ?? einsum.name;
  lines.push(`${indent()}${output} from ${inputs.join(", ")}: ${operations.join(" + ") || "nothing"}`);
  const of = design.design.placement?.find(placed => placed.name === einsum.name)?.einsum.text;
  return `${einsum.name} on ${einsum.array}${of === undefined ? "" : `: ${of}`}\n${lines.map(line => `  ${line}`).join("\n")}`;
}

/** The iterations of each part's loop, and those of its last time where these are fewer. */
function iterationsOf(size: number, bounds: readonly number[]): readonly string[] {
  let rest = size;
  return bounds.map((bound, part) => {
    const chunk = bounds.slice(part + 1).reduce((product, own) => product * own, 1);
    const last = Math.ceil(rest / chunk);
    rest -= (last - 1) * chunk;
    // The outermost part reaches as far as it must.
    const all = part === 0 ? last : bound;
    return last === all ? `[0:${all})` : `[0:${all},${last})`;
  });
}
