import type { Window } from "../../attention/window.js";
import { UsageError } from "../../errors.js";
import type { Corner, MaskChoice } from "./choice.js";

/** What asks for a mask about the queries' own places, and at which corner. */
interface Asked {
  readonly option: string;
  readonly corner: Corner;
  /** Whether it is aligned to the corner by its name, or by default. */
  readonly named: boolean;
}

/** The masks that a run asks for, of whatever origin. */
export interface AskedMasks {
  /** --causal, or the model's: who says so, and null where nobody does. */
  readonly causal: string | null;
  /** --window, or the model's. */
  readonly window: { readonly left: number; readonly right: number; readonly option: string } | null;
  readonly masks: readonly MaskChoice[];
}

export interface MergedMasks extends Window {
  readonly corner: Corner | null;
}

/**
 * The intersection of masks that leave every query an interval of keys; files are not among them.
 * @param sequences the numbers of queries and keys of each batch
 * @throws UsageError for two corners, and for documents that do not fill the sequence
 */
export function mergeMasks(
  { causal, window, masks }: AskedMasks,
  sequences: readonly { readonly queries: number; readonly keys: number }[],
): MergedMasks {
  const asked: Asked[] = [];
  let [left, right] = [-1, -1];
  let prefix: number | undefined;
  let documents: readonly number[] | undefined;
  const narrow = (sides: { readonly left: number; readonly right: number }): void => {
    left = narrower(left, sides.left);
    right = narrower(right, sides.right);
  };
  if (causal !== null) {
    narrow({ left: -1, right: 0 });
    asked.push({ option: causal, corner: "bottom-right", named: true });
  }
  if (window !== null && (window.left >= 0 || window.right >= 0)) {
    narrow(window);
    asked.push({ option: window.option, corner: "bottom-right", named: false });
  }
  for (const mask of masks) {
    if (mask.kind === "causal") narrow({ left: -1, right: 0 });
    if (mask.kind === "window") narrow(mask);
    if (mask.kind === "causal" || mask.kind === "window") {
      const named = mask.kind === "causal" || mask.corner === "top-left";
      asked.push({ option: `--mask ${mask.kind}`, corner: mask.corner, named });
    }
    if (mask.kind === "prefix") prefix = Math.min(prefix ?? mask.keys, mask.keys);
    if (mask.kind === "document") documents = together(documents, endsOf(mask.lengths, sequences));
  }
  const corner = cornerOf(asked, sequences);
  return {
    ...{ left, right, corner },
    ...(corner === "top-left" ? { origin: 0 } : {}),
    ...(prefix === undefined ? {} : { prefix }),
    ...(documents === undefined ? {} : { documents }),
  };
}

/** Of two sides of a window the one that sees less; -1 sees all. */
const narrower = (a: number, b: number): number => (a < 0 ? b : b < 0 ? a : Math.min(a, b));

const together = (a: readonly number[] | undefined, b: readonly number[]): readonly number[] =>
  [...new Set([...(a ?? []), ...b])].sort((x, y) => x - y);

/** The corner that all are aligned to. A window that names none may be beside a named corner where the two are one. */
function cornerOf(asked: readonly Asked[], sequences: readonly { queries: number; keys: number }[]): Corner | null {
  const [first] = asked;
  const topLeft = asked.find(({ corner }) => corner === "top-left");
  const bottomRight = asked.filter(({ corner }) => corner === "bottom-right");
  const different = sequences.some(({ queries, keys }) => queries !== keys);
  const other = bottomRight.find(({ named }) => named || different);
  if (topLeft === undefined || other === undefined) return topLeft?.corner ?? first?.corner ?? null;
  throw new UsageError({
    where: topLeft.option,
    got: `the corner top-left beside ${other.option}, which is aligned to bottom-right`,
    expected: "one corner",
    fix: other.named ? "--no-causal drops the model's causal" : "--mask window:l,r:top-left",
  });
}

function endsOf(lengths: readonly number[], sequences: readonly { queries: number; keys: number }[]): number[] {
  let end = 0;
  const ends = lengths.map(length => {
    end += length;
    return end;
  });
  const wrong = sequences.find(({ queries, keys }) => queries !== keys || keys > end);
  const whole = sequences.some(({ keys }) => keys === end);
  if (wrong === undefined && whole) return ends;
  const { queries, keys } = wrong ?? sequences[0] ?? { queries: 0, keys: 0 };
  throw new UsageError({
    where: "--mask document",
    got: `documents of ${end} tokens, and ${queries} queries and ${keys} keys`,
    expected: "as many queries as keys, all of them in documents",
  });
}
