import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-schedule-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, unknown>>;
}

describe("fusemax schedule", () => {
  it("prints the table", async () => {
    const { code, stdout } = await invoke(
      "schedule",
      "--design",
      "fusemax,architecture",
      "--model",
      "bert",
      "--seq",
      "4K",
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/\+Binding +BERT +4K +unlimited +fusemax +c=4 b=5 +27918336 +27919819 +1\.0001/);
    expect(stdout).toMatch(/\+Architecture +BERT +4K +unlimited +one-tile +90046464/);
  });

  it("prints JSON alone with --json", async () => {
    const { code, stdout } = await invoke("schedule", "--seq", "1K", "--ports", "1,2", "--json", "--memory", "ideal");
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.schema).toBe("fusemax.schedule/2");
    expect(result.results.map((r: { ports: number }) => r.ports)).toEqual([1, 2]);
    const { latencyCycles, arrays } = result.results[0].simulated;
    for (const array of Object.values<{ busyCycles: number; stalls: Record<string, number> }>(arrays)) {
      const idle = Object.values(array.stalls).reduce((a, b) => a + b, 0);
      expect(array.busyCycles + idle).toBe(latencyCycles);
    }
  });
});

/** What `fusemax schedule` and `fusemax model` are asked alike, they answer alike. */
describe("fusemax schedule honours what model does", () => {
  it.each([
    ["a causal mask", ["--model", "llama-3-8b", "--seq", "1K"]],
    ["no mask", ["--model", "llama-3-8b", "--seq", "1K", "--no-mask"]],
    ["windows and kinds of layers", ["--model", "gemma-2-9b", "--seq", "8K"]],
    ["decode", ["--model", "llama-3-8b", "--seq", "8K", "--phase", "decode", "--queries", "2", "--batch", "3"]],
    ["lengths of a batch", ["--model", "llama-2-7b", "--kv-lens", "1K,3000,77"]],
    ["a latent shared by all heads", ["--model", "deepseek-v3-absorbed", "--phase", "decode", "--seq", "4K"]],
    ["costs of operations", ["--model", "bert", "--seq", "1K", "--set", "architecture.arrays.2d.operations.mac=2"]],
  ])("%s", async (_, args) => {
    for (const design of ["fusemax", "cascade", "flat"]) {
      const asked = ["--design", design, ...args, "--json"];
      // Without simulated cycles on the model's side: there they are part of its cycles.
      const [model, schedule] = [
        await invoke("model", ...asked, "--accounting", "published"),
        await invoke("schedule", ...asked, "--accounting", "published", "--memory", "ideal"),
      ];
      expect([model.code, schedule.code], schedule.stderr).toEqual([0, 0]);
      const results = JSON.parse(model.stdout).results;
      const rows = JSON.parse(schedule.stdout).results;
      const facts = ["phase", "batch", "queries", "keys", "layers"] as const;
      const said = (all: readonly Record<string, unknown>[]) => all.map(row => facts.map(fact => row[fact]));
      expect(said(rows)).toEqual(said(results));
      rows.forEach(
        ({ binding, simulated }: { binding: { cycles: number }; simulated: { cycles: number } }, i: number) => {
          expect(binding.cycles).toBe(Math.round(results[i].cycles));
          if (design === "fusemax") expect(simulated.cycles).toBeGreaterThan(0);
        },
      );
    }
  });

  it("refuses a schedule that a mask brings too close to itself", async () => {
    const { code, stderr } = await invoke(
      ...["schedule", "--schedule", "figure-4", "--registers", "12,256", "--model", "llama-2-7b", "--seq", "4K"],
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/SPD\[c\] using RD of the previous key tile \(1 tile back\)/);
  });
});

describe("fusemax trace", () => {
  it("writes a trace for Perfetto and a waterfall", async () => {
    const [json, svg] = [file("trace.json"), file("waterfall.svg")];
    const { code } = await invoke("trace", "--epochs", "40..44", "--out", json, svg);
    expect(code).toBe(0);
    const { traceEvents } = JSON.parse(readFileSync(json, "utf8")) as { traceEvents: readonly TraceEvent[] };
    const names = traceEvents.filter(e => e.ph === "M" && e.name === "thread_name").map(e => e.args["name"]);
    expect(names).toContain("2D array, stream 2");
    const tracks = new Map<string, TraceEvent[]>();
    for (const event of traceEvents.filter(e => e.ph === "X")) {
      const key = `${event.pid} ${event.tid}`;
      tracks.set(key, [...(tracks.get(key) ?? []), event]);
    }
    for (const events of tracks.values()) {
      const sorted = events.toSorted((a, b) => a.ts - b.ts);
      for (const [i, { ts }] of sorted.entries()) {
        const before = sorted[i - 1];
        if (before !== undefined) expect(ts).toBeGreaterThanOrEqual(before.ts + before.dur);
      }
    }
    const bqk = traceEvents.find(e => e.name === "BQK[d]");
    expect(bqk?.args).toMatchObject({ tile: 40, head: 0, m1: 2, p: 8, epoch: 40, "cycles issued": 64 });
    const drawing = readFileSync(svg, "utf8");
    expect(drawing).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(drawing.match(/BQK\[d\] in epoch/g)).toHaveLength(5);
  });

  it.each(["strip", "animated"])("draws the PEs as %s", async style => {
    const svg = file(`${style}.svg`);
    const args = ["--array", "2x2", "--head-dim", "3", "--seq", "6", "--cycles", "0..9", "--out", svg];
    expect((await invoke("trace", ...args, "--pe", style)).code).toBe(0);
    const drawing = readFileSync(svg, "utf8");
    expect(drawing).toContain("cycle 9");
    expect(drawing.includes("<animate ")).toBe(style === "animated");
  });

  /** A copy of the schedule `fusemax` in which some text is replaced. */
  const broken = (name: string, from: string | RegExp, to: string): string => {
    const text = readFileSync(new URL("../../specs/schedules/fusemax.yaml", import.meta.url), "utf8");
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    writeFileSync(file(name), changed);
    return file(name);
  };
  /** The 2D array wants RM of a tile before it gives what the 1D array wants before it makes that RM. */
  const crossed = (): string => {
    const name = broken("dead.yaml", "c: auto", "c: 0");
    const text = readFileSync(name, "utf8");
    writeFileSync(name, text.replace(/^2d: .*$/m, "2d: BQK[d] -> LM[d] -> SLN[c] -> SLD[c] -> SLNV[b]"));
    return name;
  };

  it.each<[string, () => readonly string[], RegExp]>([
    ["no --out", () => [], /required option '--out/],
    ["an unknown ending", () => ["--out", file("a.png")], /--out: got ".*a\.png"; expected a file that ends in/],
    ["a folder that is not there", () => ["--out", file("no/a.svg")], /no\/a\.svg: no such file or folder/],
    ["an unknown design", () => ["--design", "tpu", "--out", file("a.svg")], /--design: got "tpu"; expected one of/],
    [
      "a design that does not work tile by tile",
      () => ["--design", "flat", "--out", file("a.svg")],
      /mappings.flat\.yaml:\d+:\d+ einsums: got a design that does not work tile by tile: no value is carried/,
    ],
    ["cycles of no PEs", () => ["--cycles", "0..3", "--out", file("a.svg")], /--cycles: needs --pe/],
    [
      "epochs of PEs",
      () => ["--pe", "--epochs", "0..3", "--out", file("a.svg")],
      /--epochs: cannot be given with --pe; give --cycles/,
    ],
    ["epochs backwards", () => ["--epochs", "9..3", "--out", file("a.svg")], /--epochs: got "9\.\.3"/],
    [
      "epochs past the end",
      () => ["--seq", "256", "--batch", "1", "--epochs", "900..901", "--out", file("a.svg")],
      /epochs: got 900\.\.901/,
    ],
    [
      "too many to draw",
      () => ["--epochs", "0..99", "--out", file("a.svg")],
      /--epochs: got 0\.\.99; expected at most 64/,
    ],
    [
      "PEs of a large array",
      () => ["--pe", "--out", file("a.svg")],
      /--pe: got 256 x 256 PEs; expected at most 8 x 8; give --array/,
    ],
    [
      "PEs as JSON",
      () => ["--pe", "--array", "2x2", "--seq", "8", "--out", file("a.svg"), file("a.json")],
      /--out: got .* expected a \.svg/,
    ],
    [
      "more cycles than can be drawn",
      () => ["--pe", "--array", "2x2", "--seq", "8", "--cycles", "0..400", "--out", file("a.svg")],
      /--cycles: got 0\.\.400; expected at most 400 cycles/,
    ],
    ["zero ports", () => ["--ports", "0", "--out", file("a.svg")], /--ports: got "0"; expected rows per cycle/],
    [
      "an operation on an array that lacks it",
      () => ["--schedule", broken("lacks.yaml", "-> idle(AV[b])", "-> AV[b]"), "--out", file("a.svg")],
      /lacks\.yaml:\d+:1 2d: got AV\[b\] on the 2d array, whose PEs have no divide/,
    ],
    [
      "a register file that is too small",
      () => ["--registers", "2,32", "--out", file("a.svg")],
      /schedule "fusemax" 2d, cycle \d+: got 3 values at once in a PE's register file; expected at most 2.*shorten the lags/,
    ],
    ["registers that are no numbers", () => ["--registers", "many", "--out", file("a.svg")], /--registers: got "many"/],
    [
      "a deadlock",
      () => ["--schedule", crossed(), "--out", file("a.svg")],
      /a deadlock in cycle \d+: the 2d array waits with SLN\[c\] \(tile 1\) for RM, the 1d array waits with RNV\[b\] \(tile 0\) for SLNV/,
    ],
    [
      "an unknown field",
      () => ["--schedule", broken("field.yaml", "tiles:", "lags:"), "--out", file("a.svg")],
      /field\.yaml:\d+:1/,
    ],
  ])("refuses %s in one line and writes nothing", async (_, args, message) => {
    const { code, stderr } = await invoke("trace", ...args());
    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect(readdirSync(folder).filter(name => name.startsWith("a."))).toEqual([]);
  });
});
