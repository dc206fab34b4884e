import type { Design } from "../spec/design.js";
import type { Workload } from "../spec/workload.js";
import type { AttentionPoint } from "./attention-point.js";
import { productMapping } from "./product-mapping.js";
import { checkSizes, type Sizes } from "./sizes.js";

/** A matrix product of a layer: `rows` rows for each of `copies` matrices of `inputs` by `outputs`. */
export interface LayerProduct {
  readonly name: string;
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly copies: number;
}

/**
 * The matrix products of one layer around its attention: projections, and the feed-forward layer (two matrices, or three
 * with a gate). Of a mixture of experts only those that a token reaches work: tokens are spread evenly, so that
 * min(routed, tokens * active) experts see ceil(tokens * active / routed) of them each. Normalization, activation functions,
 * rotary positions, the router and the embedding are left out, as the paper leaves them out.
 */
export function layerProducts(workload: Workload, point: AttentionPoint): readonly LayerProduct[] {
  const { modelDim, feedForward, gated, experts, crossKeys } = workload;
  const queries = point.batch * point.queries;
  // Cross attention's keys are projected once, in prefill.
  const ofKeys = crossKeys === undefined ? queries : point.phase === "decode" ? 0 : point.batch * point.keys;
  const projections = Object.entries(workload.projections ?? usualProjections(workload)).map(
    ([name, { inputs, outputs, copies, onKeys }]) => ({
      name,
      rows: onKeys ? ofKeys : queries,
      inputs,
      outputs,
      copies,
    }),
  );
  const routed = experts === undefined ? 1 : Math.min(experts.routed, queries * experts.active);
  const each = experts === undefined ? queries : Math.ceil((queries * experts.active) / routed);
  const block = (of: string, rows: number, copies: number): readonly LayerProduct[] => [
    ...(gated ? [{ name: `${of} gate`, rows, inputs: modelDim, outputs: feedForward, copies }] : []),
    { name: `${of} up`, rows, inputs: modelDim, outputs: feedForward, copies },
    { name: `${of} down`, rows, inputs: feedForward, outputs: modelDim, copies },
  ];
  return [
    ...projections,
    ...block(experts === undefined ? "feed-forward" : "experts", each, routed),
    ...(experts !== undefined && experts.shared > 0 ? block("shared experts", queries, experts.shared) : []),
  ].filter(({ rows }) => rows > 0);
}

function usualProjections({ modelDim, heads, kvHeads, headDim, valueDim }: Workload) {
  const one = { copies: 1, onKeys: false };
  return {
    query: { ...one, inputs: modelDim, outputs: heads * headDim },
    key: { ...one, inputs: modelDim, outputs: kvHeads * headDim, onKeys: true },
    value: { ...one, inputs: modelDim, outputs: kvHeads * valueDim, onKeys: true },
    output: { ...one, inputs: heads * valueDim, outputs: modelDim },
  };
}

/** The sizes by which specs/mappings/product.yaml knows a product. */
export const productSizes = ({ rows, inputs, outputs, copies }: LayerProduct): Sizes =>
  checkSizes({ B: 1, H: copies, E: inputs, F: outputs, M: 1, queries: rows, modelDim: inputs, feedForward: outputs });

/** The products' design on the arrays and memories of another one. */
export const productsOn = (product: Design, design: Design): Design => ({
  ...product,
  name: `${product.name} on ${design.spec.data.name}`,
  architecture: design.architecture,
  technology: design.technology,
  mapping: productMapping(product.mapping, design),
});
