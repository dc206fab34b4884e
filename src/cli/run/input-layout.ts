import { type Layout, sizesIn } from "../../attention/layout.js";
import type { AttentionShape, TensorShape } from "../../attention/shape.js";
import { howMany, InputError, UsageError } from "../../errors.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { withMiddleSwapped, withShape } from "../../io/tensor-views.js";
import type { StoredInputs } from "./input-shape.js";

/** How the files of a run keep their ranks. */
export interface FileLayout {
  readonly layout: Layout;
  /** Ranks of the files: 4, or fewer where a batch or a head is left out. */
  readonly ranks: number;
}

/** What tells how files keep their ranks. */
export interface LayoutOptions {
  readonly layout?: Layout;
  /** H and Hkv, where they are known from elsewhere; `bsd` needs them. */
  readonly heads?: number | undefined;
  readonly kvHeads?: number | undefined;
}

const rankNames: Readonly<Record<Layout, readonly string[]>> = {
  bhsd: ["[B, H, S, D]", "[H, S, D]", "[S, D]"],
  bshd: ["[B, S, H, D]", "[S, H, D]", "[S, D]"],
  bsd: ["[B, S, H x D]", "[S, H x D]"],
};

/** A stored tensor in any layout as [B, H, S, D]; ranks that are left out are 1. @throws InputError, UsageError */
export function asFourRanks(tensor: StoredTensor, layout: Layout, heads: number | undefined): StoredTensor {
  const { shape, where } = tensor;
  const names = rankNames[layout];
  const most = names.length === 3 ? 4 : 3;
  if (shape.length > most || shape.length < 2) {
    const fix = shape.length === 4 ? { fix: "--layout bshd reads [B, S, H, D]" } : {};
    throw wrong(where, shape, names.join(", "), fix);
  }
  if (shape.includes(0)) throw wrong(where, shape, "sizes of at least 1");
  const sizes = [...Array(most - shape.length).fill(1), ...shape] as readonly number[];
  const [a = 1, b = 1, c = 1, d = 1] = sizes;
  if (layout === "bhsd") return withShape(tensor, [a, b, c, d]);
  // [S, D] has no rank of heads to be moved.
  if (layout === "bshd") return swapped(tensor, shape.length === 2 ? [1, c, 1, d] : [a, b, c, d]);
  if (heads === undefined) {
    throw new UsageError({
      where: "--layout bsd",
      got: "no number of heads",
      expected: "--heads, and --kv-heads where keys have fewer: the files do not tell them",
    });
  }
  if (c % heads !== 0) throw wrong(where, shape, `a last size that ${howMany(heads, "head")} divide`);
  return swapped(tensor, [a, b, heads, c / heads]);
}

const swapped = (tensor: StoredTensor, sizes: TensorShape): StoredTensor =>
  sizes[1] === 1 || sizes[2] === 1
    ? withShape(tensor, [sizes[0], sizes[2], sizes[1], sizes[3]])
    : withMiddleSwapped(tensor, sizes);

const wrong = (where: string, shape: readonly number[], expected: string, fix: { readonly fix?: string } = {}) =>
  new InputError({ where, got: `shape [${shape.join(", ")}]`, expected, ...fix });

/** Q, K and V of files in any layout as [B, H, S, D]. @throws InputError, UsageError */
export function inAttentionLayout(
  { q, k, v }: StoredInputs,
  options: LayoutOptions,
): { readonly inputs: StoredInputs; readonly file: FileLayout } {
  const { heads, layout = "bhsd" } = options;
  const kvHeads = options.kvHeads ?? heads;
  if (options.layout === undefined) refuseOtherHeads(q, heads);
  const inputs = {
    q: asFourRanks(q, layout, heads),
    k: asFourRanks(k, layout, kvHeads),
    v: asFourRanks(v, layout, kvHeads),
  };
  return { inputs, file: { layout, ranks: q.shape.length } };
}

/** Three ranks may be [H, S, D] or [B, S, H x D]: a number of heads that is not the first size says that it is the other. */
function refuseOtherHeads({ where, shape }: StoredTensor, heads: number | undefined): void {
  const [first, , last = 0] = shape;
  if (shape.length !== 3 || heads === undefined || heads === first) return;
  const fix = last % heads === 0 ? { fix: "--layout bsd reads [B, S, H x D]" } : {};
  throw wrong(where, shape, `[H, S, D] with the ${howMany(heads, "head")} of --heads`, fix);
}

/**
 * What to say of shapes whose ranks may be others: heads after positions (flash-attention, JAX, Keras), and three ranks. Null
 * where nothing looks so: in decode queries are few, but keys are not.
 */
export function layoutNote(shape: AttentionShape, { q, k, v }: StoredInputs, options: LayoutOptions): string | null {
  const { heads, kvHeads, queries, keys } = shape;
  if (options.layout !== undefined && options.layout !== "bhsd") return null;
  const read = `${howMany(heads, "head")} of ${howMany(queries, "query")} and ${howMany(keys, "key")}`;
  if (heads >= 2 * queries && kvHeads >= 2 * keys) {
    return `the files are read as [B, H, S, D]: ${read}; if they are [B, S, H, D], take --layout bshd`;
  }
  if (options.layout !== undefined || options.heads !== undefined || heads === 1) return null;
  if (![q, k, v].every(({ shape: sizes }) => sizes.length === 3 && sizes[0] === heads)) return null;
  return `the files are read as [H, S, D]: ${read}; if they are [B, S, H x D], take --layout bsd and --heads`;
}

/** The sizes of AV [B, H, P, F] in files: in their layout, without the ranks that the inputs leave out. */
export function outputSizes({ layout, ranks }: FileLayout, av: TensorShape): readonly number[] {
  const sizes = sizesIn(layout, av);
  if (ranks === 2 && layout !== "bsd") return [av[2], av[3]];
  return sizes.slice(Math.max(0, sizes.length - ranks));
}
