import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkEnded, command } from "./command.js";
import { mutateText } from "./mutate.js";
import type { Random } from "./random.js";
import type { Target } from "./target.js";

const specs = fileURLToPath(new URL("../../specs/", import.meta.url));
const read = (kind: string, name: string): string => readFileSync(join(specs, kind, `${name}.yaml`), "utf8");

const designs = ["fusemax", "flat", "unfused", "cascade", "architecture"];
const kinds = {
  architecture: "architectures",
  mapping: "mappings",
  binding: "bindings",
  schedule: "schedules",
} as const;
const words = [
  "M0",
  "P0",
  "rows",
  "columns",
  "QK",
  "LM",
  "BK",
  "buffer",
  "dram",
  "registers2d",
  "rest",
  "largestDivisor(P, rows)",
  "max(M, P)",
  "if(M > 4, 1, 2)",
  "1e12",
  "[]",
  "{}",
  "null",
  "true",
];

/** A design whose parts are files of its own, one of them changed; the workload may be as well. */
async function attemptSpecs(random: Random, folder: string): Promise<void> {
  const name = random.pick(designs);
  const lines = read("designs", name).split("\n");
  const part = random.pick([...Object.keys(kinds), "technology", "design", "workload"]);
  const model = part === "workload" ? join(folder, "workload.yaml") : "bert";
  if (part === "workload") {
    writeFileSync(
      model,
      mutateText(
        random,
        read("workloads", random.pick(["bert", "gemma-2-9b", "llama-3-8b", "deepseek-v3-absorbed"])),
        words,
      ),
    );
  }
  const named = lines.map(line => {
    const [, key = "", value = ""] = /^(architecture|mapping|binding|schedule): (\S+)$/.exec(line) ?? [];
    if (key === "") return line;
    const kind = kinds[key as keyof typeof kinds];
    const text = read(kind, value);
    const own =
      key === "architecture" && part === "technology"
        ? text.replace(/^technology: (\S+)$/m, "technology: technology.yaml")
        : text;
    writeFileSync(join(folder, `${key}.yaml`), key === part ? mutateText(random, own, words) : own);
    return `${key}: ${key}.yaml`;
  });
  writeFileSync(
    join(folder, "technology.yaml"),
    part === "technology" ? mutateText(random, read("technologies", "45nm"), words) : "",
  );
  const design = named.join("\n");
  writeFileSync(join(folder, "design.yaml"), part === "design" ? mutateText(random, design, words) : design);
  const file = join(folder, "design.yaml");
  const args = random.once(6)
    ? ["schedule", "--design", file, "--model", model, "--seq", "1K", "--json"]
    : [
        "model",
        "--design",
        file,
        "--model",
        model,
        "--seq",
        random.pick(["1", "257", "4K"]),
        "--json",
        ...(random.once(2) ? ["--accounting", "corrected"] : []),
      ];
  checkEnded(await command(args), true);
}

export const specsTarget: Target = { name: "YAML", few: 25, attempt: attemptSpecs };

const fields = readdirSync(join(specs, "architectures")).includes("fusemax.yaml")
  ? [
      "architecture.parameters.rows",
      "architecture.parameters.columns",
      "architecture.parameters.D",
      "architecture.levels.buffer.bytes",
      "architecture.levels.buffer.rowWords",
      "architecture.frequencyHz",
      "architecture.wordBits",
      "architecture.levels.dram.bytesPerSecond",
      "architecture.timing.rmReturn",
      "architecture.timing.dramLatencyCycles",
      "architecture.arrays.2d.operations.mac",
      "mapping.symbols.Pt",
      "mapping.partitions.M.M0",
      "mapping.partitions.P.P0",
      "binding.phases.0.latency",
      "technology.operations.mac.energyPj",
      "technology.dram.energyPj",
      "technology.energyDecimals",
      "architecture.technology",
    ]
  : [];
const valuesOfSettings = [
  "1",
  "0",
  "-1",
  "1e12",
  "1e300",
  "1e400",
  "1e-300",
  "8M",
  "NaN",
  "Infinity",
  "rows",
  "columns * 2",
  "M",
  "largestDivisor(1e300, 1e149)",
  "largestDivisor(P, rows)",
  "2 ^ 1024",
  "(1",
  "1/0",
  "0/0",
  "ceil(M / 7)",
  "if(M > 4, 1, 2)",
  "max(1, 2, 3)",
  "log2(0)",
  `${"(".repeat(300)}1${")".repeat(300)}`,
  "\u001b[31m",
];

export const settingsTarget: Target = {
  name: "--set",
  few: 25,
  attempt: async random => {
    const set = Array.from({ length: 1 + random.below(3) }, () => {
      const field = random.once(5) ? mutateText(random, random.pick(fields), words) : random.pick(fields);
      const value = random.once(3)
        ? mutateText(random, random.pick(valuesOfSettings), words)
        : random.pick(valuesOfSettings);
      return `${field}${random.pick(["=", "=", "*="])}${value}`;
    });
    const design = ["--design", random.pick(designs), "--seq", random.pick(["1", "257", "4K", "1M"]), "--json"];
    checkEnded(
      await command([
        "model",
        ...design,
        ...set.flatMap(one => ["--set", one]),
        ...(random.once(2) ? ["--accounting", "corrected"] : []),
      ]),
      true,
    );
  },
};
