import { z } from "zod/mini";
import { unevenGroups } from "../attention/heads.js";
import { described } from "./fields.js";

export const phases = ["prefill", "decode"] as const;
/** Prefill: all queries of a sequence at once. Decode: a few new queries against the keys so far. */
export type Phase = (typeof phases)[number];

/** A model's sizes; the sequence comes from the command line. */
export interface Workload {
  readonly name: string;
  readonly source: string;
  readonly batch: number;
  readonly heads: number;
  /** Key/value heads; query heads share them in equal groups. */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
  /** The width whose square root divides the scores; headDim, but for the absorbed form of latent attention. */
  readonly scaleDim: number;
  /** The factor of the scores, where it is not one over that square root. */
  readonly scale: number | undefined;
  /** What scores are capped at by tanh, in score units. */
  readonly softcap: number | undefined;
  /** What is added to the scores beside, in words: its values come with the tensors. */
  readonly bias: string | undefined;
  /** D of the paper's table: the width of a token between layers. */
  readonly modelDim: number;
  /** S: the width of the feed-forward layer, or of one expert. */
  readonly feedForward: number;
  /** Whether the feed-forward layer has a gate: a third matrix, as large as the first. */
  readonly gated: boolean;
  readonly experts: Experts | undefined;
  readonly phases: readonly Phase[];
  readonly causal: boolean;
  /** Its layers by the keys they see: one kind, or several where local and global layers alternate. */
  readonly kinds: readonly LayerKind[];
  /** Most positions the model was made for. */
  readonly context: number | undefined;
  /** Keys of another sequence of fixed length, in place of the queries' own: cross attention. */
  readonly crossKeys: number | undefined;
  /** Each value is the first part of its key: one tensor in memory (the absorbed form of latent attention). */
  readonly valuesInKeys: boolean;
  /** The matrix products around attention by name, where they are not the usual four. */
  readonly projections: Readonly<Record<string, Projection>> | undefined;
}

/** A mixture of experts: `active` of `routed` and all `shared` ones work on a token. */
export interface Experts {
  readonly routed: number;
  readonly active: number;
  readonly shared: number;
}

export interface LayerKind {
  /** What this kind is called where there are several; null for the only one. */
  readonly name: string | null;
  readonly layers: number;
  /** Keys to the left and to the right of a query's own; -1: unbounded. */
  readonly window: readonly [left: number, right: number];
}

/** A product of each token's `inputs` values with a matrix, `copies` times with its own part of them. */
export interface Projection {
  readonly inputs: number;
  readonly outputs: number;
  readonly copies: number;
  /** Whether it works on the keys' side: in cross attention, once for all queries. */
  readonly onKeys: boolean;
}

const size = z.int().check(z.positive());
const window = z.tuple([z.int().check(z.minimum(-1)), z.int().check(z.minimum(-1))]);

const written = z
  .strictObject({
    name: described("Its name.", z.string()),
    source: described("Where its sizes come from.", z.string()),
    batch: described("Sequences at once.", size),
    heads: described("Query heads.", size),
    kvHeads: described(
      "Key and value heads, which query heads share in equal groups (default: heads).",
      z.optional(size),
    ),
    headDim: described("Width of a query and a key.", size),
    valueDim: described("Width of a value.", size),
    scaleDim: described("The width whose square root divides the scores (default: headDim).", z.optional(size)),
    scale: described("Factor of the scores (default: one over that root).", z.optional(z.number().check(z.positive()))),
    softcap: described("What scores are capped at by tanh.", z.optional(z.number().check(z.positive()))),
    bias: described("What is added to scores beside, in words.", z.optional(z.string())),
    modelDim: described("Width of a token between layers.", size),
    feedForward: described("Width of the feed-forward layer, or of one expert.", size),
    gated: described("Whether the feed-forward layer has a gate.", z._default(z.boolean(), false)),
    experts: described(
      "A mixture of experts.",
      z.optional(
        z.strictObject({
          routed: described("Experts that a router chooses from.", size),
          active: described("Those that work on a token.", size),
          shared: described("Experts that work on every token.", z.int().check(z.nonnegative())),
        }),
      ),
    ),
    phases: described(
      "What it does: prefill, decode.",
      z._default(z.array(z.enum(phases)).check(z.minLength(1)), ["prefill"]),
    ),
    causal: described("Whether a query sees no later key.", z._default(z.boolean(), false)),
    layers: described("Layers, all of one kind (default 1).", z.optional(size)),
    window: described("Keys left and right of a query's own that it sees; -1: all.", z.optional(window)),
    kinds: described(
      "Kinds of layers by name, where they differ.",
      z.optional(
        z.record(
          z.string(),
          z.strictObject({
            layers: described("Layers of this kind.", size),
            window: described("Keys left and right of a query's own that it sees; -1: all.", z.optional(window)),
          }),
        ),
      ),
    ),
    context: described("Most positions that it was made for.", z.optional(size)),
    crossKeys: described("Keys of another sequence of that length: cross attention.", z.optional(size)),
    valuesInKeys: described("Whether each value is the first part of its key.", z._default(z.boolean(), false)),
    projections: described(
      "The matrix products around attention by name, where they are not the usual four.",
      z.optional(
        z.record(
          z.string(),
          z.strictObject({
            inputs: described("Values of a token that go in.", size),
            outputs: described("Values that come out.", size),
            copies: described("Matrices, each for a part of its own.", z._default(size, 1)),
            onKeys: described("Whether it works on the keys' side.", z._default(z.boolean(), false)),
          }),
        ),
      ),
    ),
  })
  .check(
    z.refine(({ heads, kvHeads = heads }) => unevenGroups({ heads, kvHeads }) === null, {
      path: ["kvHeads"],
      error: "a divisor of the query heads",
    }),
    z.refine(({ valuesInKeys, headDim, valueDim }) => !valuesInKeys || valueDim <= headDim, {
      path: ["valuesInKeys"],
      error: "values no wider than keys",
    }),
    z.refine(({ experts }) => experts === undefined || experts.active <= experts.routed, {
      path: ["experts", "active"],
      error: "at most the routed experts",
    }),
  );

export const workloadSchema: z.ZodMiniType<Workload> = z.pipe(
  written,
  z.transform(({ kinds, layers = 1, window = [-1, -1], kvHeads, ...rest }: z.output<typeof written>) => ({
    ...rest,
    kvHeads: kvHeads ?? rest.heads,
    scaleDim: rest.scaleDim ?? rest.headDim,
    experts: rest.experts,
    context: rest.context,
    crossKeys: rest.crossKeys,
    projections: rest.projections,
    ...{ scale: rest.scale, softcap: rest.softcap, bias: rest.bias },
    kinds:
      kinds === undefined
        ? [{ name: null, layers, window }]
        : Object.entries(kinds).map(([name, kind]) => ({
            name,
            layers: kind.layers,
            window: kind.window ?? ([-1, -1] as [number, number]),
          })),
  })),
);
