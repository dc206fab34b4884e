/**
 * SentencePiece unigram tokenizer: the segmentation of a text into known pieces whose log-probabilities sum highest
 * (Kudo, "Subword Regularization", 2018, section 3), found by a Viterbi search over the text's characters.
 *
 * It gives the ids of the tokenizer that the model is served with (`@energetic-ai/embeddings`, itself from TensorFlow.js),
 * peculiarities included, because those ids are what the weights were made for.
 */

/** Pieces with their log-probabilities; a piece's id is its place. The first entries are reserved, 0 is "unknown". */
export type Vocabulary = readonly (readonly [piece: string, score: number])[];

export interface Tokenizer {
  /** The ids of the text's pieces; a run of unknown characters becomes one 0. */
  encode(text: string): number[];
  /** The piece of an id, for reports. */
  pieceOf(id: number): string;
}

/** Unknown, start, end and three spare entries, none of which a text can produce. */
const reserved = 6;
/** "▁", which stands for a space. */
const space = "\u2581";
const unknown = { id: 0, score: 0 } as const;

export function createTokenizer(vocabulary: Vocabulary): Tokenizer {
  const pieces = new Map<string, { readonly id: number; readonly score: number }>();
  let longest = 1;
  for (const [id, [piece, score]] of vocabulary.entries()) {
    if (id < reserved) continue;
    pieces.set(piece, { id, score });
    longest = Math.max(longest, [...piece].length);
  }

  const encode = (text: string): number[] => {
    const characters = [...withVisibleSpaces(text)];
    // best[end]: score of the best segmentation of the characters before `end`; last[end]: the id of its last piece.
    // Zero means "none yet". A place where no piece ends keeps these zeros and so reads as an unknown character
    // at no cost: the served tokenizer does the same.
    const best = new Float64Array(characters.length + 1);
    const last = new Int32Array(characters.length + 1);
    for (let start = 0; start < characters.length; start++) {
      const offer = (end: number, { id, score }: { readonly id: number; readonly score: number }): void => {
        const total = score + (best[start] as number);
        // Of equals the later start wins, that is the shorter last piece.
        if (best[end] !== 0 && total < (best[end] as number)) return;
        best[end] = total;
        last[end] = id;
      };
      let piece = "";
      let matched = false;
      for (let end = start + 1; end <= Math.min(start + longest, characters.length); end++) {
        piece += characters[end - 1];
        const known = pieces.get(piece);
        if (known === undefined) continue;
        matched = true;
        offer(end, known);
      }
      if (!matched) offer(start + 1, unknown);
    }

    const ids: number[] = [];
    for (let end = characters.length; end > 0; ) {
      const id = last[end] as number;
      if (id !== 0 || ids.at(-1) !== 0) ids.push(id);
      end -= id === 0 ? 1 : [...pieceOf(id)].length;
    }
    return ids.reverse();
  };

  const pieceOf = (id: number): string => vocabulary[id]?.[0] ?? "\ufffd";
  return { encode, pieceOf };
}

/** Compatibility forms folded (NFKC), spaces made visible, one in front of the first word. */
function withVisibleSpaces(text: string): string {
  const normalized = text.normalize("NFKC");
  return normalized === "" ? "" : space + normalized.replaceAll(" ", space);
}
