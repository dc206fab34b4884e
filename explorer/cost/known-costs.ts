import { designLabel, nameOfDesign } from "../design/names.js";
import { ownName } from "../design/own.js";
import { countedAs } from "../state.js";
import { type Cost, type CostRequest, type CostResult, computeCost } from "./designs.js";

/** What a design costs at one length, or why it cannot be said; neither while that is not known. */
export interface CostPoint {
  readonly design: string;
  /** In its file: the name that the command line prints. */
  readonly name: string;
  readonly label: string;
  readonly seq: number;
  readonly evaluation: Cost | null;
  readonly problem: string | null;
}

/** Results kept: back and forth on a slider, and a sweep over lengths, cost nothing the second time. */
const mostKept = 4096;
const found = new Map<string, CostResult>();

/** The design; of the visitor's, its text. */
const idOf = ({ design, state }: CostRequest): string =>
  design === ownName ? `${ownName} ${state.own?.id ?? ""}` : design;

/** A request is asked about many times in a frame. */
const keys = new WeakMap<CostRequest, string>();

/** What the result depends on. */
function keyOf(request: CostRequest): string {
  const key = keys.get(request) ?? keyFrom(request);
  keys.set(request, key);
  return key;
}

function keyFrom(request: CostRequest): string {
  const { seq, state } = request;
  const accounting = countedAs(state);
  const { scope, model, heads, headDim, valueDim, masked, phase, batch } = state;
  const { rows, columns, frequency, bandwidth, buffer } = state;
  const workload = [scope, model, heads, headDim, valueDim, masked, phase, batch, seq];
  return [accounting, idOf(request), ...workload, rows, columns, frequency, bandwidth, buffer].join();
}

export const isKnown = (request: CostRequest): boolean => found.has(keyOf(request));

export function knownPoint(request: CostRequest): CostPoint {
  const { design, seq } = request;
  const result = found.get(keyOf(request)) ?? null;
  return {
    design,
    name: nameOfDesign(design, request.state.own),
    label: designLabel(design, request.state.own),
    seq,
    evaluation: typeof result === "string" ? null : result,
    problem: typeof result === "string" ? result : null,
  };
}

/** How long a design lately took to compute at the chosen length, in milliseconds, here or in the worker. */
const lately = new Map<string, number>();
/** Kinds that were computed before: the first time takes longer, since the design is compiled then. */
const begun = new Set<string>();
const kindOf = ({ design, state }: CostRequest): string => `${design} ${countedAs(state)} ${state.scope}`;

export function remember(request: CostRequest, { result, milliseconds }: Timed): void {
  const [oldest] = found.keys();
  if (found.size >= mostKept && oldest !== undefined) found.delete(oldest);
  found.set(keyOf(request), result);
  const kind = kindOf(request);
  if (begun.has(kind) && request.seq === request.state.seq) lately.set(kind, milliseconds);
  begun.add(kind);
}

export interface Timed {
  readonly result: CostResult;
  readonly milliseconds: number;
}

export function timedCost(request: CostRequest): Timed {
  const start = performance.now();
  const result = computeCost(request);
  return { result, milliseconds: performance.now() - start };
}

/** Milliseconds of a move that may go into the model: a frame has 16, and drawing takes most of them. */
const modelBudget = 7;

/** How long it should take; what has not been timed is taken to be quick only where it usually is. */
function expected(request: CostRequest): number {
  const { scope } = request.state;
  // Nobody knows what a text makes of the model: it is computed where it can hold up nothing.
  if (request.design === ownName) return Number.POSITIVE_INFINITY;
  const usual = countedAs(request.state) === "published" && scope === "attention" ? 0 : Number.POSITIVE_INFINITY;
  return lately.get(kindOf(request)) ?? usual;
}

/** Kinds of which one took longer than a frame bears: what is not asked for at once goes to the worker from then on. */
const heavy = new Set<string>();

/** Whether it may be computed between two frames, without the worker. */
export const fitsBetweenFrames = (request: CostRequest): boolean =>
  !heavy.has(kindOf(request)) && expected(request) <= modelBudget;

/** Computes it here, and notes how that went. */
export function computeBetweenFrames(request: CostRequest): Timed {
  const timed = timedCost(request);
  if (begun.has(kindOf(request)) && timed.milliseconds > modelBudget) heavy.add(kindOf(request));
  return timed;
}

/** Computes them where all together should fit the budget: a part of them would show nothing, and none is compiled here. */
export function computeQuick(requests: readonly CostRequest[]): void {
  const unknown = requests.filter(request => !isKnown(request));
  if (!unknown.every(request => begun.has(kindOf(request)))) return;
  if (unknown.reduce((sum, request) => sum + expected(request), 0) > modelBudget) return;
  for (const request of unknown) remember(request, timedCost(request));
}
