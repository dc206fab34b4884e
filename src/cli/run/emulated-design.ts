import { groupOf } from "../../attention/heads.js";
import type { AttentionProblem, CascadeSource } from "../../attention/problem.js";
import type { AttentionShape } from "../../attention/shape.js";
import type { Tile } from "../../attention/tile.js";
import { type Cascade, parseCascade } from "../../einsum/cascade.js";
import { rolesOf } from "../../einsum/roles.js";
import { requireAttention } from "../../emulator/attends.js";
import { isOnePass } from "../../emulator/one-pass.js";
import { UsageError } from "../../errors.js";
import type { Design } from "../../spec/design.js";
import { tileOf } from "../../spec/tile.js";

/** What a run emulates. */
export interface RunDesign {
  readonly design: Design;
  readonly cascade: Cascade;
}

/**
 * A design with the cascade whose values are computed.
 * @throws UsageError for a design without one, SpecError or InputError for one that does not compute attention.
 */
export function emulatedDesign(design: Design, cascade = design.cascade): RunDesign {
  if (cascade === undefined) {
    throw new UsageError({
      where: "--design",
      got: `${design.name}, which names no cascade`,
      expected: "a design with a cascade, whose values can be emulated",
      fix: "--cascade FILE gives one",
    });
  }
  if (!isOnePass(cascade)) requireAttention(cascade);
  return { design, cascade };
}

/** The tile of the design's mapping for a shape. */
export function tileOfDesign({ design, cascade }: RunDesign, shape: AttentionShape): Tile {
  const { keys, queries } = rolesOf(cascade);
  const { headDim: E, valueDim: F, keys: M, batch: B, kvHeads: H } = shape;
  return tileOf(design, { keys, queries }, { E, F, M, B, H, queries: shape.queries, group: groupOf(shape) });
}

/** The text of a cascade for the problem; none where it is FuseMax's own, for which engines have kernels. */
export function sourceOf({ cascade }: RunDesign): Pick<AttentionProblem, "cascade"> {
  if (isOnePass(cascade)) return {};
  const source: CascadeSource = { name: cascade.name, text: cascade.source.lines.join("\n") };
  parseCascade(source.text, source.name);
  return { cascade: source };
}
