import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "./invoke.js";

/** The law of docs/designs.md: each row's command gives the figure that is beside it, to its four digits. */
const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(`${root}docs/designs.md`, "utf8");
const rows = [...page.matchAll(/^\| `(model [^`]*)` \| ([^|]+) \| ([\d.]+) \| ([\d.]+) \|/gm)].map(
  ([, command = "", figure = "", model = "", published = ""]) => [command, figure, Number(model), published] as const,
);

interface Result {
  readonly design: string;
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly cycles: number;
  readonly latencySeconds: number;
  readonly missing: readonly string[];
  readonly energyPj?: number;
  readonly einsums: Readonly<Record<string, { readonly cycles: number }>>;
}

/** FlashAttention-2's count (section 4.1): hidden dimension 2048 is heads times head dimension. */
const teraflops = ({ batch, queries, keys, latencySeconds }: Result): number =>
  (4 * batch * queries * keys * 2048) / latencySeconds / 1e12;

const figures: Readonly<Record<string, (result: Result) => number>> = {
  ms: ({ latencySeconds }) => latencySeconds * 1e3,
  "TFLOP/s": teraflops,
  // 32 heads of the model in blocks of 128 queries and 128 keys; the division comes after a block's last tile.
  "cycles per tile": ({ cycles, queries, keys, einsums }) =>
    (cycles - (einsums["AV"]?.cycles ?? 0)) / (32 * (queries / 128) * (keys / 128)),
};

const before = process.cwd();
process.chdir(root);
afterAll(() => process.chdir(before));

describe("docs/designs.md", () => {
  it("has rows for each design", () => {
    const designs = rows.map(([command]) => /--design (\S+)/.exec(command)?.[1]);
    expect([...new Set(designs)].sort()).toEqual(["a100", "a100-sm", "fsa", "tpu-v4"]);
  });

  it.each(rows)("fusemax %s: %s is %d", async (command, figure, model) => {
    const { stdout } = await invoke(...command.split(" "), "--json");
    const [result] = (JSON.parse(stdout) as { results: readonly Result[] }).results;
    if (result === undefined) throw new Error("no result");
    expect(Number(figures[figure]?.(result).toPrecision(4))).toBe(model);
    // No source gives energies: none is shown, and it is named.
    expect(result.missing).toEqual(["energyPj", "areaUm2"]);
    expect(result).not.toHaveProperty("energyPj");
  });

  it.each([
    ["a100-sm", /^fusemax: \S*a100\.yaml:\d+:\d+ einsums\.PRM\.array: got PRM on the sfu array/],
    ["fsa", /^fusemax: \S*fsa\.yaml:\d+:\d+ einsums\.PRM\.array: got PRM on the accumulators array/],
  ])("schedule refuses %s in a line", async (design, message) => {
    const { code, stderr } = await invoke(
      "schedule",
      "--design",
      design,
      "--batch",
      "1",
      "--heads",
      "1",
      "--seq",
      "512",
    );
    expect([code, stderr.trim().split("\n").length]).toEqual([2, 1]);
    expect(stderr).toMatch(message);
  });

  it("map refuses to weigh energy on machines without energies, in a line", async () => {
    const { code, stderr } = await invoke("map", "--design", "tpu-v4", "--seq", "1K", "--objective", "energy");
    expect([code, stderr]).toEqual([
      2,
      "fusemax: --objective: got energy on tpu-v4, whose technology none has no operators, DRAM, register files, buffers; expected latency, or a technology with energies\n",
    ]);
  });
});
