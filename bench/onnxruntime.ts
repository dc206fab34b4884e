import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchCase } from "./cases.js";
import { attentionModel } from "./onnx-model.js";

/** Too large for package.json, and its install script fetches from a host that many networks close: kept in an ignored folder. */
const version = "1.30.0";
const folder = fileURLToPath(new URL("../../.cache/onnxruntime/", import.meta.url));

/** Installs onnxruntime-node for the benchmark alone; gives the reason when that fails. */
export function installOnnxRuntime(): string | null {
  if (existsSync(join(folder, "node_modules", "onnxruntime-node", "package.json"))) return null;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", `onnxruntime-node@${version}`];
  try {
    execFileSync("npm", args, { cwd: folder, env, stdio: "pipe" });
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

/** The part of onnxruntime-node's interface that is used here. */
interface OnnxRuntime {
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: Readonly<Record<string, unknown>>): Promise<unknown> }>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => unknown;
}

/** The score matrix is what plain attention pays for; more queries at once than this were measured to be no faster. */
const mostQueries = 1024;

/** Plain fp32 attention, blocks of queries one after the other. Gives what runs it once. */
export async function openOnnxRuntime(one: BenchCase, threads: number): Promise<() => Promise<void>> {
  const { InferenceSession, Tensor } = createRequire(join(folder, "package.json"))("onnxruntime-node") as OnnxRuntime;
  const { seq, dim } = one;
  const queries = Math.min(seq, mostQueries);
  const model = attentionModel({ queries, keys: seq, headDim: dim, valueDim: dim });
  const session = await InferenceSession.create(model, { intraOpNumThreads: threads, interOpNumThreads: 1 });
  const values = (rows: number) =>
    new Tensor(
      "float32",
      Float32Array.from({ length: rows * dim }, (_, i) => ((i * 37) % 101) / 101 - 0.5),
      [rows, dim],
    );
  const feeds = { q: values(queries), k: values(seq), v: values(seq) };
  return async () => {
    for (let start = 0; start < seq; start += queries) await session.run(feeds);
  };
}
