import { kvHeadsOf } from "../../attention/heads.js";
import type { AttentionProblem } from "../../attention/problem.js";
import { allRows, rowsPerKvHead } from "../../attention/rows.js";
import type { BlockPlan } from "./blocks.js";
import { RequestBuffers, type RequestSizes } from "./request-buffers.js";
import type { RequestContext } from "./request-steps.js";
import type { Variant } from "./variant.js";

/** Seconds that a request should take, from which the number of its rows follows. */
const requestSeconds = 0.4;

/**
 * As many whole blocks as keep every buffer of a request within `limitBytes`, where a block needs `blockBytes`, and no
 * more than there are rows for; one block at the least.
 */
export function slotsWithin(
  limitBytes: number,
  blockBytes: number,
  problem: AttentionProblem,
  blockRows: number,
): number {
  // The rows of each key/value head may end with a block that is not full.
  const needed = Math.ceil(allRows(problem).end / blockRows) + kvHeadsOf(problem.shape);
  return Math.min(Math.max(1, Math.floor(limitBytes / blockBytes)), needed) * blockRows;
}

/** The buffers of a session's requests, used again from one request to the next. */
export class RequestPool {
  /** Buffers that no request uses at the moment. */
  readonly #free: RequestBuffers[] = [];

  constructor(
    private readonly context: RequestContext,
    private readonly variant: Pick<Variant, "blockRows" | "parallelBlocks">,
    readonly mostSlots: number,
    private readonly sizes: (slots: number) => RequestSizes,
    private readonly jobBytes: number,
  ) {}

  /** Rows that take about as long as a request should, within the most slots. */
  get rowsPerRequest(): number {
    const { problem, pace } = this.context;
    const { keys, headDim, valueDim } = problem.shape;
    const { blockRows, parallelBlocks } = this.variant;
    const affordable = (pace.rate * requestSeconds) / (keys * (headDim + valueDim));
    const blocks = Math.max(Math.ceil(affordable / blockRows), parallelBlocks);
    // Rows of a key/value head that are no multiple of a block leave slots empty.
    const kvHeadRows = rowsPerKvHead(problem.shape);
    const filled = kvHeadRows / (Math.ceil(kvHeadRows / blockRows) * blockRows);
    const most = Math.max(1, this.mostSlots / blockRows - 2);
    return Math.max(1, Math.floor(Math.min(blocks, most) * blockRows * filled));
  }

  /** Runs `action` with buffers that hold a plan. */
  async withBuffers<T>(plan: BlockPlan, action: (buffers: RequestBuffers) => Promise<T>): Promise<T> {
    const sizes = this.sizes(Math.max(this.mostSlots, plan.blocks.length * plan.blockRows));
    const at = this.#free.findIndex(free => free.sizes.queries >= sizes.queries);
    const { device } = this.context.guard;
    const buffers = this.#free.splice(at, at < 0 ? 0 : 1)[0] ?? new RequestBuffers(device, sizes, this.jobBytes);
    try {
      return await action(buffers);
    } finally {
      this.#free.push(buffers);
    }
  }

  close(): void {
    for (const buffers of this.#free) buffers.close();
  }
}
