import { type AccessOfBits, accessCosts } from "../energy.js";
import { levelsIn, type PlacedOption, type TensorCost } from "./option.js";
import type { MapperProblem } from "./problem.js";
import type { Tiling } from "./tiling.js";

type Work = ReturnType<PlacedOption["work"]>;

/** What one option costs at the sizes of the parts of its ranks. */
interface OptionCosts {
  work: Work | undefined;
  /** By tensor and the levels that keep it. */
  readonly tensors: Map<number, TensorCost>;
}

/** Sizes that are remembered, at the most: about a kilobyte each. */
const mostKnown = 50_000;

/**
 * What options cost, each worked out once for the sizes that it depends on: tilings that cut the ranks of an Einsum alike share what
 * it costs, however they cut the others.
 */
export class CostCache {
  private readonly known = new Map<string, OptionCosts>();
  readonly costs: readonly AccessOfBits[];

  constructor({ compiled, values }: MapperProblem) {
    this.costs = accessCosts(compiled, values);
  }

  of(option: PlacedOption, tiling: Tiling): OptionCosts {
    const key = `${option.id}:${sizesOf(option.einsum, tiling)}`;
    const before = this.known.get(key);
    if (before !== undefined) return before;
    if (this.known.size >= mostKnown) this.known.clear();
    const own: OptionCosts = { work: undefined, tensors: new Map() };
    this.known.set(key, own);
    return own;
  }
}

/** The sizes of the parts of an Einsum's ranks, as a text. */
export const sizesOf = ({ ranks }: PlacedOption["einsum"], { cut }: Tiling): string =>
  ranks.map(({ rank }) => `${cut[rank]?.middle}/${cut[rank]?.tile.join("x")}`).join();

/** What options cost at the sizes of one tiling, which have to be in the table of values. */
export class CostTable {
  private readonly own = new Map<number, OptionCosts>();

  constructor(
    private readonly cache: CostCache,
    private readonly tiling: Tiling,
    private readonly values: Float64Array,
  ) {}

  private of(option: PlacedOption): OptionCosts {
    const found = this.own.get(option.id) ?? this.cache.of(option, this.tiling);
    this.own.set(option.id, found);
    return found;
  }

  work(option: PlacedOption): Work {
    const costs = this.of(option);
    costs.work ??= option.work(this.values);
    return costs.work;
  }

  /** @param kept the levels that keep the tensor, as bits */
  tensor(option: PlacedOption, t: number, kept: number): TensorCost {
    const { tensors } = this.of(option);
    const key = t * 2 ** 20 + kept;
    const found = tensors.get(key) ?? option.tensor(t, levelsIn(kept), this.values, this.cache.costs);
    tensors.set(key, found);
    return found;
  }
}
