import { afterAll, describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { allRows } from "../../src/attention/rows.js";
import { placeAmongKeys } from "../../src/attention/window.js";
import { check } from "../../src/emulator/check.js";
import { emulate } from "../../src/emulator/emulate.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { wasmEngine } from "../../src/emulator/wasm/engine.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { nodeWasmHost } from "../../src/platform/wasm-host.js";

/**
 * FlashAttention's own criterion (its tests/test_flash_attn.py): the largest error is at most twice that of attention computed
 * plainly in the same formats, over ALiBi, causal, local windows and soft-caps, and head widths. The plain one here is the
 * 3-pass baseline. `npm run test:flash` runs all of it and prints the table of docs/numerics.md; a part of it runs always.
 */
const full = process.env["FUSEMAX_FLASH"] === "full";
const [queries, keys, heads, kvHeads] = [113, 203, 4, 2];
const cap = 50;

interface Point {
  readonly format: "bf16" | "fp16";
  readonly width: number;
  readonly alibi: boolean;
  readonly causal: boolean;
  readonly local: boolean;
  readonly softcap: boolean;
}

const both = [false, true];
const grid: readonly Point[] = (["bf16", "fp16"] as const).flatMap(format =>
  (full ? [32, 40, 59, 64, 96, 111, 128, 160, 192, 224, 256] : [32, 59]).flatMap(width =>
    both.flatMap(alibi =>
      both.flatMap(causal =>
        both.flatMap(local => both.map(softcap => ({ format, width, alibi, causal, local, softcap }))),
      ),
    ),
  ),
);
const points = full ? grid : grid.filter((_, i) => i % 5 === 0);

const named = ({ format, width, ...kinds }: Point): string =>
  [format, `d ${width}`, ...Object.entries(kinds).flatMap(([name, is]) => (is ? [name] : []))].join(", ");

/** Slopes about as its tests draw them, 0.3 times a number below one; the windows of its generator are as wide as these. */
const slopes = [0.29, 0.11, 0.05, 0.2];

function caseOf({ format, width, alibi, causal, local, softcap }: Point) {
  const shape = { batch: 1, heads, kvHeads, queries, keys, headDim: width, valueDim: width };
  const problem: AttentionProblem = {
    shape,
    mask: { ...noMask, left: local ? 37 : -1, right: causal ? 0 : local ? 11 : -1 },
    tile: { m0: 64, p0: 64 },
    arithmetic: formatArithmetics[format],
    scale: 1 / Math.sqrt(width),
    ...(softcap ? { softcap: cap } : {}),
  };
  // Scores reach the cap, as its tests have it.
  const q = generateNormal(width, "q", heads * queries * width).map(x => (softcap ? x * cap : x));
  const k = generateNormal(width, "k", kvHeads * keys * width);
  const v = generateNormal(width, "v", kvHeads * keys * width);
  const values = Float32Array.from({ length: heads * queries * keys }, (_, at) => {
    const i = placeAmongKeys({}, shape, Math.floor(at / keys) % queries);
    return -(slopes[Math.floor(at / (keys * queries))] ?? 0) * Math.abs(i - (at % keys));
  });
  return { problem, inputs: { q, k, v, ...(alibi ? { bias: { shape: [heads, queries, keys], values } } : {}) } };
}

describe("FlashAttention's grid", async () => {
  const engine = wasmEngine(await nodeWasmHost());
  const worst = new Map<string, number>();
  afterAll(async () => {
    await engine.close();
    if (!full) return;
    for (const [name, ratio] of worst) console.log(`| ${name} | ${ratio.toFixed(2)} |`);
  });

  it.each(points.map(point => ({ name: named(point), point })))(
    "law: at most twice the plain error: $name",
    async ({ point }) => {
      const { problem, inputs } = caseOf(point);
      const emulated = await emulate(problem, inputs, { engine });
      // Every third row, all heads: the float64 side takes the time.
      const rows = Array.from({ length: allRows(problem).end }, (_, row) => row).filter(row => row % 3 === 0);
      const { maxAbs, baseline } = await check(emulated.problem, inputs, emulated.operands, emulated.av, rows);
      const kind = `${point.format} | ${point.alibi ? "ALiBi" : ""} | ${point.causal ? "causal" : ""} | ${point.local ? "local" : ""} | ${point.softcap ? "softcap" : ""}`;
      worst.set(kind, Math.max(worst.get(kind) ?? 0, maxAbs / (baseline?.maxAbs ?? Number.NaN)));
      expect(maxAbs).toBeLessThanOrEqual(2 * (baseline?.maxAbs ?? Number.NaN));
    },
  );
});
