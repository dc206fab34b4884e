import { availableParallelism } from "node:os";
import { formatNames, UsageError } from "fusemax";
import type { EngineChoice } from "#fusemax/platform/choose-engine";
import { note, parseEngine, parseOptions, runProgram } from "../command-line.js";
import { emulateLayer } from "./emulated.js";
import { openEngines } from "./engines.js";
import { exportQkv } from "./export-qkv.js";
import { loadModel } from "./model.js";
import { runAll } from "./pool.js";
import { report } from "./report.js";
import type { Arithmetic, Run } from "./run.js";
import { readText } from "./text.js";

const usage = `Runs a real sentence encoder with its attention on the emulated FuseMax array, once in each number format.

  npm start -- [options]
    --text FILE         read this text (default: the beginning of "Alice's Adventures in Wonderland")
    --tokens N          keep the first N tokens
    --engine NAME       auto, webgpu, wasm or cpu (default auto: a GPU, else the processor)
    --threads N         run so many formats at a time (default: one for each processor)
    --export-qkv FILE   instead, write q, k and v of one layer to FILE (.safetensors), for fusemax run --input
    --layer N           the layer to export (default 0)
    --repeat R          read the text R times in a row before exporting (default 1)
`;

/** The slowest first, so that the threads finish together. */
const arithmetics: readonly Arithmetic[] = ["fp16-strict", "bf16-strict", "fp16", "bf16", "fp32", "float64"];

interface Options {
  readonly text: string | undefined;
  readonly tokens: number;
  readonly engine: EngineChoice;
  readonly threads: number;
  readonly export: { readonly file: string; readonly layer: number; readonly repeat: number } | null;
}

async function main(options: Options): Promise<void> {
  const start = performance.now();
  note("loading the model");
  const [model, text] = await Promise.all([loadModel(), readText(options.text)]);
  const ids = model.tokenizer.encode(text).slice(0, options.tokens);
  if (ids.length === 0) {
    throw new UsageError({
      where: options.text ?? "--tokens",
      got: "no tokens",
      expected: "a text of at least one word",
    });
  }
  if (options.export !== null) {
    const shape = await exportQkv(model, ids, options.export);
    note(`wrote ${options.export.file}: q, k, v of shape [${shape.join(", ")}]`);
    return;
  }
  const runs = await runEverything(ids, options);
  const title = [
    "Universal Sentence Encoder Lite, its attention layers on the emulated FuseMax array (256 x 256 PEs)",
    `${ids.length} tokens of ${options.text ?? "the beginning of Alice's Adventures in Wonderland"}: ${beginningOf(text)}`,
    ...(ids.length > model.clipLength
      ? [`(the model's own graph drops the tokens after the first ${model.clipLength}; here all are kept)`]
      : []),
  ];
  const time = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  process.stdout.write(`${[...title, "", ...report(runs), "", time].join("\n")}\n`);
}

/** All arithmetics, float64 first. */
async function runEverything(ids: readonly number[], { engine, threads }: Options): Promise<Run[]> {
  note(`${ids.length} tokens; running ${arithmetics.join(", ")}, ${threads} at a time`);
  const engines = openEngines(engine, note);
  try {
    const runs = await runAll(ids, arithmetics, {
      threads,
      emulate: async (format, inputs) => emulateLayer(await engines.of(format), format, inputs),
      note,
    });
    return runs.sort((a, b) => order(a.arithmetic) - order(b.arithmetic));
  } finally {
    await engines.close();
  }
}

const order = (arithmetic: Arithmetic): number => (arithmetic === "float64" ? -1 : formatNames.indexOf(arithmetic));

const beginningOf = (text: string): string =>
  text.length <= 48 ? text : `${text.slice(0, 48).replace(/\s+\S*$/, "")} …`;

function readOptions(): Options | null {
  const string = { type: "string" } as const;
  const values = parseOptions({
    text: string,
    tokens: string,
    engine: string,
    threads: string,
    "export-qkv": string,
    layer: string,
    repeat: string,
    help: { type: "boolean", short: "h" },
  });
  if (values.help) return null;
  const whole = (
    name: "tokens" | "threads" | "layer" | "repeat",
    smallest: number,
    largest: number,
    otherwise: number,
  ): number => {
    const given = values[name];
    if (given === undefined) return otherwise;
    const value = Number(given);
    if (/^\d+$/.test(given) && value >= smallest && value <= largest) return value;
    throw new UsageError({ where: `--${name}`, got: given, expected: `a whole number from ${smallest} to ${largest}` });
  };
  const engine = parseEngine(values.engine);
  const file = values["export-qkv"];
  return {
    text: values.text,
    tokens: whole("tokens", 1, 2 ** 20, Number.POSITIVE_INFINITY),
    engine,
    threads: whole("threads", 1, 64, Math.min(availableParallelism(), arithmetics.length)),
    export: file === undefined ? null : { file, layer: whole("layer", 0, 1, 0), repeat: whole("repeat", 1, 1000, 1) },
  };
}

await runProgram("sentence-encoder", usage, readOptions, main);
