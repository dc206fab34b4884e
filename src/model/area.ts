import type { Block } from "./building-blocks.js";
import type { CompiledDesign } from "./compile.js";
import { instances } from "./timing.js";

export interface Area {
  readonly areaUm2: number;
  /** By level, and per array its operators as `compute.<array>`. */
  readonly componentAreaUm2: Readonly<Record<string, number>>;
  /** Buffers that the technology's table does not have: their energy and area lie between its sizes, or beyond them. */
  readonly estimatedBuffers: Readonly<Record<string, "interpolated" | "extrapolated">>;
}

/** Memories, register files and the operators of each PE. */
export function areaOf(design: CompiledDesign, values: Float64Array): Area {
  const components: Record<string, number> = {};
  const estimatedBuffers: Record<string, "interpolated" | "extrapolated"> = {};
  for (const { name, spec, fields } of design.levels.values()) {
    const field = (key: string): number | undefined => fields.get(key)?.(values);
    const own = field("areaUm2");
    const around = instances(design, name, values);
    if (spec.kind === "sram" && design.technology.lacks.length === 0) {
      const { origin } = sramOf(design, field);
      if (origin === "interpolated" || origin === "extrapolated") estimatedBuffers[name] = origin;
    }
    if (own !== undefined) components[name] = own * around * (field("size") ?? 1);
    else if (spec.kind === "sram") {
      components[name] = around * sramOf(design, field).areaUm2;
    } else if (spec.kind === "registers" && spec.sameAs === undefined) {
      components[name] = around * design.blocks.registerFile(field("depth") ?? 1, design.words.widestBits).areaUm2;
    }
  }
  for (const [array, cycles] of design.arrays) {
    const operators = [...cycles.keys()].flatMap(operation => design.words.figures.operators(array, operation));
    const pe = operators.reduce((sum, { areaUm2 }) => sum + areaUm2, 0);
    components[`compute.${array}`] = pe * instances(design, design.architecture.arrays[array]?.at as string, values);
  }
  const areaUm2 = Object.values(components).reduce((sum, a) => sum + a, 0);
  return { areaUm2, componentAreaUm2: components, estimatedBuffers };
}

const sramOf = (design: CompiledDesign, field: (key: string) => number | undefined): Block =>
  design.blocks.sram(field("bytes") ?? 1, (field("rowWords") ?? 1) * design.wordBytes * 8);
