// Adds to the sums of a column's block in `held` weights times values, over the keys of the tile: block by block from +0, times
// the scales of the blocks. A block ends where one of the weights' ends, counted from the tile's first key, or one of the values',
// counted from key 0. `firstWeight` and `firstValue` are the pages of the tile's first eight of keys.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: blocksAtOnce
// #import shared/eight: evens, floats, odds
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: scratch, tileBegin, tileEnd, values
// #import shared/scaled: addScaled
// #import shared/sixteen: Sixteen, addKey, heldSixteen, hold, moreOf
// #import shared/value-blocks: blockEnd, weightScaleOf, within
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
    // Two words per iteration, whose places on their pages need no division.
    for (var m = begin - begin % (2u * perWord); m < end; m += 2u * perWord) {
      let value = &values[v];
      let weights = &scratch[w];
      let i = m & 7u;
      let place = i * pageStep + pagePlace;
      let one = (*weights)[i / perWord];
      let other = (*weights)[i / perWord + 1u];
      u = addKey(u, spread((*value)[place]), moreOf(v, place), within(m >= begin, evens(one)), odd8);
      if (perWord == 2u) {
        let next = place + pageStep;
        let isIn = (m + 1u >= begin) & (m + 1u < end);
        u = addKey(u, spread((*value)[next]), moreOf(v, next), within(isIn, odds(one)), odd8);
      }
      let far = place + perWord * pageStep;
      let isIn = (m + perWord >= begin) & (m + perWord < end);
      u = addKey(u, spread((*value)[far]), moreOf(v, far), within(isIn, evens(other)), odd8);
      if (perWord == 2u) {
        let farther = far + pageStep;
        u = addKey(u, spread((*value)[farther]), moreOf(v, farther), within(m + 3u < end, odds(other)), odd8);
      }
      let isLast = i + 2u * perWord == 8u;
      w += select(0u, 1u, isLast);
      v += select(0u, job.valuePages, isLast);
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
