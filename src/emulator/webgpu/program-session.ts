import { type KeyRange, noKeys } from "../../attention/key-range.js";
import { hasPlanes, maskOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { batchOf, type RowRange } from "../../attention/rows.js";
import { DeviceError, howMany } from "../../errors.js";
import { exponentFactor } from "../../numerics/pe.js";
import type { TileProgram } from "../../program/program.js";
import type { Variable } from "../../program/variable.js";
import { printWgsl } from "../../program/wgsl.js";
import { unprintable, wgslPlaces } from "../../program/wgsl-places.js";
import type { RowBlock, Session } from "../engine.js";
import { openPrinted } from "../javascript/session.js";
import { isSplit, nthRun } from "../kv-runs.js";
import { RunMerger } from "../merge-runs.js";
import { MergedRows } from "../merged-rows.js";
import { tileKeys } from "../program-of.js";
import { smallAttention } from "../small-problem.js";
import { type BlockPlan, countTiles, planBlocks } from "./blocks.js";
import { bytesPerKey, ChunkCache } from "./chunk-cache.js";
import type { EngineContext } from "./engine-context.js";
import { keyOrder } from "./key-order.js";
import { programJobLayout } from "./layout.js";
import { Pace } from "./pace.js";
import { eight, operandsPerWord, wordsOf } from "./pack.js";
import { Packer } from "./packer.js";
import { collectWorkgroup, type PassPipeline, type ProgramContext, ProgramRequest } from "./program-request.js";
import { programSizes } from "./program-sizes.js";
import { RequestPool, slotsWithin } from "./request-pool.js";
import type { DeviceRows } from "./request-steps.js";
import { withScoreWords } from "./score-words.js";
import { stateHeader } from "./state.js";
import { rowsVariant } from "./variant.js";

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
  const inTiles = { ...given, tile: { ...given.tile, m0: tileKeys(given, program) } };
  const order = keyOrder(inTiles, program.descending);
  const problem = { ...inTiles, shape: { ...given.shape, keys: order.places } };
  const { arithmetic } = problem;
  const variant = { ...variantFor(problem), ...rowsVariant(traits, problem) };
  const bits = hasPlanes(problem.mask);
  const perWord = operandsPerWord(wordsOf(arithmetic));
  const factor = exponentFactor(problem.scale);
  const places = wgslPlaces(program, Math.ceil(problem.shape.keys / problem.tile.m0), problem.tile.m0);
  const { m0 } = problem.tile;
  const beginsAtWhole = (keys: number): boolean => m0 % keys === 0 || m0 >= problem.shape.keys;
  const { blockKeys } = program;
  const wholeBlocks = blockKeys === null || beginsAtWhole(blockKeys);
  const printing = { places, perWord, factor, bits, wholeEights: beginsAtWhole(eight), blockKeys, wholeBlocks };
  const bindings = device.createBindGroupLayout({
    entries: Array.from({ length: 9 }, (_, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: binding === 0 ? "uniform" : binding < 6 ? "read-only-storage" : "storage" },
    })),
  });
  const layout = device.createPipelineLayout({ bindGroupLayouts: [bindings] });
  const { workgroupSize, shape = {}, quads = false } = variant;
  const kernel = { arithmetic, workgroupSize, constants: shape, quads, bits };
  const passes = await guard.wait(
    Promise.all(
      program.passes.map(async (pass): Promise<PassPipeline | null> => {
        if (pass.tile.length + pass.end.length === 0) return null;
        const text = printWgsl(pass, printing);
        return { pass, pipeline: await kernels.printed(kernel, text, layout) };
      }),
    ),
  );
  const collect = await guard.wait(kernels.collect(collectWorkgroup));
  const packer = await Packer.open(guard, kernels, arithmetic);
  const compileSeconds = (performance.now() - startedAt) / 1000;
  const pace = paces.get(`printed ${arithmetic.name}`) ?? new Pace(device.queue, variant.firstRate);
  paces.set(`printed ${arithmetic.name}`, pace);
  const { limits } = device;
  const binding = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const chunkKeys = Math.max(eight, Math.floor(Math.min(binding, variant.chunkBytes) / bytesPerKey(problem)));
  if (chunkKeys < problem.tile.m0 && chunkKeys < problem.shape.keys) {
    throw cannot(program, `tiles of ${howMany(problem.tile.m0, "key")}, of which ${chunkKeys} fit this adapter`);
  }
  const context: ProgramContext = {
    ...{ guard, problem, operands, program, places, collect, packer, pace, chunkKeys, order },
    passes: passes.filter(pass => pass !== null),
    parallelBlocks: variant.parallelBlocks,
    chunks: new ChunkCache(device, packer, given, operands, variant.cacheBytes, order),
  };
  const { blockRows } = variant;
  const sizes = (slots: number) => programSizes(problem, places, slots, blockRows);
  const bytes = Math.max(...Object.values(sizes(blockRows)));
  if (bytes > binding)
    throw cannot(
      program,
      `${howMany(problem.shape.keys, "key")}, which need ${howMany(bytes, "byte")} per block of rows`,
    );
  const limit = Math.min(binding, Math.max(variant.requestBytes, bytes));
  const mostSlots = slotsWithin(limit, bytes, problem, blockRows);
  const pool = new RequestPool(context, variant, mostSlots, sizes, programJobLayout.byteSize);
  const session = new PrintedSession(context, inTiles, blockRows, pool, compileSeconds);
  if (options.tried === true) return session;
  await tryOnce(engine, given, program);
  return session;
}

/** Rows as they come from the device: AV, or RNV of a run; RM and RD of each. */
interface DeviceRun {
  readonly av: Float32Array;
  readonly states: Float32Array;
  readonly overflowRow: number | null;
  readonly saturated: number;
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
  const terms = [
    isSplit(problem),
    problem.softcap,
    problem.bias !== undefined,
    problem.sink === true,
    hasPlanes(problem.mask),
  ];
  const key = `${JSON.stringify(problem.arithmetic)} ${terms.join(" ")} ${problem.cascade?.text ?? ""}`;
  if (known.has(key)) return;
  const { problem: small, operands } = smallAttention(problem);
  const rows = { start: 0, end: small.shape.queries };
  const { av: wanted, overflowRow } = await openPrinted(small, operands, program, "printed").run(rows);
  const session = await openPrintedSession(engine, small, operands, program, { tried: true });
  const { av } = await session.run(rows).finally(() => session.close());
  // From a row on that leaves the range of its arithmetic, which this one may do, values have no meaning.
  const length = (overflowRow ?? rows.end) * small.shape.valueDim;
  const at = av.findIndex((value, i) => i < length && !Object.is(value, wanted[i]));
  if (at >= 0) {
    throw new DeviceError({
      where: "engine webgpu",
      got: `${av[at]} at element ${at} of a small attention by ${program.name} in ${problem.arithmetic.name}`,
      expected: `the contract's bits, ${wanted[at]}`,
      fix: "use --engine wasm",
    });
  }
  known.add(key);
}

const cannot = (program: TileProgram, got: string): DeviceError =>
  new DeviceError({
    where: "engine webgpu",
    got: `${program.name} with ${got}`,
    expected: "a program that fits its kernels",
    fix: "use --engine wasm",
  });

class PrintedSession implements Session {
  readonly concurrency = 2;
  constructor(
    private readonly context: ProgramContext,
    /** With the keys of its mask, and the tiles in which they are walked. */
    private readonly problem: AttentionProblem,
    private readonly blockRows: number,
    private readonly pool: RequestPool,
    readonly compileSeconds: number,
  ) {}

  get rowsPerRequest(): number {
    return this.pool.rowsPerRequest;
  }

  async run(range: RowRange, signal?: AbortSignal): Promise<RowBlock> {
    const { problem } = this;
    const rows = isSplit(problem) ? await this.#runs(range, signal) : await this.#rows(range, signal);
    const { av, overflowRow, saturated, states } = rows;
    const wanted = problem.states === true ? { states } : {};
    return { range, av, overflowRow, saturated, tiles: countTiles(problem, range), ...wanted };
  }

  /** The rows of each run of split keys, merged. */
  async #runs(range: RowRange, signal?: AbortSignal): Promise<DeviceRun> {
    const { problem, context } = this;
    const { shape } = problem;
    const rows = { start: range.start, count: range.end - range.start };
    const merger = new RunMerger(problem.arithmetic, problem.scale);
    const merged = new MergedRows(problem, context.operands, maskOf(problem), merger, rows);
    const overflowed: number[] = [];
    let saturated = 0;
    for (let n = 0; n < (problem.kvSplits ?? 1); n += 1) {
      const keysOf = nthRun(problem, n);
      const run = await this.#rows(range, signal, { within: b => keysOf(b) ?? noKeys, sunk: n > 0 });
      merged.add(row => keysOf(batchOf(shape, row)), run);
      if (run.overflowRow !== null) overflowed.push(run.overflowRow);
      saturated += run.saturated;
    }
    const to = { av: new Float32Array(rows.count * shape.valueDim), states: new Float32Array(2 * rows.count) };
    const bad = merged.finish(to);
    if (bad !== null) overflowed.push(bad);
    return { ...to, overflowRow: overflowed.length === 0 ? null : Math.min(...overflowed), saturated };
  }

  /** The rows over all their keys, or over those of a run. */
  async #rows(
    range: RowRange,
    signal?: AbortSignal,
    run?: { readonly within: (b: number) => KeyRange; readonly sunk: boolean },
  ): Promise<DeviceRun> {
    const { operands, program, order } = this.context;
    const planned = planBlocks(this.problem, range, this.blockRows, order, run?.within);
    const plan = withScoreWords(planned, this.problem, operands, program, order);
    return this.pool.withBuffers(plan, async buffers => {
      const request = new ProgramRequest(this.context, plan, buffers);
      request.start(run?.sunk);
      await request.advance(signal);
      return request.finish(rows => this.#collect(plan, range, rows));
    });
  }

  /** Puts values into rows, zeros where no key is seen, with what the state says of each. */
  #collect({ blocks, blockRows, windows }: BlockPlan, range: RowRange, device: DeviceRows): DeviceRun {
    const { problem, places, program } = this.context;
    const { valueDim } = problem.shape;
    const count = range.end - range.start;
    const av = new Float32Array(count * valueDim);
    const states = new Float32Array(2 * count);
    const fieldOf = (variable: Variable | undefined): number | undefined =>
      variable === undefined ? undefined : places.field.get(variable);
    const ofStates = [program.states?.maximum, program.states?.denominator].map(fieldOf);
    const counted = fieldOf(program.saturated);
    let overflowRow: number | null = null;
    let saturated = 0;
    for (const [n, { row, count }] of blocks.entries()) {
      for (let i = 0; i < count; i += 1) {
        const slot = n * blockRows + i;
        const stateAt = (field: number): number =>
          device.state[stateHeader + (Math.floor(slot / 8) * places.fields + field) * 8 + (slot % 8)] as number;
        const to = row + i - range.start;
        for (const [at, field] of ofStates.entries()) {
          if (field !== undefined) states[2 * to + at] = stateAt(field);
        }
        if ((windows[2 * slot] as number) >= (windows[2 * slot + 1] as number)) continue;
        av.set(device.av.subarray(slot * valueDim, (slot + 1) * valueDim), to * valueDim);
        if (counted !== undefined) saturated += stateAt(counted);
        // Field 0 says that a check failed.
        if (stateAt(0) !== 0) overflowRow ??= row + i;
      }
    }
    return { av, states, overflowRow, saturated };
  }

  async dump(): Promise<never> {
    throw new Error("a printed program has no tile of FuseMax's tensors");
  }

  async close(): Promise<void> {
    this.pool.close();
    this.context.chunks.close();
  }
}
