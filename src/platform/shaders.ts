import { readFileSync } from "node:fs";

/** Reads a kernel of the package's shaders/ folder: `attention-rows` or `shared/exp2`. A browser bundles the same files. */
export function readShader(name: string): string {
  return readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), "utf8");
}
