import type { AttentionProblem, TileDump } from "../../attention/problem.js";

/** Writes AV [B,H,P,F] as fp32 to a .npy or .safetensors file, whole or not at all. @throws InputError */
export async function writeOutput(path: string, { shape, format }: AttentionProblem, av: Float32Array): Promise<void> {
  const { batch, heads, queries, valueDim } = shape;
  const sizes = [batch, heads, queries, valueDim];
  if (path.toLowerCase().endsWith(".npy")) {
    const { writeNpy } = await import("../../io/npy.js");
    await writeNpy(path, sizes, av);
  } else {
    const { writeSafetensors } = await import("../../io/safetensors.js");
    await writeSafetensors(path, [{ name: "av", shape: sizes, values: av }], { format: format.name });
  }
}

/** Writes a tile's intermediates under the cascade's names, key rows first. @throws InputError */
export async function writeDump(path: string, valueDim: number, dump: TileDump): Promise<void> {
  const { rows, columns } = dump;
  const scores = [rows, columns];
  const running = [columns];
  const values = [valueDim, columns];
  const { writeSafetensors } = await import("../../io/safetensors.js");
  await writeSafetensors(path, [
    { name: "BQK", shape: scores, values: dump.bqk },
    { name: "LM", shape: running, values: dump.lm },
    { name: "RM", shape: running, values: dump.rm },
    { name: "SLN", shape: scores, values: dump.sln },
    { name: "SLD", shape: running, values: dump.sld },
    { name: "SLNV", shape: values, values: dump.slnv },
    { name: "PRM", shape: running, values: dump.prm },
    { name: "SPD", shape: running, values: dump.spd },
    { name: "RD", shape: running, values: dump.rd },
    { name: "SPNV", shape: values, values: dump.spnv },
    { name: "RNV", shape: values, values: dump.rnv },
    { name: "exists", shape: scores, values: dump.exists },
  ]);
}
