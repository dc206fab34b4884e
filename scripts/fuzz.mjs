#!/usr/bin/env node
// Tries mutated inputs of every kind for a while, and says how many were tried and what went wrong: npm run fuzz.
//   npm run fuzz -- --seed 7 --seconds 60 --only YAML
// An input that hangs or takes the process with it is named too, and the next one is gone on with.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    seconds: { type: "string", default: "30" },
    only: { type: "string" },
    from: { type: "string", default: "0" },
  },
});
const names = [
  ".npy",
  ".npz",
  ".safetensors",
  ".safetensors.index.json",
  "ONNX",
  "YAML",
  "--set",
  "options",
  "program",
  "cascades",
  "links",
  "resume files",
  "shards",
];
const folder = mkdtempSync(join(tmpdir(), "fusemax-fuzz-run-"));
/** No input may take longer; five seconds of the processor are a violation already. */
const mostSecondsOfOne = 40;

/** Tries inputs of one kind from a number on. Resolves with what was said, and the number of an input that hung or killed. */
function round(name, from, seconds) {
  const pulse = join(folder, "pulse");
  rmSync(pulse, { force: true });
  const env = {
    ...process.env,
    FUSEMAX_FUZZ_SEED: values.seed,
    FUSEMAX_FUZZ_SECONDS: String(seconds),
    FUSEMAX_FUZZ_ONLY: name,
    FUSEMAX_FUZZ_FROM: String(from),
    FUSEMAX_FUZZ_PULSE: pulse,
    NODE_OPTIONS: "--max-old-space-size=1500",
  };
  const child = spawn("npx", ["vitest", "run", "test/fuzz"], { env, detached: true });
  let said = "";
  child.stdout.on("data", data => (said += data));
  child.stderr.on("data", data => (said += data));
  const read = () => (existsSync(pulse) ? readFileSync(pulse, "utf8") : "");
  let last = "";
  let since = Date.now();
  let hung = false;
  const watch = setInterval(() => {
    const now = read();
    if (now !== last) [last, since] = [now, Date.now()];
    else if (Date.now() - since > mostSecondsOfOne * 1000) {
      hung = true;
      process.kill(-child.pid, "SIGKILL");
    }
  }, 1000);
  return new Promise(done =>
    child.on("close", () => {
      clearInterval(watch);
      const index = Number(read().split("\t")[1] ?? from);
      const tried = Number(/^fuzz .*?(\d+) inputs/m.exec(said)?.[1] ?? -1);
      done({ said, hung, index, tried });
    }),
  );
}

let failed = false;
process.stdout.write(
  `seed ${values.seed}, ${values.seconds} s for each kind\n\n| input | tried | violations |\n| --- | --- | --- |\n`,
);
const details = [];
for (const name of names.filter(name => values.only === undefined || name === values.only)) {
  const end = Date.now() + Number(values.seconds) * 1000;
  let from = Number(values.from);
  let violations = 0;
  for (let left = Number(values.seconds); left > 0; left = (end - Date.now()) / 1000) {
    const { said, hung, index, tried } = await round(name, from, left);
    const found = [...said.matchAll(/^(?:.*?)(seed \d+, .*?, input \d+: [\s\S]*?)(?=\n\s*\n)/gm)].map(
      match => match[1],
    );
    violations += found.length;
    details.push(...found);
    if (tried >= 0) {
      from = tried;
      if (found.length < 10) break;
      continue;
    }
    violations += 1;
    details.push(
      `seed ${values.seed}, ${name}, input ${index}: ${hung ? `no end after ${mostSecondsOfOne} s` : said.slice(-600)}`,
    );
    from = index + 1;
  }
  failed ||= violations > 0;
  process.stdout.write(`| ${name} | ${from - Number(values.from)} | ${violations} |\n`);
}
rmSync(folder, { recursive: true });
if (details.length > 0) process.stdout.write(`\n${details.join("\n\n")}\n`);
process.exitCode = failed ? 1 : 0;
