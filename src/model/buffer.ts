import { SpecError } from "../errors.js";
import type { Design } from "../spec/design.js";
import type { CompiledDesign } from "./compile.js";
import type { Patch } from "./patch.js";
import type { Sizes } from "./sizes.js";
import { valuesOf } from "./values.js";

/**
 * Bytes of a design's on-chip buffer, its first level of SRAM.
 * @param variables values of what the design was compiled with left open
 */
export function bufferBytes(design: CompiledDesign, sizes: Sizes, variables: readonly number[] = []): number {
  const values = valuesOf(design, sizes, variables);
  const buffer = [...design.levels.values()].find(level => level.spec.kind === "sram");
  return buffer?.fields.get("bytes")?.(values) ?? 0;
}

/** Gives a design's on-chip buffer, whatever its name, other bytes. Throws SpecError for a design without one. */
export function bufferPatch({ architecture }: Design, bytes: number): Patch {
  const buffer = Object.entries(architecture.data.levels).find(([, { kind }]) => kind === "sram");
  if (buffer === undefined) {
    throw new SpecError({ where: architecture.at(["levels"]), got: "no level of kind sram", expected: "a buffer" });
  }
  return { path: `architecture.levels.${buffer[0]}.bytes`, value: bytes };
}
