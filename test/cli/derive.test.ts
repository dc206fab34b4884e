import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { loadCascade } from "../../src/io/cascade-files.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-derive-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("fusemax derive", () => {
  it("writes a cascade that gives FuseMax's bits", async () => {
    const out = join(folder, "derived.cascade");
    const { code, stdout } = await invoke("derive", "attention-3-pass", "--rank", "M", "--out", out, "--json");
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    const [first, last] = [report.steps[0], report.steps.at(-1)];
    expect([report.schema, report.found, first.passes, last.passes, last.live]).toEqual([
      "fusemax.derive/1",
      true,
      3,
      1,
      [],
    ]);
    expect(last.operations.div).toBe("F*P");
    const text = readFileSync(out, "utf8");
    expect(`${last.text.trimEnd()}\n`).toBe(text);
    expect(parseCascade(text).headers.get("roles")).toBe(loadCascade("attention-1-pass").headers.get("roles"));
    const run = async (...more: string[]): Promise<string> => {
      const sizes = ["--batch", "1", "--heads", "1", "--q-len", "60", "--kv-len", "300", "--head-dim", "32"];
      const answer = await invoke("run", "--design", "fusemax", ...more, ...sizes, "--engine", "cpu", "--json");
      return /"sha256": "\w+"/.exec(answer.stdout)?.[0] ?? answer.stderr;
    };
    expect(await run("--cascade", out)).toBe(await run());
  });

  it("names tiles as it is told to", async () => {
    const { stdout } = await invoke("derive", "log-sum-exp", "--rank", "M", "--tile", "T");
    expect(stdout).toContain("ranks: M = M1 * T");
  });

  it("exits with 1 and writes nothing where no fewer passes are found", async () => {
    const out = join(folder, "none.cascade");
    const { code, stdout } = await invoke("derive", "attention-1-pass", "--rank", "M0", "--out", out);
    expect([code, existsSync(out)]).toEqual([1, false]);
    expect(stdout).toContain("SLN reads BQK[m1,:,p] after LM[m1,p] has read all of it (LM -> RM -> SLN)");
  });

  it.each([
    [["derive", "softmax", "--rank", "Q"], /got the rank Q, which softmax does not have/],
    [["derive", "softmax"], /required option '--rank <name>'/],
    [["derive", "softmax", "--rank", "M", "--tile", "a b"], /--tile: got "?a b/],
    [
      ["derive", "softmax", "--rank", "M", "--tile", "m1"],
      /--tile: got m1; expected a rank's name that softmax does not/,
    ],
    [
      ["derive", "softmax", "--rank", "M", "--tile", "M"],
      /--tile: got M; expected a rank's name that softmax does not/,
    ],
    [
      ["derive", "softmax", "--rank", "M", "--out", join(folder, "x.txt")],
      /--out: got .*x\.txt; expected .* ends in \.cascade/,
    ],
    [["derive", "cascade-1", "--rank", "K", "--answer", "9"], /--answer: got 9; expected a number from 1 to 1/],
    [["derive", "cascade-1", "--rank", "K", "--answer", "0"], /--answer: got 0; expected the number of an answer/],
    [["derive", "softmax", "--rank", "M", "--out", join(folder, "no", "x.cascade")], /--out|no such/],
  ])("refuses %s", async (args, message) => {
    const { code, stderr } = await invoke(...args);
    expect([code, message.test(stderr) ? "" : stderr]).toEqual([2, ""]);
  });
});
