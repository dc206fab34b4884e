import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { checkEnded, command } from "./command.js";
import { mutateText } from "./mutate.js";
import type { Random } from "./random.js";
import type { Target } from "./target.js";

/** Command lines that end soon, whatever small numbers are in them. */
const lines = [
  "run --engine cpu --seq 8 --head-dim 4 --heads 2 --kv-heads 1 --batch 2 --kv-lens 8,3 --array 4x4 --check full --json",
  "run --engine cpu --q-len 3 --kv-len 9 --causal --window 4,0 --scale 0.5 --seed 7 --spread 2 --format fp16 --check sample:2",
  "run --engine cpu --q-len 3 --kv-len 9 --arithmetic fa4-fp8 --kv-splits 2 --array 4x4 --seed 7 --check none",
  "run --engine cpu --seq 4 --dump-tile 0,0,0,0 --dump no/such/d.safetensors",
  "model --design fusemax --model bert --seq 1K --batch 2 --phase prefill --json",
  "model --kv-lens 100,200 --model llama-3-8b --phase decode --queries 2",
  "schedule --design fusemax --seq 1K --array 16x16 --lag 2 --ports 1 --json",
  "sweep --set architecture.frequencyHz=1e6..2e9:3 --seq 1K,2K --pareto seconds,energyPj",
  "passes softmax --rank M --shape M=4096 --element-bytes 2",
  "equal softmax softmax --trials 2 --seed 3 --tolerance 1e-9 --shape M=10 --scale 0.5 --arithmetic bf16",
  "traffic-bound --model bert --seq 1K --buffer 16M --csv",
  "taxonomy --json",
  "evaluate softmax --shape M=8 --seed 3 --arithmetic bf16 --json",
  "evaluate attention-3-pass --shape M=8,P=2,E=4,F=2 --arithmetic hopper-fp8 --json",
  "model --design fusemax --seq 1K --arithmetic nvfp4 --json",
];
const words = [
  "--json",
  "--csv",
  "--seq",
  "--help",
  "--",
  "-",
  "-x",
  "--set",
  "0",
  "1K",
  "8M",
  "-1",
  "1,2",
  "a",
  "=",
  "fp32",
  "flat",
  "xlm",
  "/dev/zero",
  "/proc/self/maps",
  ".",
  "*",
];

function commandLine(random: Random): string[] {
  const line = random.pick(lines).split(" ");
  for (let n = 1 + random.below(3); n > 0; n -= 1) {
    const at = 1 + random.below(line.length);
    if (random.once(3)) line.splice(at, 1);
    else if (random.once(2)) line.splice(at, 0, random.pick(words));
    // Digits stay few: a larger number is a longer run, not another one.
    else
      line[at] = mutateText(random, line[at] ?? "", words)
        .replace(/\d{3,}|\d[KMGTe]\w*/g, "7")
        .slice(0, 3000);
  }
  if (line[0] === "run" && !line.includes("cpu")) line.push("--engine", "cpu");
  return line;
}

export const optionsTarget: Target = {
  name: "options",
  few: 40,
  attempt: async random => checkEnded(await command(commandLine(random)), false),
};

const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** The built program, as its users start it: threads, exits and Node's own words are in it too. */
export const programTarget: Target = {
  name: "program",
  few: 10,
  attempt: async (random, folder) => {
    const args = commandLine(random).map(arg => arg.replaceAll("\0", ""));
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      encoding: "utf8",
      cwd: folder,
      timeout: 60_000,
    });
    if (signal !== null) throw new Error(`ended by ${signal}: ${args.join(" ")}`);
    checkEnded({ code: status ?? -1, stdout, stderr }, false);
  },
};
