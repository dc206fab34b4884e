import { cpuEngine } from "fusemax";
import { emulateRows } from "#fusemax/emulator/emulate";
import { describeFailure, selfTest } from "#fusemax/emulator/self-test";
import type { Variant } from "#fusemax/emulator/webgpu/variant";
import type { FormatName } from "#fusemax/numerics/format";
import { sha256OfValues } from "#fusemax/numerics/sha256";
import { type BenchCase, nameOf, operandsOf, problemOf } from "../cases.js";
import { arithmeticNames, loadArithmetic } from "./arithmetics.js";
import { openOn } from "./engine.js";
import { loseDevice } from "./loss.js";
import { phaseTimes } from "./phases.js";
import { gflopsOf, timesOf } from "./speed.js";
import type { Section, Setting, Step } from "./step.js";

const three = (value: number): string => value.toPrecision(3);

const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
] as const;

async function adapterSection({ adapter }: Setting): Promise<Section> {
  const { name, kind, info, features, limits } = adapter;
  const rows: (readonly [string, string | number])[] = [
    ["name", name],
    ["kind", kind],
    ["device", info.device || info.description],
    ["subgroup sizes", `${info.subgroupMinSize ?? "?"} to ${info.subgroupMaxSize ?? "?"}`],
    ["features", [...features].sort().join(", ")],
    ...wantedLimits.map(limit => [limit, limits[limit]] as const),
  ];
  return { title: "Adapter", says: "What the adapter says of itself.", columns: ["what", "value"], rows };
}

/** The self-test of every arithmetic: operations and small attentions against the golden implementation. */
async function selfTestSection({ adapter }: Setting): Promise<Section> {
  const engine = await openOn(adapter);
  const rows: (readonly [string, string, string])[] = [];
  for (const name of arithmeticNames) {
    const startedAt = performance.now();
    const failure = await selfTest({ engine, runOps: engine.runOps }, loadArithmetic(name));
    const verdict = failure === null ? "pass" : describeFailure(failure);
    rows.push([name, verdict, three((performance.now() - startedAt) / 1000)]);
  }
  await engine.close();
  const passed = rows.filter(([, verdict]) => verdict === "pass").length;
  return {
    title: "Self-test",
    says: `${passed} of ${rows.length} arithmetics pass.`,
    columns: ["arithmetic", "verdict", "seconds"],
    rows,
  };
}

/** Whole attentions in every arithmetic: every bit against the plain JavaScript engine. */
async function bitsSection({ adapter, rehearsal }: Setting): Promise<Section> {
  const [engine, cpu] = [await openOn(adapter), cpuEngine()];
  const seq = rehearsal ? 96 : 300;
  const rows: (readonly [string, string, number, string])[] = [];
  for (const name of arithmeticNames) {
    const one: BenchCase = { seq, dim: 64, format: "bf16", arithmetic: loadArithmetic(name) };
    const problem = problemOf(one);
    const outputs = await Promise.all(
      [engine, cpu].map(async on => {
        const av = new Float32Array(seq * one.dim);
        const onBlock = ({ range, av: block }: { range: { start: number }; av: Float32Array }) =>
          av.set(block, range.start * one.dim);
        await emulateRows(problem, operandsOf(one, on.allocate), { engine: on, onBlock });
        return av;
      }),
    );
    const [own, expected] = outputs.map(av => new Uint32Array(av.buffer, av.byteOffset, av.length));
    const differing = own?.reduce((sum, bits, i) => sum + (bits === expected?.[i] ? 0 : 1), 0) ?? Number.NaN;
    const sha256 = sha256OfValues(outputs[0] as Float32Array).slice(0, 16);
    rows.push([name, differing === 0 ? "equal" : "DIFFERENT", differing, sha256]);
  }
  await engine.close();
  const equal = rows.filter(([, verdict]) => verdict === "equal").length;
  return {
    title: "Bits",
    says: `${equal} of ${rows.length} arithmetics give the bits of the plain JavaScript engine (${seq} queries and keys, E = F = 64).`,
    columns: ["arithmetic", "bits", "values that differ", "sha256 of AV begins"],
    rows,
  };
}

const shareOf = ({ peakTflops }: Setting, gflops: number): string =>
  peakTflops === null ? "-" : three(gflops / 1000 / peakTflops);

async function speedSection(setting: Setting): Promise<Section> {
  const { adapter, rehearsal } = setting;
  const engine = await openOn(adapter);
  const lengths = rehearsal ? [512, 1024] : [1024, 4096, 16384, 65536];
  const formats: readonly FormatName[] = ["bf16", "bf16-strict", "fp16", "fp16-strict", "fp32"];
  const rows: (readonly string[])[] = [];
  for (const format of formats) {
    for (const dim of format === "bf16" ? [64, 128] : [64]) {
      for (const seq of lengths) {
        const one = { seq, dim, format };
        const { whole, resident } = await timesOf(engine, one, rehearsal ? 1 : 2);
        const [a, b] = [gflopsOf(one, whole), gflopsOf(one, resident)];
        rows.push([nameOf(one), three(a), three(b), three(whole), shareOf(setting, b)]);
      }
    }
  }
  await engine.close();
  return {
    title: "Speed by format and length",
    says: "GFLOP/s = 4 P M E / time of one head, E = F; with transfers: operands up, laid out, computed, AV back; without: again with the operands on the device.",
    columns: ["tokens, E, format", "GFLOP/s with transfers", "without", "seconds", "of the stated peak"],
    rows,
  };
}

async function otherArithmeticsSection(setting: Setting): Promise<Section> {
  const { adapter, rehearsal } = setting;
  const engine = await openOn(adapter);
  const seq = rehearsal ? 256 : 16384;
  const names = ["bf16", "hopper-bf16", "fa3-fp8", "fa4-fp8", "int8-qk", "mxfp8", "mxfp4", "nvfp4"];
  const rows: (readonly string[])[] = [];
  for (const name of names) {
    const one: BenchCase = { seq, dim: 64, format: "bf16", arithmetic: loadArithmetic(name) };
    const { whole, resident } = await timesOf(engine, one, rehearsal ? 1 : 2);
    rows.push([name, three(gflopsOf(one, whole)), three(gflopsOf(one, resident)), three(whole)]);
  }
  await engine.close();
  return {
    title: "Other arithmetics",
    says: `${seq} tokens, E = F = 64, printed programs but for bf16.`,
    columns: ["arithmetic", "GFLOP/s with transfers", "without", "seconds"],
    rows,
  };
}

/** Aims that hold until a card has been measured: 8 TFLOP/s at 64K, 1M tokens of one head within 45 s (on an H200). */
const aims = { tflopsAt64K: 8, secondsAt1M: 45 };

async function longSection(setting: Setting): Promise<Section> {
  const { adapter, rehearsal } = setting;
  const engine = await openOn(adapter);
  const lengths = rehearsal ? [2048] : [65536, 262144, 1048576];
  const rows: (readonly string[])[] = [];
  for (const seq of lengths) {
    const one: BenchCase = { seq, dim: 64, format: "bf16" };
    const { whole } = await timesOf(engine, one, 0);
    const gflops = gflopsOf(one, whole);
    const aim =
      seq === 65536
        ? `${aims.tflopsAt64K} TFLOP/s: ${gflops >= 1000 * aims.tflopsAt64K ? "reached" : "missed"}`
        : seq === 1048576
          ? `${aims.secondsAt1M} s: ${whole <= aims.secondsAt1M ? "reached" : "missed"}`
          : "-";
    rows.push([`${seq / 1024}K`, three(whole), three(gflops), shareOf(setting, gflops), aim]);
    // For whoever reads the report of a run that was ended here.
    console.error(`${seq} tokens: ${three(whole)} s`);
  }
  await engine.close();
  return {
    title: "Long sequences",
    says: "One head in bf16, E = F = 64, with transfers, one run each.",
    columns: ["tokens", "seconds", "GFLOP/s", "of the stated peak", "aim"],
    rows,
  };
}

/** Shapes of the kernel for GPUs, and of the other one, with whose speed the table's choice is compared. */
function variantsOf(rehearsal: boolean): readonly (readonly [string, Partial<Variant>])[] {
  const tiles = [32, 64, 128, 256].map(
    rows =>
      [
        `attention-tiles, ${rows} rows a workgroup`,
        { kernel: "attention-tiles", workgroupSize: rows, blockRows: rows },
      ] as const,
  );
  const shapes = ([1, 2] as const).flatMap(blocksAtOnce =>
    ([1, 2] as const).map(
      wordsAtOnce =>
        [
          `attention-rows, 64 invocations, ${8 * blocksAtOnce} keys and ${wordsAtOnce} words per iteration`,
          {
            kernel: "attention-rows",
            workgroupSize: 64,
            blockRows: 512,
            quads: false,
            shape: { blocksAtOnce, wordsAtOnce },
          },
        ] as const,
    ),
  );
  const all: readonly (readonly [string, Partial<Variant>])[] = [...tiles, ...shapes];
  return rehearsal ? [all[0], all[4]].filter(one => one !== undefined) : all;
}

async function variantSection({ adapter, rehearsal }: Setting): Promise<Section> {
  const seq = rehearsal ? 512 : 32768;
  const one: BenchCase = { seq, dim: 64, format: "bf16" };
  const measured: { readonly name: string; readonly gflops: number; readonly words: string }[] = [];
  for (const [name, variant] of [["the table's choice", {}] as const, ...variantsOf(rehearsal)]) {
    try {
      const engine = await openOn(adapter, { variant });
      const { resident } = await timesOf(engine, one, 1);
      const gflops = gflopsOf(one, resident);
      measured.push({ name, gflops, words: three(gflops) });
      await engine.close();
    } catch (error) {
      measured.push({ name, gflops: Number.NaN, words: `not run: ${error instanceof Error ? error.message : error}` });
    }
  }
  const best = [...measured].sort((a, b) => (b.gflops || 0) - (a.gflops || 0))[0];
  return {
    title: "Shapes of the kernel",
    says: `Best of those tried at ${seq} tokens in bf16: ${best?.name ?? "none"}.`,
    columns: ["shape", "GFLOP/s without transfers"],
    rows: measured.map(({ name, words }) => [name, words]),
  };
}

/** The parts of a report in their order, what matters most first: a run may end before the last. */
export const steps: readonly Step[] = [
  { name: "adapter", limitSeconds: 30, run: adapterSection },
  { name: "self-test", limitSeconds: 120, run: selfTestSection },
  { name: "long", limitSeconds: 150, run: longSection },
  { name: "speed", limitSeconds: 120, run: speedSection },
  { name: "shapes", limitSeconds: 90, run: variantSection },
  { name: "phases", limitSeconds: 60, run: phaseTimes },
  { name: "bits", limitSeconds: 120, run: bitsSection },
  { name: "arithmetics", limitSeconds: 90, run: otherArithmeticsSection },
  { name: "loss", limitSeconds: 45, run: loseDevice },
];
