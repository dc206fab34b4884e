// Four operands at a time from the pages of rows.wgsl.
// #import host: blocksAtOnce
// #import shared/eight: Eight, evens, floats, odds
// #import shared/fours: Fours, fours, foursOf
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: keys, queries, scratch, values
// #import shared/sixteen: firstColumns
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord

// Words that hold four operands.
const fourWords = 4u / perWord;

fn rowFours(page: u32, word: u32) -> Fours {
  let words = &queries[page];
  if (perWord == 1u) {
    return fours(
      floats((*words)[word]),
      floats((*words)[word + 1u]),
      floats((*words)[word + 2u]),
      floats((*words)[word + 3u]),
    );
  }
  return foursOf((*words)[word], (*words)[word + 1u]);
}

fn keyFours(page: u32, word: u32) -> Fours {
  let words = &keys[page];
  let place = word * pageStep + pagePlace;
  let a = spread((*words)[place]);
  let b = spread((*words)[place + pageStep]);
  if (perWord == 1u) {
    return fours(
      floats(a),
      floats(b),
      floats(spread((*words)[place + 2u * pageStep])),
      floats(spread((*words)[place + 3u * pageStep])),
    );
  }
  return foursOf(a, b);
}

// The rows' weights of four keys.
fn weightFours(page: u32, word: u32) -> array<Eight, 4> {
  let words = &scratch[page];
  let a = (*words)[word];
  let b = (*words)[word + 1u];
  if (perWord == 1u) {
    return array<Eight, 4>(floats(a), floats(b), floats((*words)[word + 2u]), floats((*words)[word + 3u]));
  }
  return array<Eight, 4>(evens(a), odds(a), evens(b), odds(b));
}

// Columns of four keys from `key` of a page on: those of the first block of accumulators, and of the second if there is one.
fn columnFours(v: u32, key: u32, odd8: bool) -> array<Fours, 2> {
  let words = &values[v];
  let place = key * pageStep + pagePlace;
  let a = spread((*words)[place]);
  let b = spread((*words)[place + pageStep]);
  let c = spread((*words)[place + 2u * pageStep]);
  let d = spread((*words)[place + 3u * pageStep]);
  let first = fours(firstColumns(a, odd8), firstColumns(b, odd8), firstColumns(c, odd8), firstColumns(d, odd8));
  if (blocksAtOnce == 1u) {
    return array<Fours, 2>(first, first);
  }
  if (perWord == 2u) {
    return array<Fours, 2>(first, fours(odds(a), odds(b), odds(c), odds(d)));
  }
  let more = &values[v + 1u];
  let second = fours(
    floats(spread((*more)[place])),
    floats(spread((*more)[place + pageStep])),
    floats(spread((*more)[place + 2u * pageStep])),
    floats(spread((*more)[place + 3u * pageStep])),
  );
  return array<Fours, 2>(first, second);
}
