import type { ErrorSummary, WorstElement } from "../emulator/error-statistics.js";
import { howMany } from "../errors.js";
import { accountingText } from "../model/corrections.js";
import type { RunCost } from "../model/cost.js";
import { numberTypes } from "../numerics/number-type.js";
import { arrayInWords } from "./array-names.js";
import { elementBitsText } from "./element-bits.js";
import { onnxText } from "./onnx-comparison.js";
import type { RunResult } from "./run-result.js";
import { uncharged } from "./score-terms.js";
import { textTable } from "./table.js";
import { bytes, energy, percent, seconds } from "./units.js";

/** The result of `fusemax run` for people: one fact a line, names on the left. */
export function runText(result: RunResult): string {
  const { workload, engine, output, cost, time, tile, arithmetic } = result;
  const lines: (readonly [name: string, fact: string])[] = [
    ["workload", workloadText(workload)],
    ["mask", maskText(workload)],
    ...(scoresText(workload).length === 0 ? [] : [["scores", scoresText(workload).join(", ")] as const]),
    [
      "array",
      `${tile.m0} x ${tile.p0} PEs, ${arithmetic.name}${result.kvSplits === 1 ? "" : `, keys in ${result.kvSplits} runs`}`,
    ],
    ["engine", `${engine.name}${engine.adapter === null ? "" : `, ${engine.adapter}`} (${engine.reason})`],
    ["output", `AV [${output.shape.join(", ")}]${output.file === null ? "" : ` in ${output.file}`}`],
    ["sha256", output.sha256],
    ...saturatedLines(result),
    ...(output.rowsWithoutKeys === 0
      ? []
      : [
          [
            "no keys",
            output.rowsWithoutKeys === 1
              ? "1 row sees no key and is zeros"
              : `${output.rowsWithoutKeys} rows see no key and are zeros`,
          ] as const,
        ]),
  ];
  return [
    `${titleOf(result)}, emulated bit for bit; accounting: ${countedAs(cost)}`,
    ...lines.map(line),
    "",
    ...(result.onnx === undefined ? [] : [...onnxText(result.onnx), ""]),
    ...errorText(result),
    "",
    `Cost on ${result.design === "fusemax" ? "FuseMax" : result.design}${ofOther(result)}`,
    line(["cycles", `${count(Math.round(cost.cycles))}; ${count(Math.round(cost.busyCycles))} of computation`]),
    line(["time", `${seconds(cost.seconds)} at ${clock(cost.frequencyHz)} and ${bandwidth(cost.dramBytesPerSecond)}`]),
    line(["words", wordsText(cost, arithmetic)]),
    line(["DRAM", `${bytes(cost.dramBytes)} of traffic`]),
    line(["energy", energyText(cost)]),
    line(["busy", busyText(cost)]),
    ...chargedText(cost).map(text => line(["scores", text])),
    ...uncharged(workload, cost.scores, tile.p0).map(text => line(["left out", text])),
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

const ofOther = ({ costOfCascade }: RunResult): string =>
  costOfCascade === null ? "" : `, of its own ${costOfCascade}`;

const titleOf = ({ design, cascade }: RunResult): string =>
  design === "fusemax" && cascade === "attention-1-pass" ? "FuseMax attention" : `${cascade} on ${design}`;

const busyText = ({ utilization }: RunCost): string =>
  Object.entries(utilization)
    .map(([array, share]) => `${arrayInWords(array)} ${percent(share)}`)
    .join(", ");

/** What is done to scores, and charged. */
function chargedText({ scores: { softcap, bias } }: RunCost): readonly string[] {
  const parts = [...(softcap === null ? [] : ["the soft-cap"]), ...(bias === null ? [] : [`a bias [${bias}]`])];
  const verb = parts.length === 1 ? "is" : "are";
  return parts.length === 0 ? [] : [`${parts.join(" and ")} ${verb} charged`];
}

const countedAs = ({ accounting: name, corrections }: RunCost): string =>
  accountingText({ name, corrections, mapping: "published" });

const clock = (hertz: number): string => `${Number((hertz / 1e6).toPrecision(6))} MHz`;

/** The published bandwidth is in GiB, whatever it is called. */
const bandwidth = (rate: number): string =>
  rate % 2 ** 30 === 0 ? `${rate / 2 ** 30} GiB/s` : `${Number((rate / 1e9).toPrecision(6))} GB/s`;

/** Operands of the types that saturate, where some did. */
function saturatedLines({ saturated }: RunResult): readonly (readonly [name: string, fact: string])[] {
  const some = Object.entries(saturated).filter(([, count]) => count > 0);
  if (some.length === 0) return [];
  return [
    [
      "saturated",
      `${some.map(([name, number]) => `${count(number)} of ${name}`).join(", ")} at the largest value of their type`,
    ],
  ];
}

function wordsText(
  { accounting, wordBits, elementBits, assumed }: RunCost,
  { name, operands }: RunResult["arithmetic"],
): string {
  if (elementBits !== null) return elementBitsText(elementBits);
  const own = Object.values(numberTypes).find(type => type.name === operands.q.type)?.storageBits ?? wordBits;
  const whatever = accounting === "published" && own !== wordBits ? `, whatever the format: ${name} has ${own}` : "";
  const said = assumed === null ? "" : `; ${assumed}`;
  return `bytes and energy are for ${wordBits} bits${whatever}${said}`;
}

const energyText = ({ energyPj, lacking, assumed, elementBits }: RunCost): string =>
  energyPj === undefined
    ? `not known: the technology has no ${lacking.join(", ")} (docs/arithmetic.md, "What it costs")`
    : `${energy(energyPj)}${assumed === null || elementBits === null ? "" : `; ${assumed}`}`;

const line = ([name, fact]: readonly [string, string]): string => `  ${name.padEnd(10)}${fact}`;

const count = (value: number): string => value.toLocaleString("en-US");

function workloadText(w: RunResult["workload"]): string {
  const heads = w.kvHeads === w.heads ? howMany(w.heads, "head") : `${w.heads} heads on ${w.kvHeads} of K and V`;
  const widths = w.headDim === w.valueDim ? `E = F = ${w.headDim}` : `E = ${w.headDim}, F = ${w.valueDim}`;
  const source = w.seed === null ? "from files" : `seed ${w.seed}${w.spread === 1 ? "" : `, spread ${w.spread}`}`;
  const kind = w.layers === null ? "" : `, ${howMany(w.layers, "layer")}`;
  const name = w.model === null ? "" : `${w.model}${kind}: `;
  const shared = w.valuesInKeys ? ", values within keys" : "";
  const cached = w.pastKeys === null ? "" : ` (${w.pastKeys} of a cache)`;
  const sizes = `batch ${w.batch}, ${heads}, ${howMany(w.queries, "query")} x ${howMany(w.keys, "key")}${cached}, ${widths}`;
  return `${name}${sizes}${shared}, scale ${Number(w.scale.toPrecision(6))}, ${source}`;
}

const corners = {
  "bottom-right": "aligned to the bottom-right corner: the last query is at the last key",
  "top-left": "aligned to the top-left corner: the first query is at the first key",
};

function maskText(workload: RunResult["workload"]): string {
  const {
    causal,
    window: [left, right],
    masks,
    corner,
    leftPad,
    kvLens,
    qLens,
    alibi,
  } = workload;
  const parts = [
    ...(causal ? ["causal"] : []),
    ...masks,
    ...(leftPad === null ? [] : [`left padding ${leftPad.join(",")}`]),
    ...(left === -1 && right === -1 ? [] : [`window ${left},${right}`]),
    ...(kvLens === null ? [] : [`keys ${kvLens.join(",")}`]),
    ...(qLens === null ? [] : [`queries ${qLens.join(",")}`]),
    ...(alibi === null ? [] : [`ALiBi, which adds ${alibi.elements} to E`]),
  ];
  const all = parts.length === 0 ? "none" : parts.join(", ");
  return corner === null ? all : `${all}; ${corners[corner]}`;
}

/** What is done to scores beside scaling. */
function scoresText({ softcap, bias, sink }: RunResult["workload"]): readonly string[] {
  return [
    ...(softcap === null ? [] : [`capped at ${softcap}`]),
    ...(bias === null ? [] : [`a bias [${bias.join(", ")}]`]),
    ...(sink ? ["a sink per head"] : []),
  ];
}

function errorText({ error, output, arithmetic, cascade }: RunResult): readonly string[] {
  const emulated = cascade === "attention-1-pass" ? "FuseMax" : cascade;
  if (error === null) return ["Error: not checked (--check none)"];
  const [batch = 1, heads = 1, queries = 1] = output.shape;
  const row = (name: string, { maxAbs, rms, rmsRelative }: ErrorSummary) =>
    [name, ...[maxAbs, rms, rmsRelative].map(x => x.toExponential(2))] as const;
  const table = textTable({
    columns: ["", "max", "rms", "rms/rms"],
    rows: [
      row(`${emulated}, inputs rounded`, error),
      row(`${emulated}, inputs as given`, error.withInputRounding),
      ...(error.baseline === null ? [] : [row(`3-pass in ${arithmetic.name}, inputs rounded`, error.baseline)]),
    ],
  });
  return [
    `Error against float64 attention, ${error.checkedRows} of ${howMany(batch * heads * queries, "row")}`,
    ...table.split("\n").map(text => `  ${text}`),
    ...(error.worst === null ? [] : [line(["worst", worstText(error.worst)])]),
  ];
}

const worstText = ({ b, h, p, f, got, expected }: WorstElement): string =>
  `AV[${b}, ${h}, ${p}, ${f}] is ${got}, float64 gives ${expected}`;

const resumed = ({ time }: RunResult): string =>
  time.resumedRows === 0
    ? ""
    : ` (${howMany(time.resumedRows, "row")} ${time.resumedRows === 1 ? "was" : "were"} finished before)`;
