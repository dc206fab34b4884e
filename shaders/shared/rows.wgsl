// What attention-rows.wgsl and program.wgsl share beside the accumulators: their bindings, the rows of an invocation, and the
// blocked products. `job` is theirs, with keyPages and valueBlocks.
//
// Layouts, in pages of 8 x 8 words of one fp32 or two 16-bit operands, and in eights of words:
//   queries [slot / 8][E words / 8], a page: 8 words of 8 slots
//   keys    [group][m / 8][E words / 8], a page: 8 words of 8 keys
//   values  [group][m / 8][F / 16], a page: 8 keys of 16 columns (fp32: [F / 8], 8 columns)
// and state, sums and scratch as each of them says.
// A page is addressed once for all its words: finding a buffer's bounds costs SwiftShader four divisions.
//
// The prelude says how much is unrolled (RowsShape): blocksAtOnce of 8 keys or columns in registers, and wordsAtOnce.

@group(0) @binding(1) var<storage, read> blocks: array<Block>;
@group(0) @binding(2) var<storage, read> windows: array<vec2u>;
@group(0) @binding(3) var<storage, read> queries: array<Page>;
@group(0) @binding(4) var<storage, read> keys: array<SharedPage>;
@group(0) @binding(5) var<storage, read> values: array<SharedPage>;
@group(0) @binding(6) var<storage, read_write> state: array<Eight>;
@group(0) @binding(7) var<storage, read_write> sums: array<Eight>;
@group(0) @binding(8) var<storage, read_write> scratch: array<Page>;

// The 8 rows of this invocation.
var<private> slotBlock: u32;
// The keys of the whole tile.
var<private> tileBegin: u32;
var<private> tileEnd: u32;

// Sums over E of the queries and of one or two eights of keys, the pages of which begin at `firstKey`, into `held`.
fn holdScores(firstKey: u32) {
  let pages = job.keyPages;
  var s = Sixteen();
  var q = slotBlock * pages;
  var k = firstKey;
  // One loop over all pages, some words a turn: a turn costs SwiftShader ten instructions an accumulator.
  for (var w = 0u; w < pages * 8u; w += wordsAtOnce) {
    let query = &queries[q];
    let key = &keys[k];
    let i = w & 7u;
    let place = i * pageStep + pagePlace;
    let rows = (*query)[i];
    let more = (*query)[(i + 1u) & 7u];
    s.first = outerWords(s.first, spread((*key)[place]), rows);
    if (wordsAtOnce == 2u) {
      s.first = outerWords(s.first, spread((*key)[place + pageStep]), more);
    }
    if (blocksAtOnce == 2u) {
      let next = &keys[k + pages];
      s.second = outerWords(s.second, spread((*next)[place]), rows);
      if (wordsAtOnce == 2u) {
        s.second = outerWords(s.second, spread((*next)[place + pageStep]), more);
      }
    }
    q += select(0u, 1u, i + wordsAtOnce == 8u);
    k += select(0u, 1u, i + wordsAtOnce == 8u);
  }
  hold(s);
}

// Adds to the sums of a column's block in `held`, over `count` words of weights in the pages from `firstWeight` on, weights
// times values. `firstValue` is the page of the first key's first column.
fn holdWeightedValues(firstWeight: u32, firstValue: u32, column: u32, count: u32) {
  let pages = job.valueBlocks * 2u / perWord;
  var s = heldSixteen();
  var w = firstWeight;
  var v = firstValue + column / perWord;
  let odd8 = perWord == 2u && column % 2u == 1u;
  for (var t = 0u; t < count; t += wordsAtOnce) {
    let weights = &scratch[w];
    let value = &values[v];
    let i = t & (pageWeights - 1u);
    let place = i * perWord * pageStep + pagePlace;
    let one = (*weights)[i];
    s = addKey(s, spread((*value)[place]), moreOf(v, place), evens(one), odd8);
    if (perWord == 2u) {
      let next = place + pageStep;
      s = addKey(s, spread((*value)[next]), moreOf(v, next), odds(one), odd8);
    }
    if (wordsAtOnce == 2u) {
      let far = place + perWord * pageStep;
      let other = (*weights)[i + 1u];
      s = addKey(s, spread((*value)[far]), moreOf(v, far), evens(other), odd8);
      if (perWord == 2u) {
        let farther = far + pageStep;
        s = addKey(s, spread((*value)[farther]), moreOf(v, farther), odds(other), odd8);
      }
    }
    w += select(0u, 1u, i + wordsAtOnce == pageWeights);
    v += select(0u, pages, i + wordsAtOnce == pageWeights);
  }
  hold(s);
}
