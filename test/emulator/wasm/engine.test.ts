import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { noMask } from "../../../src/attention/mask.js";
import { cpuEngine } from "../../../src/emulator/cpu.js";
import { emulateRows } from "../../../src/emulator/emulate.js";
import type { Engine } from "../../../src/emulator/engine.js";
import { generateNormal } from "../../../src/emulator/generate.js";
import { roundOperands } from "../../../src/emulator/operands.js";
import { wasmEngine } from "../../../src/emulator/wasm/engine.js";
import type { WasmHost, WorkerThread } from "../../../src/emulator/wasm/host.js";
import { DeviceError } from "../../../src/errors.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";
import { nodeWasmHost } from "../../../src/platform/wasm-host.js";

let host: WasmHost;
beforeAll(async () => {
  host = await nodeWasmHost();
});
const opened: Engine[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map(engine => engine.close()));
});

/** A host whose thread is killed instead of being given the third request, as memory pressure would kill it. */
function mortalHost(): { readonly host: WasmHost; readonly deaths: () => number } {
  let requests = 0;
  let deaths = 0;
  const spawn = (): WorkerThread => {
    const thread = host.spawn();
    let die = (_: string): void => {};
    return {
      post: message => {
        if (message.type === "run") requests += 1;
        if (message.type !== "run" || requests !== 3) return thread.post(message);
        deaths += 1;
        thread.end().then(() => die("killed"));
      },
      onAnswer: listener => thread.onAnswer(listener),
      onDeath: listener => {
        die = listener;
        thread.onDeath(listener);
      },
      end: () => thread.end(),
    };
  };
  return { host: { ...host, spawn }, deaths: () => deaths };
}

const size = 512;
const shape = { batch: 1, heads: 1, kvHeads: 1, queries: size, keys: size, headDim: 16, valueDim: 16 };
const problem = { shape, mask: noMask, tile: { m0: 64, p0: 64 }, arithmetic: formatArithmetics.bf16, scale: 0.25 };
const operands = roundOperands(
  {
    q: generateNormal(1, "q", size * 16),
    k: generateNormal(1, "k", size * 16),
    v: generateNormal(1, "v", size * 16),
  },
  shape,
  formatArithmetics.bf16,
);

async function outputOf(engine: Engine): Promise<Float32Array> {
  opened.push(engine);
  const av = new Float32Array(size * 16);
  await emulateRows(problem, operands, {
    engine,
    onBlock: block => {
      av.set(block.av, block.range.start * 16);
    },
  });
  return av;
}

describe("the WebAssembly engine's threads", () => {
  it("give the same bits for any number of them", async () => {
    const right = await outputOf(cpuEngine());
    for (const threads of [1, 2, 5]) expect(await outputOf(wasmEngine(host, { threads }))).toEqual(right);
  });

  it("start with the engine, before there is work", async () => {
    let started = 0;
    const spawn = (): WorkerThread => {
      started += 1;
      return host.spawn();
    };
    opened.push(wasmEngine({ ...host, spawn }, { threads: 3 }));
    expect(started).toBe(3);
  });

  it("give the same bits where memory cannot be shared", async () => {
    const right = await outputOf(wasmEngine(host));
    expect(await outputOf(wasmEngine({ ...host, sharesMemory: false }, { threads: 2 }))).toEqual(right);
  });

  it("go on with the same bits when one of them dies", async () => {
    const right = await outputOf(wasmEngine(host));
    const { host: mortal, deaths } = mortalHost();
    expect(await outputOf(wasmEngine(mortal, { threads: 2 }))).toEqual(right);
    expect(deaths()).toBe(1);
  });

  it("end in a DeviceError, not in a hang, when they die again and again over the same rows", async () => {
    const dying: WasmHost = {
      ...host,
      spawn: () => {
        let die = (_: string): void => {};
        return {
          post: message => {
            if (message.type === "run") queueMicrotask(() => die("out of memory"));
          },
          onAnswer: () => {},
          onDeath: listener => {
            die = listener;
          },
          end: async () => {},
        };
      },
    };
    const run = outputOf(wasmEngine(dying, { threads: 2 }));
    await expect(run).rejects.toBeInstanceOf(DeviceError);
    await expect(run).rejects.toThrow("out of memory");
  });

  it("say what is wrong when a tile does not fit into a memory", async () => {
    const engine = wasmEngine(host, { threads: 1 });
    opened.push(engine);
    const keys = 3e8;
    const tooLong = { ...problem, shape: { ...shape, keys, headDim: 1, valueDim: 1 }, tile: { m0: keys, p0: 1 } };
    const nothing = new Float32Array(0);
    const session = await engine.open(tooLong, { q: nothing, k: nothing, v: nothing });
    await expect(session.run({ start: 0, end: 8 })).rejects.toThrow(
      "engine wasm: too little memory for key tiles of 300000000 keys with E 1 and F 1; expected at most 2 GiB per thread",
    );
  });

  it("stop between two key tiles when aborted", async () => {
    const long = { ...problem, shape: { ...shape, queries: 512, keys: 400_000 } };
    const engine = wasmEngine(host, { threads: 2 });
    opened.push(engine);
    const random = generateNormal(2, "k", 1000);
    const fill = (length: number) => Float32Array.from({ length }, (_, i) => random[i % 1000] ?? 0);
    const big = { q: fill(512 * 16), k: fill(400_000 * 16), v: fill(400_000 * 16) };
    const session = await engine.open({ ...long, arithmetic: formatArithmetics["fp16-strict"] }, big);
    const controller = new AbortController();
    const run = session.run({ start: 0, end: 512 }, controller.signal);
    setTimeout(() => controller.abort(new Error("stop")), 50);
    await expect(run).rejects.toThrow("stop");
    // The thread is free at once: another session's rows don't wait for the 400,000 keys, which take 4 s and more.
    const startedAt = performance.now();
    const other = await engine.open(problem, operands);
    await Promise.all([0, 1, 2].map(i => other.run({ start: 8 * i, end: 8 * i + 8 })));
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
