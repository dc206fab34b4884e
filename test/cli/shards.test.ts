import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { loadOperands } from "../../src/cli/run/inputs.js";
import { planRun } from "../../src/cli/run/plan.js";
import type { RunShardHeader } from "../../src/cli/run/shard-header.js";
import { parseShard } from "../../src/cli/shard/choice.js";
import { openJournal } from "../../src/cli/sweep/journal.js";
import type { SweepShardHeader } from "../../src/cli/sweep/shard-header.js";
import { stripesOfShard } from "../../src/cli/sweep/stripes.js";
import { openRowsFile } from "../../src/io/rows-file.js";
import { runIdentity } from "../../src/io/run-identity.js";
import { openShardFile, type ShardFile, writeShardFile } from "../../src/io/shard-file.js";
import type { SweepPoint } from "../../src/model/sweep.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-shards-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const bytesOf = (name: string): Buffer => readFileSync(at(name));

/** How often the law is tried. */
const cases = Number(process.env["FUSEMAX_SHARD_CASES"] ?? 3);

/** Runs a command line that must end well. */
async function succeed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await invoke(...args);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** Into how many shards, which of them were killed in the middle, and the order in which they are joined. */
const cut = fc.record({ count: fc.integer({ min: 1, max: 9 }), seed: fc.nat() }).chain(({ count }) =>
  fc.record({
    count: fc.constant(count),
    killed: fc.subarray([...Array(count).keys()], { maxLength: Math.min(3, count) }),
    keep: fc.double({ min: 0, max: 1, noNaN: true }),
    order: fc.shuffledSubarray([...Array(count).keys()], { minLength: count }),
  }),
);

describe("a sweep in shards", () => {
  const grid = ["--set", "workload.heads=6,12", "--set", "architecture.levels.buffer.bytes=64K,16M,20M,32M"];
  const args = ["sweep", "--design", "fusemax,flat", "--seq", "1K,4K", ...grid];

  /** What a shard that is killed leaves: some of its stripes, the last of them cut short. */
  async function leaveHalf(path: string, keep: number): Promise<void> {
    const { header } = openShardFile(path);
    const { program, specs, work, shard, stripes } = header as SweepShardHeader;
    const [, ...lines] = readFileSync(path, "utf8").split("\n");
    const part = `${path}.part`;
    rmSync(path);
    const journal = await openJournal(part, { program, specs, sweep: work });
    for (const [i, { from }] of [...stripesOfShard(stripes, shard)].entries()) {
      if ((i * 7) % 10 < 10 * keep) journal.append({ from, points: JSON.parse(lines[i] ?? "") as SweepPoint[] });
    }
    truncateSync(part, Math.max(0, statSync(part).size - 20));
  }

  it("law: shards of any number, killed and run again, joined in any order, give the bytes of one process", async () => {
    const kinds = ["csv", "json", "svg"];
    const out = (name: string) => kinds.map(kind => at(`${name}.${kind}`));
    const said = await succeed(...args, "--out", ...out("one"));
    const json = await succeed(...args, "--json");
    await fc.assert(
      fc.asyncProperty(cut, async ({ count, killed, keep, order }) => {
        const path = (i: number) => at(`${i}.shard`);
        const run = (i: number) => succeed(...args, "--shard", `${i}/${count}`, "--out", path(i));
        for (let i = 0; i < count; i += 1) await run(i);
        for (const i of killed) await leaveHalf(path(i), keep);
        for (const i of killed) await run(i);
        const merged = await succeed("merge", ...order.map(path), "--out", ...out("joined"));
        expect(merged.replaceAll("joined", "one")).toBe(said);
        for (const kind of kinds) expect(bytesOf(`joined.${kind}`).equals(bytesOf(`one.${kind}`)), kind).toBe(true);
        expect(await succeed("merge", ...order.map(path), "--json")).toBe(json);
        for (let i = 0; i < count; i += 1) rmSync(path(i));
      }),
      { numRuns: cases },
    );
  });

  it("a shard that is there is not computed again, and one that is damaged is", async () => {
    const shard = [...args, "--shard", "1/3", "--out", at("again.shard")];
    expect(await succeed(...shard)).toMatch(/^shard 1\/3: 11 of 32 points; in /);
    const whole = bytesOf("again.shard");
    expect(await succeed(...shard)).toMatch(/^shard 1\/3: 11 of 32 points were finished before; in /);
    writeFileSync(at("again.shard"), whole.subarray(0, -1));
    expect(await succeed(...shard)).toMatch(/^shard 1\/3: 11 of 32 points; in /);
    expect(bytesOf("again.shard").equals(whole)).toBe(true);
  });

  it("names what is double, torn, foreign or no shard, each in a line, else all that is missing in one, and writes nothing", async () => {
    const path = (i: number) => at(`f${i}.shard`);
    for (const i of [0, 1, 2, 3]) await succeed(...args, "--shard", `${i}/5`, "--out", path(i));
    await succeed(...args, "--seq", "2K", "--shard", "4/5", "--out", path(4));
    await succeed(...args, "--shard", "0/2", "--out", at("two.shard"));
    writeFileSync(at("double.shard"), readFileSync(path(1)));
    const torn = readFileSync(path(2));
    torn[torn.length - 300] = (torn[torn.length - 300] as number) ^ 1;
    writeFileSync(path(2), torn);
    writeFileSync(path(3), readFileSync(path(3)).subarray(0, -500));
    writeFileSync(at("none.shard"), "design,model\n");
    const files = [0, 1, 2, 3, 4].map(path);
    const more = ["two", "double", "none"].map(name => at(`${name}.shard`));
    const { code, stdout, stderr } = await invoke("merge", ...files, ...more, "--out", at("wrong.csv"));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const short = "the shard is cut short or damaged";
    expect(stderr.replaceAll(`${folder}/`, "").trimEnd().split("\n")).toEqual([
      "fusemax: none.shard: is not a shard, a file that --shard wrote",
      "fusemax: f4.shard: got a shard of other options or inputs; expected one of the same command line, as f0.shard is",
      "fusemax: two.shard: got one of 2 shards; expected one of 5, as f0.shard is",
      "fusemax: double.shard: got shard 1/5, as f1.shard is; expected each shard once",
      `fusemax: f2.shard: ${short}; copy it again, or run its shard again`,
      `fusemax: f3.shard: ${short}; copy it again, or run its shard again`,
    ]);
    expect(() => bytesOf("wrong.csv")).toThrow(/ENOENT/);
    const lacking = await invoke("merge", path(0), path(1), "--out", at("wrong.csv"));
    expect(lacking.stderr).toBe("fusemax: merge: no shards 2/5, 3/5, 4/5; expected all 5 shards\n");
  });

  it("refuses what a part of a sweep cannot give", async () => {
    const refused = async (...more: readonly string[]) => (await invoke(...args, "--shard", "0/2", ...more)).stderr;
    expect(await refused()).toMatch(/--shard: needs --out FILE.shard/);
    expect(await refused("--out", at("x.csv"))).toMatch(/--out of --shard: got .*x.csv; expected .*\.shard/);
    expect(await refused("--json", "--out", at("x.shard"))).toMatch(/--json: cannot be given with --shard/);
    expect(await refused("--resume", at("x"), "--out", at("x.shard"))).toMatch(/kept in .*x\.shard\.part/);
  });
});

describe("a run in shards", () => {
  const sizes = [
    "--batch",
    "2",
    "--heads",
    "3",
    "--kv-heads",
    "1",
    "--q-len",
    "70",
    "--kv-len",
    "90",
    "--head-dim",
    "8",
  ];
  const args = ["run", "--engine", "cpu", ...sizes, "--q-lens", "70,33", "--array", "16x16"];

  /** What a shard that is killed leaves: some of its rows, the last of them cut short. */
  async function leaveHalf(path: string, more: readonly string[], keep: number): Promise<void> {
    const { header, from } = openShardFile(path) as ShardFile<RunShardHeader>;
    const { rows, width, shard } = header;
    const bytes = readFileSync(path);
    rmSync(path);
    const plan = await planOf(more);
    const allocate = (length: number) => new Float32Array(length);
    const { operands } = await loadOperands(plan.pieces, plan.problem, { allocate });
    const identity = { ...(await runIdentity(plan.problem, operands)), part: `${shard.index}/${shard.count}` };
    const values = new Float32Array((rows.end - rows.start) * width);
    const file = await openRowsFile(`${path}.part`, identity, { first: rows.start, width, values });
    for (let start = rows.start; start < rows.end; start += 5) {
      const end = Math.min(start + 5, rows.end);
      if ((start * 7) % 10 >= 10 * keep) continue;
      const of = bytes.subarray(from + (start - rows.start) * width * 4, from + (end - rows.start) * width * 4);
      await file.append({ start, end, saturated: 0 }, new Float32Array(Uint8Array.from(of).buffer));
    }
    await file.close();
    truncateSync(`${path}.part`, Math.max(0, statSync(`${path}.part`).size - 20));
  }

  const planOf = (more: readonly string[]) =>
    planRun({
      ...{ design: "fusemax", engine: "cpu", batch: 2, heads: 3, kvHeads: 1, qLen: 70, kvLen: 90, headDim: 8 },
      ...{ qLens: [70, 33], array: { m0: 16, p0: 16 }, check: 20, causal: more.includes("--causal") },
      ...(more.includes("fp32") ? { format: "fp32" as const } : {}),
    });

  /** Without how long it took. */
  const timeless = (json: string): unknown => ({ ...(JSON.parse(json) as object), time: null });

  it.each([
    ["a causal one", "npy", ["--causal", "--check", "sample:20"]],
    ["one of all keys, heads innermost", "safetensors", ["--check", "full", "--output-layout", "bshd"]],
    ["one whose inputs are operands", "npy", ["--format", "fp32", "--check", "sample:9"]],
  ])(
    "law: shards of %s, of any number, killed and run again, joined in any order, give the bytes of one process",
    async (_, kind, more) => {
      const one = at(`one.${kind}`);
      const said = await succeed(...args, ...more, "--output", one, "--json");
      await fc.assert(
        fc.asyncProperty(cut, async ({ count, killed, keep, order }) => {
          const path = (i: number) => at(`${i}.shard`);
          const run = (i: number) => succeed(...args, ...more, "--shard", `${i}/${count}`, "--output", path(i));
          for (let i = 0; i < count; i += 1) await run(i);
          for (const i of killed) await leaveHalf(path(i), more, keep);
          for (const i of killed) await run(i);
          rmSync(one);
          const merged = await succeed("merge", ...order.map(path), "--out", at(`joined.${kind}`), "--json");
          await succeed("merge", ...order.map(path), "--out", one);
          expect(timeless(merged.replaceAll("joined", "one"))).toEqual(timeless(said));
          expect(bytesOf(`joined.${kind}`).equals(readFileSync(one)), kind).toBe(true);
          for (let i = 0; i < count; i += 1) rmSync(path(i));
        }),
        { numRuns: Math.ceil(cases / 2) },
      );
    },
  );

  it("merge says what --max-error says, and shards do not", async () => {
    const strict = [...args, "--max-error", "1e-9", "--check", "sample:8"];
    for (const i of [0, 1]) await succeed(...strict, "--shard", `${i}/2`, "--output", at(`e${i}.shard`));
    const { code, stderr } = await invoke("merge", at("e0.shard"), at("e1.shard"));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/the largest error, .*, is above --max-error 1e-9/)]);
  });

  it("refuses what needs all rows, and shards of other inputs", async () => {
    const refused = async (...more: readonly string[]) => (await invoke(...args, "--shard", "0/2", ...more)).stderr;
    const output = ["--output", at("x.shard")];
    expect(await refused()).toMatch(/--shard: needs --output FILE.shard/);
    expect(await refused(...output, "--lse", at("x.npy"))).toMatch(/--lse: cannot be given with --shard/);
    expect(await refused(...output, "--resume", at("x"))).toMatch(
      /--resume: cannot be given with --shard.*beside the shard/,
    );
    expect(await refused("--output", at("x.npy"))).toMatch(/--output of --shard: got .*x\.npy/);
    await succeed(...args, "--shard", "0/2", "--output", at("a.shard"));
    await succeed(...args, "--seed", "1", "--shard", "1/2", "--output", at("b.shard"));
    expect((await invoke("merge", at("a.shard"), at("b.shard"))).stderr).toMatch(
      /^fusemax: \S*b\.shard: got a shard of other options or inputs; expected one of the same command line, as .*a\.shard is\n$/,
    );
  });
});

describe("a shard with the right digests that no command has written", () => {
  const odd = async (path: string, change: object, body?: Uint8Array): Promise<string> => {
    const { header, from, to } = openShardFile(path);
    await writeShardFile(at("odd.shard"), { ...header, ...change }, [body ?? readFileSync(path).subarray(from, to)]);
    const { code, stdout, stderr } = await invoke("merge", at("odd.shard"));
    expect({ code, stdout, lines: stderr.split("\n").length }).toEqual({ code: 2, stdout: "", lines: 2 });
    return stderr;
  };

  it("is refused in a line: of a sweep", async () => {
    const path = at("sweep.shard");
    await succeed("sweep", "--seq", "1K,4K", "--shard", "0/1", "--out", path);
    const { stripes, table } = openShardFile(path).header as SweepShardHeader;
    const changes = [
      { stripes: { ...stripes, points: 0 } },
      { stripes: { ...stripes, size: 1e15 } },
      { table: { ...table, designs: 3 } },
      { table: { ...table, objectives: ["beauty"] } },
      { words: { seq: "1K", set: [] } },
      { command: "walk" },
      { shard: { index: 0, count: 1e9 } },
    ];
    for (const change of changes) expect(await odd(path, change)).toMatch(/odd\.shard: (is not a shard|got )/);
    for (const body of ["[]\n[]\n", "[null]\n[1]\n", "x", ""])
      expect(await odd(path, {}, Buffer.from(body))).toMatch(/odd stripe 0/);
  });

  it("is refused in a line: of a run", async () => {
    const path = at("run.shard");
    await succeed("run", "--engine", "cpu", "--seq", "16", "--shard", "0/1", "--output", path);
    const { rows, result } = openShardFile(path).header as RunShardHeader;
    const changes = [
      { rows: { start: 1, end: 16 } },
      { rows: { ...rows, end: 15 } },
      { width: 1 },
      { checkedRows: 1e9 },
      { layout: { layout: "dshb", ranks: 4 } },
      { result: { ...result, output: { ...result.output, shape: [1, 1, 2 ** 40, 64] } } },
      { result: { ...result, time: {} } },
      { result: null },
    ];
    for (const change of changes) expect(await odd(path, change)).toMatch(/odd\.shard: (is not a shard|got )/);
    expect(await odd(path, {}, Buffer.alloc(8))).toMatch(/odd number of rows/);
  });
});

describe("--shard", () => {
  const slurm = (id: number, least: number, count: number, more = {}) => ({
    SLURM_ARRAY_TASK_ID: String(id),
    SLURM_ARRAY_TASK_MIN: String(least),
    SLURM_ARRAY_TASK_COUNT: String(count),
    ...more,
  });

  it.each([
    ["3/8", {}, [3, 8]],
    ["auto", slurm(5, 1, 8), [4, 8]],
    ["auto", slurm(14, 0, 8, { SLURM_ARRAY_TASK_STEP: "2" }), [7, 8]],
    ["auto/8", { JOB_COMPLETION_INDEX: "6" }, [6, 8]],
    ["auto/8", slurm(6, 5, 2), [6, 8]], // two tasks of eight, again
  ] as const)("%s under %j is shard %j", (text, environment, [index, count]) => {
    expect(parseShard("--shard", text, environment)).toEqual({ index, count });
  });

  it.each([
    ["8/8", {}, /got 8\/8; expected one of the parts 0 to 7/],
    ["-1/8", {}, /expected I\/N/],
    ["1/0", {}, /expected I\/N/],
    ["1", {}, /expected I\/N/],
    ["auto", {}, /no SLURM_ARRAY_TASK_ID in the environment/],
    ["auto", slurm(7, 3, 2), /task 7 of 2 from 3/],
    ["auto/8", {}, /neither JOB_COMPLETION_INDEX nor SLURM_ARRAY_TASK_ID/],
    ["auto/8", { JOB_COMPLETION_INDEX: "x" }, /JOB_COMPLETION_INDEX="x"/],
  ] as const)("refuses %s under %j", (text, environment, message) => {
    expect(() => parseShard("--shard", text, environment)).toThrow(message);
  });
});
