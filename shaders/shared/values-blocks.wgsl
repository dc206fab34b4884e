// Adds to the sums of a column's block in `held` weights times values, over the keys of the tile: block by block from +0, times
// the scales of the blocks. A block ends where one of the weights' ends, counted from the tile's first key, or one of the values',
// counted from key 0. `firstWeight` and `firstValue` are the pages of the tile's first eight of keys.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: blocksAtOnce, valueBlock, wholeBlocks
// #import shared/eight: floats, keptIf
// #import shared/fours: Fours, fours
// #import shared/page-fours: columnFours, weightFours
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: tileBegin, tileEnd, values
// #import shared/scaled: addScaled
// #import shared/sixteen: Sixteen, addFourKeys, heldSixteen, hold
// #import shared/sixteens: outerSixteens, sixteens
// #import shared/value-blocks: blockEnd, weightScaleOf, weightsWithin
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord
fn holdWeightedValues(firstWeight: u32, firstValue: u32, column: u32, count: u32) {
  let odd8 = perWord == 2u && column % 2u == 1u;
  let operandPages = job.valueBlocks * 2u / perWord;
  var s = heldSixteen();
  for (var begin = tileBegin; begin < tileEnd; begin = blockEnd(begin)) {
    let end = blockEnd(begin);
    let firstPage = begin / 8u - tileBegin / 8u;
    var w = firstWeight + firstPage;
    var v = firstValue + firstPage * job.valuePages + column / perWord;
    var u = Sixteen();
    if (blockIsPages) {
      u = sixteenKeys(w, v, begin + 8u < end);
    } else {
      for (var m = begin - begin % 4u; m < end; m += 4u) {
        let i = m & 7u;
        u = addFourKeys(u, columnFours(v, i, odd8), weightsWithin(weightFours(w, i / perWord), m, begin, end));
        w += select(0u, 1u, i == 4u);
        v += select(0u, job.valuePages, i == 4u);
      }
    }
    let ofRows = weightScaleOf(begin);
    let page = firstValue + firstPage * job.valuePages + operandPages + column / 8u;
    let place = (column & 7u) * pageStep + pagePlace;
    s.first = addScaled(s.first, u.first, floats(spread(values[page][place])), ofRows);
    if (blocksAtOnce == 2u) {
      s.second = addScaled(s.second, u.second, floats(spread(values[page][place + pageStep])), ofRows);
    }
  }
  hold(s);
}

// Whether a block's keys are those of two pages, which are then multiplied without a loop.
const blockIsPages = valueBlock == 16u && perWord == 2u && blocksAtOnce == 2u && wholeBlocks;

// A block of sixteen keys, or of eight, whose weights are on the pages from w on, and whose values from v on.
fn sixteenKeys(w: u32, v: u32, hasMore: bool) -> Sixteen {
  let nextWeights = select(w, w + 1u, hasMore);
  let nextValues = select(v, v + job.valuePages, hasMore);
  let weights = sixteens(
    foursWhere(true, w, 0u),
    foursWhere(true, w, 2u),
    foursWhere(hasMore, nextWeights, 0u),
    foursWhere(hasMore, nextWeights, 2u),
  );
  let a = columnFours(v, 0u, false);
  let b = columnFours(v, 4u, false);
  let c = columnFours(nextValues, 0u, false);
  let d = columnFours(nextValues, 4u, false);
  return Sixteen(
    outerSixteens(sixteens(a[0], b[0], c[0], d[0]), weights),
    outerSixteens(sixteens(a[1], b[1], c[1], d[1]), weights),
  );
}

fn foursWhere(isThere: bool, page: u32, word: u32) -> Fours {
  let weights = weightFours(page, word);
  return fours(
    keptIf(isThere, weights[0]),
    keptIf(isThere, weights[1]),
    keptIf(isThere, weights[2]),
    keptIf(isThere, weights[3]),
  );
}
