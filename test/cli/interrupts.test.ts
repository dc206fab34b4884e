import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { reportFault } from "../../src/cli/fault.js";

/** The built program: Ctrl-C in the middle of long loops, and ends that nobody foresaw. */
const program = resolve(import.meta.dirname, "../../dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "fusemax-ends-"));
afterAll(() => rmSync(folder, { recursive: true }));

const workloads = readdirSync(resolve(import.meta.dirname, "../../specs/workloads"))
  .map(file => file.replace(".yaml", ""))
  .join();

describe("Ctrl-C ends with 130 within a second", () => {
  it.each([
    ["equal attention-3-pass attention-1-pass --trials 90000 --shape M=64,M0=16,P=8,E=16,F=16"],
    [`model --model ${workloads} --seq 1K,3K,5K,7K,9K,64K,1M,3M --design fusemax,flat,unfused,cascade`],
    ["schedule --model bert,xlm,t5,trxl --seq 65537,99999,1000003 --array 7x11"],
    [
      "sweep --design unfused,flat --set architecture.levels.buffer.bytes=1e6..64e6:4000 --seq 5000,70001 --out searched.csv",
    ],
    ["sweep --accounting corrected --set architecture.frequencyHz=1e6..2e9:300000 --out corrected.csv"],
    ["sweep --set architecture.frequencyHz=1e6..2e9:900000 --out many.csv"],
    ["run --engine cpu --q-len 1 --kv-len 4M --check none"],
  ])("in %s", async line => {
    const child = spawn(process.execPath, [program, ...line.split(" ")], { cwd: folder });
    let stderr = "";
    child.stderr.on("data", data => (stderr += data));
    const end = new Promise<number | null>(done => child.on("close", done));
    await new Promise(done => setTimeout(done, 2500));
    const asked = performance.now();
    child.kill("SIGINT");
    expect(await end, "it has not ended before").toBe(130);
    expect(performance.now() - asked).toBeLessThan(1000);
    expect(stderr).toMatch(/(^|\n)fusemax: interrupted\n$/);
    expect(readdirSync(folder)).toEqual([]);
  });
});
afterEach(() => {
  for (const file of readdirSync(folder)) rmSync(join(folder, file), { recursive: true });
});

/** Runs the program with code that is loaded before it, on its threads too. */
const run = (
  line: string,
  { before = "", env = {} }: { readonly before?: string; readonly env?: NodeJS.ProcessEnv } = {},
) =>
  spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(before)}`, program, ...line.split(" ")],
    {
      encoding: "utf8",
      cwd: folder,
      env: { ...process.env, TMPDIR: folder, ...env },
    },
  );
const fault = /^fusemax: a fault of the program, not of the input: (.*); please report it with (\S+)\n$/;

/** Code that runs once the program has begun; on its first thread. */
const soon = (code: string): string =>
  `import { isMainThread } from "node:worker_threads"; const wait = setInterval(() => { if (!isMainThread || process.listenerCount("uncaughtException") > 0) { clearInterval(wait); if (isMainThread) { ${code} } } }, 2)`;

describe("what nobody foresaw is one line that names a file", () => {
  it.each([
    ["an exception", "taxonomy", soon("throw new Error('bo\\u001bom')"), /^bo\\u001bom$/],
    ["a promise that nobody waits for", "doctor", soon("Promise.reject(new Error('alas'))"), /^alas$/],
    [
      "a thread that ends",
      "equal softmax softmax",
      "import { isMainThread } from 'node:worker_threads'; if (!isMainThread) process.exit(7)",
      /^the command's thread ended with 7$/,
    ],
    [
      "an exception on a thread",
      "model",
      "import { isMainThread } from 'node:worker_threads'; if (!isMainThread) JSON.parse = () => { throw new TypeError('no JSON') }",
      /^no JSON$/,
    ],
  ])("%s", (_, line, before, message) => {
    const { status, stderr } = run(line, { before });
    expect(stderr).toMatch(fault);
    const [, said = "", file = ""] = fault.exec(stderr) ?? [];
    expect(said).toMatch(message);
    expect(status).toBe(70);
    const details = readFileSync(file, "utf8");
    expect(details).toContain(`Node ${process.version}`);
    expect(details).toContain(JSON.stringify(line.split(" ")));
    expect(details).toMatch(/Error: /);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    rmSync(file);
  });

  it("without a file where none can be written", () => {
    const write = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
    vi.stubEnv("TMPDIR", "/proc/none");
    try {
      expect(reportFault(new Error("x".repeat(5000)), [])).toBe(70);
      const [[line] = []] = write.mock.calls;
      expect(line).toMatch(/^fusemax: a fault of the program, not of the input: x+ … x+; please report it\n$/);
    } finally {
      vi.unstubAllEnvs();
      write.mockRestore();
    }
  });
});

describe.skipIf(process.platform !== "linux")("too little memory is said in a line:", () => {
  const limited = (kilobytes: number, line: string) =>
    spawnSync("sh", ["-c", `ulimit -v ${kilobytes}; exec "${process.execPath}" "${program}" ${line}`], {
      encoding: "utf8",
      cwd: folder,
    });

  it("WebAssembly without address space falls back to the CPU engine", () => {
    const { status, stdout, stderr } = limited(12_000_000, "run --seq 64 --json");
    expect(stderr).toMatch(/^fusemax: engine wasm: got \d+ MiB of address space; .*\nfusemax: engine cpu: .*\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ engine: { name: "cpu" } });
    expect(status).toBe(0);
    expect(limited(12_000_000, "run --seq 64 --engine wasm")).toMatchObject({ status: 2, stdout: "" });
  });

  it("threads that do not fit are not started", () => {
    expect(limited(1_500_000, "equal softmax softmax")).toMatchObject({ status: 0, stderr: "" });
  });

  it("a heap that is too small", () => {
    const { status, stderr } = run("model", { env: { NODE_OPTIONS: "--max-old-space-size=20" } });
    expect(stderr).toMatch(/^fusemax: memory: got a heap of \d+ MiB; expected at least 96 MiB; raise [^\n]*\n$/);
    expect(status).toBe(2);
  });

  it("a heap that fills up on the command's thread", () => {
    // The thread fills it; the first one has nothing in its own.
    const before =
      "import { isMainThread } from 'node:worker_threads'; if (!isMainThread) { const all = []; for (;;) all.push(new Array(1e5).fill(0.5)) }";
    const { status, stderr } = run("passes softmax", { before, env: { NODE_OPTIONS: "--max-old-space-size=64" } });
    expect(stderr).toMatch(/^fusemax: memory: got a heap that is full; [^\n]*\n$/);
    expect(status).toBe(2);
  });
});

it("what libraries print stays off the terminal", () => {
  const before = soon("process.emitWarning('beware'); process.emitWarning('old', 'DeprecationWarning')");
  const { status, stdout, stderr } = run("model --json", { before, env: { LOG_STREAM: "1", LOG_TOKENS: "1" } });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ schema: "fusemax.model/1" });
});
