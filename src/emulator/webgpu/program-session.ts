import { rowsOfKvHead } from "../../attention/heads.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { allRows, type RowRange } from "../../attention/rows.js";
import { DeviceError } from "../../errors.js";
import { exponentFactor } from "../../numerics/pe.js";
import type { TileProgram } from "../../program/program.js";
import { printWgsl } from "../../program/wgsl.js";
import { unprintable, type WgslPlaces, wgslPlaces } from "../../program/wgsl-places.js";
import type { RowBlock, Session } from "../engine.js";
import { RowRunner } from "../javascript/row-runner.js";
import { roundOperands } from "../operands.js";
import { tileKeys } from "../program-of.js";
import { smallInputs, smallProblem } from "../small-problem.js";
import { type BlockPlan, countTiles, planBlocks } from "./blocks.js";
import { bytesPerKey, ChunkCache } from "./chunk-cache.js";
import type { EngineContext } from "./engine-context.js";
import { Pace } from "./pace.js";
import { eight, operandsPerWord } from "./pack.js";
import { Packer } from "./packer.js";
import { ProgramBuffers, programSizes, stateHeader } from "./program-buffers.js";
import { collectWorkgroup, type PassPipeline, type ProgramContext, ProgramRequest } from "./program-request.js";
import { rowsVariant, type Variant } from "./variant.js";

/** Seconds that a request should take, from which the number of its rows follows. */
const requestSeconds = 0.4;

/** Opens a problem whose program is printed as WGSL. @throws DeviceError for what cannot be, or does not fit. */
export async function openPrintedSession(
  engine: EngineContext,
  given: AttentionProblem,
  operands: Operands,
  program: TileProgram,
  options: { readonly tried?: boolean } = {},
): Promise<Session> {
  const { guard, kernels, paces, traits, variantFor } = engine;
  const startedAt = performance.now();
  const { device } = guard;
  const refused = unprintable(program);
  if (refused !== null) throw cannot(program, refused);
  const problem = { ...given, tile: { ...given.tile, m0: tileKeys(given, program) } };
  const { name, operand } = problem.format;
  const variant = { ...variantFor(problem), ...rowsVariant(traits, problem) };
  const places = wgslPlaces(program, Math.ceil(problem.shape.keys / problem.tile.m0));
  const bindings = device.createBindGroupLayout({
    entries: Array.from({ length: 9 }, (_, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: binding === 0 ? "uniform" : binding < 6 ? "read-only-storage" : "storage" },
    })),
  });
  const layout = device.createPipelineLayout({ bindGroupLayouts: [bindings] });
  const { workgroupSize, shape = {}, quads = false } = variant;
  const kernel = { format: name, workgroupSize, constants: shape, quads };
  const passes = await guard.wait(
    Promise.all(
      program.passes.map(async (pass): Promise<PassPipeline | null> => {
        if (pass.tile.length + pass.end.length === 0) return null;
        const text = printWgsl(pass, places, operandsPerWord(operand), exponentFactor(problem.scale));
        return { pass, pipeline: await kernels.printed(kernel, text, layout) };
      }),
    ),
  );
  const collect = await guard.wait(kernels.collect(collectWorkgroup));
  const packer = await Packer.open(guard, kernels, problem.format);
  const compileSeconds = (performance.now() - startedAt) / 1000;
  const pace = paces.get(`printed ${name}`) ?? new Pace(device.queue, variant.firstRate);
  paces.set(`printed ${name}`, pace);
  const { limits } = device;
  const binding = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const chunkKeys = Math.max(eight, Math.floor(Math.min(binding, variant.chunkBytes) / bytesPerKey(problem)));
  if (chunkKeys < problem.tile.m0 && chunkKeys < problem.shape.keys) {
    throw cannot(program, `tiles of ${problem.tile.m0} keys, of which ${chunkKeys} fit this adapter`);
  }
  const context: ProgramContext = {
    ...{ guard, problem, operands, program, places, collect, packer, pace, chunkKeys },
    passes: passes.filter(pass => pass !== null),
    parallelBlocks: variant.parallelBlocks,
    chunks: new ChunkCache(device, packer, problem, operands, variant.cacheBytes),
  };
  const bytes = Math.max(...Object.values(programSizes(problem, places, variant.blockRows, variant.blockRows)));
  if (bytes > binding) throw cannot(program, `${problem.shape.keys} keys, which need ${bytes} bytes a block of rows`);
  const needed = Math.ceil(allRows(problem).end / variant.blockRows) + problem.shape.batch * problem.shape.kvHeads;
  const limit = Math.min(binding, Math.max(variant.requestBytes, bytes));
  const mostSlots = Math.min(Math.max(1, Math.floor(limit / bytes)), needed) * variant.blockRows;
  const session = new PrintedSession(context, places, variant, mostSlots, compileSeconds);
  if (options.tried === true) return session;
  await tryOnce(engine, given, program);
  return session;
}

/** Kernels that have given the right bits here, by engine and by what their text depends on. */
const trusted = new WeakMap<EngineContext["kernels"], Set<string>>();

/**
 * Tries a printed program on a small attention before its results are believed: the self-test of an adapter covers the
 * operations, not what a compiler makes of a whole program.
 * @throws DeviceError when the adapter gives other bits than JavaScript does.
 */
async function tryOnce(engine: EngineContext, problem: AttentionProblem, program: TileProgram): Promise<void> {
  const known = trusted.get(engine.kernels) ?? new Set<string>();
  trusted.set(engine.kernels, known);
  const key = `${problem.format.name} ${problem.cascade?.text ?? ""}`;
  if (known.has(key)) return;
  const small = smallProblem(problem);
  const operands = roundOperands(smallInputs, small.shape, small.format);
  const rows = { start: 0, end: small.shape.queries };
  const wanted = new Float32Array(small.shape.queries * small.shape.valueDim);
  new RowRunner(small, operands, program).run(rows, wanted);
  const session = await openPrintedSession(engine, small, operands, program, { tried: true });
  const { av } = await session.run(rows).finally(() => session.close());
  const at = av.findIndex((value, i) => !Object.is(value, wanted[i]));
  if (at >= 0) {
    throw new DeviceError({
      where: "engine webgpu",
      got: `${av[at]} at element ${at} of a small attention by ${program.name} in ${problem.format.name}`,
      expected: `the contract's bits, ${wanted[at]}`,
      mend: "use --engine wasm",
    });
  }
  known.add(key);
}

const cannot = (program: TileProgram, got: string): DeviceError =>
  new DeviceError({
    where: "engine webgpu",
    got: `${program.name} with ${got}`,
    expected: "a program that fits its kernels",
    mend: "use --engine wasm",
  });

class PrintedSession implements Session {
  readonly concurrency = 2;
  readonly #free: ProgramBuffers[] = [];

  constructor(
    private readonly context: ProgramContext,
    private readonly places: WgslPlaces,
    private readonly variant: Variant,
    private readonly mostSlots: number,
    readonly compileSeconds: number,
  ) {}

  get rowsPerRequest(): number {
    const { problem, pace } = this.context;
    const { keys, headDim, valueDim } = problem.shape;
    const { blockRows, parallelBlocks } = this.variant;
    const affordable = (pace.rate * requestSeconds) / (keys * (headDim + valueDim));
    const blocks = Math.max(Math.ceil(affordable / blockRows), parallelBlocks);
    const groupRows = rowsOfKvHead(problem.shape);
    const filled = groupRows / (Math.ceil(groupRows / blockRows) * blockRows);
    const most = Math.max(1, this.mostSlots / blockRows - 2);
    return Math.max(1, Math.floor(Math.min(blocks, most) * blockRows * filled));
  }

  async run(range: RowRange, signal?: AbortSignal): Promise<RowBlock> {
    const { problem } = this.context;
    const plan = planBlocks(problem, range, this.variant.blockRows);
    const slots = Math.max(this.mostSlots, plan.blocks.length * plan.blockRows);
    const sizes = programSizes(problem, this.places, slots, this.variant.blockRows);
    const at = this.#free.findIndex(free => free.sizes.queries >= sizes.queries);
    const { device } = this.context.guard;
    const buffers = this.#free.splice(at, at < 0 ? 0 : 1)[0] ?? new ProgramBuffers(device, sizes);
    try {
      const request = new ProgramRequest(this.context, plan, buffers);
      request.start();
      await request.advance(signal);
      const av = new Float32Array((range.end - range.start) * problem.shape.valueDim);
      const overflowRow = await request.finish((values, state) => this.#collect(plan, range, values, state, av));
      return { range, av, overflowRow, tiles: countTiles(problem, range) };
    } finally {
      this.#free.push(buffers);
    }
  }

  /** Puts AV into rows, zeros where no key is seen; gives the first row in which a check failed, or null. */
  #collect(
    { blocks, blockRows, windows }: BlockPlan,
    range: RowRange,
    values: Float32Array,
    state: Float32Array,
    av: Float32Array,
  ): number | null {
    const { valueDim } = this.context.problem.shape;
    let overflowRow: number | null = null;
    for (const [n, { row, count }] of blocks.entries()) {
      for (let i = 0; i < count; i += 1) {
        const slot = n * blockRows + i;
        if ((windows[2 * slot] as number) >= (windows[2 * slot + 1] as number)) continue;
        av.set(values.subarray(slot * valueDim, (slot + 1) * valueDim), (row + i - range.start) * valueDim);
        const bad = stateHeader + Math.floor(slot / 8) * this.places.fields * 8 + (slot % 8);
        if (state[bad] !== 0) overflowRow ??= row + i;
      }
    }
    return overflowRow;
  }

  async dump(): Promise<never> {
    throw new Error("a printed program has no tile of FuseMax's tensors");
  }

  async close(): Promise<void> {
    for (const buffers of this.#free) buffers.close();
    this.context.chunks.close();
  }
}
