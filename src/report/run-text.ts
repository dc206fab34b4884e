import type { ErrorSummary, WorstElement } from "../emulator/error-statistics.js";
import type { RunResult } from "./run-result.js";
import { textTable } from "./table.js";
import { bytes, energy, percent, seconds } from "./units.js";

/** The result of `fusemax run` for people: one fact a line, names on the left. */
export function runText(result: RunResult): string {
  const { workload, engine, output, cost, time, tile, format } = result;
  const ofPaper = result.design === "fusemax";
  const lines: (readonly [name: string, fact: string])[] = [
    ["workload", workloadText(workload)],
    ["mask", maskText(workload)],
    ["array", `${tile.m0} x ${tile.p0} PEs, ${format}`],
    ["engine", `${engine.name}${engine.adapter === null ? "" : `, ${engine.adapter}`} (${engine.reason})`],
    ["output", `AV [${output.shape.join(", ")}]${output.file === null ? "" : ` in ${output.file}`}`],
    ["sha256", output.sha256],
    ...(output.rowsWithoutKeys === 0
      ? []
      : [["no keys", `${output.rowsWithoutKeys} rows see no key and are zeros`] as const]),
  ];
  return [
    `${titleOf(result)}, emulated bit for bit`,
    ...lines.map(line),
    "",
    ...errorText(result),
    "",
    `Cost on ${ofPaper ? "FuseMax" : result.design}`,
    line(["cycles", count(cost.cycles)]),
    line(["time", `${seconds(cost.seconds)}${ofPaper ? " at 940 MHz and 400 GiB/s" : ""}`]),
    line(["DRAM", `${bytes(cost.dramBytes)} of traffic`]),
    line(["energy", `${energy(cost.energyPj)}, as the paper counts it`]),
    line(["busy", `2D array ${percent(cost.util2d)}, 1D array ${percent(cost.util1d)}`]),
    "",
    "Emulation",
    line([
      "emulated",
      `in ${time.emulateSeconds.toFixed(2)} s, ${time.gflops.toPrecision(3)} GFLOP/s${resumed(result)}`,
    ]),
    line(["in all", `${time.totalSeconds.toFixed(2)} s`]),
    "",
  ].join("\n");
}

const titleOf = ({ design, cascade }: RunResult): string =>
  design === "fusemax" && cascade === "attention-1-pass" ? "FuseMax attention" : `${cascade} on ${design}`;

const line = ([name, fact]: readonly [string, string]): string => `  ${name.padEnd(10)}${fact}`;

const many = (count: number, noun: string): string =>
  `${count} ${count === 1 ? noun : noun.replace(/([^e])y$/, "$1ie").concat("s")}`;
const count = (value: number): string => value.toLocaleString("en-US");

function workloadText(w: RunResult["workload"]): string {
  const heads = w.kvHeads === w.heads ? many(w.heads, "head") : `${w.heads} heads on ${w.kvHeads} of K and V`;
  const widths = w.headDim === w.valueDim ? `E = F = ${w.headDim}` : `E = ${w.headDim}, F = ${w.valueDim}`;
  const source = w.seed === null ? "from files" : `seed ${w.seed}${w.spread === 1 ? "" : `, spread ${w.spread}`}`;
  const name = w.model === null ? "" : `${w.model}: `;
  const sizes = `batch ${w.batch}, ${heads}, ${many(w.queries, "query")} x ${many(w.keys, "key")}, ${widths}`;
  return `${name}${sizes}, scale ${Number(w.scale.toPrecision(6))}, ${source}`;
}

function maskText({ causal, window: [left, right], kvLens, qLens, alibi }: RunResult["workload"]): string {
  const parts = [
    ...(causal ? ["causal"] : []),
    ...(left === -1 && right === -1 ? [] : [`window ${left},${right}`]),
    ...(kvLens === null ? [] : [`keys ${kvLens.join(",")}`]),
    ...(qLens === null ? [] : [`queries ${qLens.join(",")}`]),
    ...(alibi === null ? [] : [`ALiBi, which adds ${alibi.elements} to E`]),
  ];
  return parts.length === 0 ? "none" : parts.join(", ");
}

function errorText({ error, output, format }: RunResult): readonly string[] {
  if (error === null) return ["Error: not checked (--check none)"];
  const [batch = 1, heads = 1, queries = 1] = output.shape;
  const row = (name: string, { maxAbs, rms, rmsRelative }: ErrorSummary) =>
    [name, ...[maxAbs, rms, rmsRelative].map(x => x.toExponential(2))] as const;
  const table = textTable({
    columns: ["", "max", "rms", "rms/rms"],
    rows: [
      row("FuseMax, inputs rounded", error),
      row("FuseMax, inputs as given", error.withInputRounding),
      row(`3-pass in ${format}, inputs rounded`, error.baseline),
    ],
  });
  return [
    `Error against float64 attention, ${error.checkedRows} of ${batch * heads * queries} rows`,
    ...table.split("\n").map(text => `  ${text}`),
    ...(error.worst === null ? [] : [line(["worst", worstText(error.worst)])]),
  ];
}

const worstText = ({ b, h, p, f, got, expected }: WorstElement): string =>
  `AV[${b}, ${h}, ${p}, ${f}] is ${got}, float64 gives ${expected}`;

const resumed = ({ time }: RunResult): string =>
  time.resumedRows === 0 ? "" : ` (${time.resumedRows} rows were finished before)`;
