import type { StreamPlan, Words } from "./stream-plan.js";

/** What a mask leaves of the streamed rank, in classes of rows that see as many of its coordinates. */
export interface SeenKeys {
  /** By class, how many coordinates one of its rows sees. */
  readonly keys: ArrayLike<number>;
  /** By class, how many rows it has. */
  readonly rows: ArrayLike<number>;
  /** Coordinates that some row sees. */
  readonly seenKeys: number;
}

export interface TrafficBound {
  /** Between DRAM and the buffer, in words, or in what `elementSize` counts. */
  readonly words: number;
  /** Of those, what every mapping moves. */
  readonly compulsoryWords: number;
  /** Tensors that go to DRAM between passes in the mapping that attains the bound. */
  readonly spilled: readonly string[];
  /** Rows of a block in that mapping, their mean under a mask; all where the streamed inputs are read once. */
  readonly rowsPerBlock: number;
}

/**
 * The least words between DRAM and a buffer of `bufferWords` words for any mapping of the cascade that
 *
 * - computes every point of every Einsum once, but for those that a mask hides,
 * - takes the rows in blocks, and for each block runs through all of the streamed rank that its rows see, pass by pass,
 * - and between two passes holds the block's live fibers in the buffer, or writes them to DRAM and reads them back.
 *
 * A block b whose rows keep q_r words each has the buffer S for them and for streamed words that stay from block to block. Where a row sees
 * at most m_b streamed words it reads at least m_b - (S - sum of q_r) of them. Rows that see less than S cost at least the lesser of
 * q_r s_r / S (nothing stays) and s_r + q_r - S (all stays that a row by itself leaves room for). Of the others no block holds more than S
 * in q_r: the k-th largest m_b is at least what the row sees at which the sum of q_r, rows that see most first, passes (k - 1) S, and
 * there are at least so many blocks; as no m_b is below S, the least of all is the sum of q_r and of m_b - S over these. The bound is the
 * sum of both, or all that is seen once, with the least over which fibers are spilled. Where it is what is compulsory, no mapping
 * whatever is below it, such as one that splits the streamed rank.
 * @param elementSize of a tensor's element where they differ: bytes of it, with the buffer in bytes
 * @param seen what a mask leaves; without it every row sees all
 */
export function trafficBound(
  plan: StreamPlan,
  sizeOf: (rank: string) => number,
  bufferWords: number,
  elementSize: (tensor: string) => number = () => 1,
  seen: SeenKeys = everyKey(sizeOf(plan.streamedRank), sizeOf(plan.rowsRank)),
): TrafficBound {
  const { streamedRank, rowsRank } = plan;
  const isStreamed = ({ ranks }: Words): boolean => ranks.includes(streamedRank);
  /** Words of one row and one coordinate of the streamed rank. */
  const ofPoint = ({ tensor, ranks }: Words): number =>
    ranks.reduce(
      (product, rank) => (rank === streamedRank || rank === rowsRank ? product : product * sizeOf(rank)),
      elementSize(tensor),
    );
  const ofRow = (w: Words, keys: number): number => ofPoint(w) * (isStreamed(w) ? keys : 1);
  const rows = sumOver(seen, keys => (keys > 0 ? 1 : 0));
  const points = sumOver(seen, keys => keys);
  const count = (w: Words): number => {
    const [perRow, perKey] = [w.ranks.includes(rowsRank), isStreamed(w)];
    return ofPoint(w) * (perRow && perKey ? points : perRow ? rows : perKey ? seen.seenKeys : 1);
  };
  const total = (tensors: readonly Words[]): number => tensors.reduce((sum, w) => sum + count(w), 0);
  const compulsoryWords = total([...plan.compulsory, ...plan.streams]);
  const boundaries = plan.crossing.length;
  const state = boundaries === 0 ? plan.rowState.reduce((sum, w) => sum + ofPoint(w), 0) : 0;
  const mostFirst = Uint32Array.from(seen.keys, (_, i) => i).sort(
    (a, b) => (seen.keys[b] as number) - (seen.keys[a] as number),
  );
  let best: TrafficBound | null = null;
  for (let subset = 0; subset < 2 ** boundaries; subset += 1) {
    const isSpilled = (q: number): boolean => ((subset >> q) & 1) === 1;
    let words = total(plan.compulsory);
    const spilled: string[] = [];
    let rowsPerBlock = sizeOf(rowsRank);
    for (let first = 0; first <= boundaries; ) {
      let last = first;
      while (last < boundaries && !isSpilled(last)) last += 1;
      const held = plan.crossing.slice(first, last).flat();
      const [perKey, ofOthers] = [largest(held, isStreamed, ofPoint), largest(held, w => !isStreamed(w), ofPoint)];
      const ofRowKept = (keys: number): number => Math.max(state, ofOthers, perKey * keys);
      const streams = plan.streams.filter(s => s.passes.some(pass => pass - 1 >= first && pass - 1 <= last));
      const streamed = streams.reduce((sum, w) => sum + ofPoint(w), 0);
      // Of a fiber longer than the buffer the rest goes to DRAM even where a block is a single row.
      for (const w of held) words += w.moves * sumOver(seen, keys => Math.max(0, ofRow(w, keys) - bufferWords));
      const [once, again] = [
        streamed * seen.seenKeys,
        leastReading(seen, mostFirst, keys => streamed * keys, ofRowKept, bufferWords),
      ];
      words += Math.max(once, again.words);
      if (again.words > once) {
        rowsPerBlock = Math.min(rowsPerBlock, Math.max(1, (points * streamed) / again.ofFractions));
      }
      if (last < boundaries) {
        for (const w of plan.crossing[last] ?? []) {
          words += count(w) * w.moves;
          spilled.push(w.tensor);
        }
      }
      first = last + 1;
    }
    if (best === null || words < best.words) best = { words, compulsoryWords, spilled, rowsPerBlock };
  }
  return best as TrafficBound;
}

/**
 * The streamed words that all blocks read; and if blocks could be fractions.
 * @param mostFirst classes of rows, those that see most first
 * @param wordsOf streamed words that a row sees, by its keys
 * @param keptOf what it keeps beside
 */
function leastReading(
  { keys, rows }: SeenKeys,
  mostFirst: Uint32Array,
  wordsOf: (keys: number) => number,
  keptOf: (keys: number) => number,
  bufferWords: number,
): { readonly words: number; readonly ofFractions: number } {
  let [words, ofFractions, mass, blocks] = [0, 0, 0, 0];
  for (const i of mostFirst) {
    const [own, count] = [keys[i] as number, rows[i] as number];
    const seen = wordsOf(own);
    const kept = Math.min(keptOf(own), bufferWords);
    const least = count * Math.min((seen * kept) / bufferWords, Math.max(0, seen + kept - bufferWords));
    ofFractions += least;
    if (seen < bufferWords) {
      words += least;
      continue;
    }
    mass += kept * count;
    // A block of rows for each time that the buffer is filled, and one for the rest; sums are floating-point.
    const all = Math.ceil((mass / bufferWords) * (1 - 1e-12));
    words += kept * count + (all - blocks) * (seen - bufferWords);
    blocks = all;
  }
  return { words, ofFractions };
}

const everyKey = (keys: number, rows: number): SeenKeys => ({ keys: [keys], rows: [rows], seenKeys: keys });

function sumOver({ keys, rows }: SeenKeys, of: (keys: number) => number): number {
  let sum = 0;
  for (let i = 0; i < keys.length; i += 1) sum += (rows[i] as number) * of(keys[i] as number);
  return sum;
}

const largest = (tensors: readonly Words[], among: (w: Words) => boolean, of: (w: Words) => number): number =>
  tensors.reduce((most, w) => (among(w) ? Math.max(most, of(w)) : most), 0);
