import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { lockRounds } from "../io/lock-rounds.js";
import { randomOf } from "../io/random.js";

// Runs and sweeps killed at random moments, their files damaged now and then, until they end: the result is that of a command left
// alone. FUSEMAX_KILLS sets how many kills of each (npm run test:kill); a few by default.

const kills = Number(process.env["FUSEMAX_KILLS"] ?? 2);
const program = resolve(import.meta.dirname, "../../dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "fusemax-kills-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [seed = 0] = fc.sample(fc.integer(), 1);
const random = randomOf(seed);

const run = (...args: readonly string[]) => {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", data => (stderr += data));
  const end = new Promise<{ code: number | null; stderr: string }>(done =>
    child.on("close", code => done({ code, stderr })),
  );
  return { child, end };
};

/** Changes a byte, or empties a page, somewhere in a file. */
function damage(path: string): void {
  const { size } = statSync(path);
  const at = Math.floor(random() * size);
  const bytes = random() < 0.5 ? Buffer.of(Math.floor(random() * 256)) : Buffer.alloc(Math.min(4096, size - at));
  const handle = openSync(path, "r+");
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

const commands: readonly (readonly [name: string, ending: string, args: readonly string[]])[] = [
  ["a run on cpu", "npy", ["run", "--engine", "cpu", "--seq", "1K", "--check", "none", "--output"]],
  ["a run on wasm", "npy", ["run", "--engine", "wasm", "--seq", "8K", "--check", "none", "--output"]],
  [
    "a sweep",
    "csv",
    ["sweep", "--accounting", "published", "--set", "architecture.frequencyHz=1e6..2e9:20000", "--out"],
  ],
];

it.each(commands)(
  "law: %s, killed at random, ends with the result of one left alone",
  async (name, ending, args) => {
    const began = performance.now();
    const alone = await run(...args, `alone.${ending}`).end;
    expect(alone.code, alone.stderr).toBe(0);
    const longest = performance.now() - began;
    const expected = readFileSync(join(folder, `alone.${ending}`));
    let [killed, finished, damaged, dropped] = [0, 0, 0, 0];
    const kept = join(folder, `kept.${ending}`);
    for (let attempt = 0; killed < kills && attempt < 20 * kills; attempt += 1) {
      const { child, end } = run(...args, `killed.${ending}`, "--resume", kept);
      const timer = setTimeout(() => child.kill("SIGKILL"), longest * (0.2 + random()));
      const { code, stderr } = await end;
      clearTimeout(timer);
      if (/cut short or damaged/.test(stderr)) dropped += 1;
      if (code === null) {
        killed += 1;
        if (random() < 0.25 && existsSync(kept) && statSync(kept).size > 8192) {
          damage(kept);
          damaged += 1;
        }
        continue;
      }
      // A file of which nothing is left is refused, and the user takes another.
      if (code === 2 && /is not a (file|shard|lock)/.test(stderr)) rmSync(kept);
      else {
        expect(code, `seed ${seed}: ${stderr}`).toBe(0);
        expect(readFileSync(join(folder, `killed.${ending}`)).equals(expected), `seed ${seed}`).toBe(true);
        finished += 1;
        rmSync(kept);
      }
    }
    expect((await run(...args, `killed.${ending}`, "--resume", kept).end).code).toBe(0);
    expect(readFileSync(join(folder, `killed.${ending}`)).equals(expected), `seed ${seed}`).toBe(true);
    rmSync(kept);
    expect(killed).toBe(kills);
    expect(readdirSync(folder).filter(found => /\.lock/.test(found))).toEqual([]);
    const figures = `${killed} kills, ${finished + 1} ends with the same bytes, ${damaged} files damaged, ${dropped} times dropped and computed again`;
    process.stdout.write(`kills: ${name}: ${figures}\n`);
  },
  3_600_000,
);

const sharded: readonly (readonly [name: string, ending: string, output: string, args: readonly string[]])[] = [
  [
    "a sweep",
    "csv",
    "--out",
    ["sweep", "--accounting", "published", "--set", "architecture.frequencyHz=1e6..2e9:40000"],
  ],
  ["a run", "npy", "--output", ["run", "--engine", "cpu", "--seq", "2K", "--causal", "--check", "sample:16"]],
];

it.skipIf(kills < 20).each(sharded)(
  "law: shards of %s, in any number, two copies of each at once, killed at random, join to the result of one process",
  async (name, ending, output, args) => {
    const alone = await run(...args, output, `one.${ending}`).end;
    expect(alone.code, alone.stderr).toBe(0);
    const expected = readFileSync(join(folder, `one.${ending}`));
    let [killed, rounds, waited] = [0, 0, 0];
    while (killed < kills) {
      const count = 1 + Math.floor(random() * 6);
      const paths = Array.from({ length: count }, (_, i) => join(folder, `${i}.shard`));
      for (const [i, path] of paths.entries()) {
        for (let left = 2; left > 0; ) {
          const copies = Array.from({ length: left }, () => run(...args, "--shard", `${i}/${count}`, output, path));
          const timer = setTimeout(() => copies[0]?.child.kill("SIGKILL"), 300 + random() * 2000);
          for (const { code, stderr } of await Promise.all(copies.map(({ end }) => end))) {
            if (/waiting for a file that process/.test(stderr)) waited += 1;
            if (code === null) killed += 1;
            else expect(code, `seed ${seed}: ${stderr}`).toBe(0);
            if (code === 0) left = 0;
          }
          clearTimeout(timer);
        }
      }
      const shuffled = paths.map(path => ({ path, at: random() })).sort((a, b) => a.at - b.at);
      const merged = await run("merge", ...shuffled.map(({ path }) => path), "--out", `joined.${ending}`).end;
      expect(merged.code, `seed ${seed}: ${merged.stderr}`).toBe(0);
      expect(readFileSync(join(folder, `joined.${ending}`)).equals(expected), `seed ${seed}`).toBe(true);
      for (const path of paths) rmSync(path);
      rounds += 1;
    }
    expect(readdirSync(folder).filter(found => /\.(lock|part|tmp)/.test(found))).toEqual([]);
    process.stdout.write(
      `kills: shards of ${name}: ${killed} kills, ${rounds} joined to the same bytes, ${waited} copies waited\n`,
    );
  },
  3_600_000,
);

it.skipIf(kills < 20)(
  "law: of 8 processes that want a file one has it at a time, for many rounds",
  async () => {
    const found = await lockRounds(8, kills, 10, random);
    process.stdout.write(`kills: locks: ${JSON.stringify(found)}\n`);
    expect(found.violations, `seed ${seed}`).toBe(0);
  },
  3_600_000,
);
