// Adds to the sums of a column's block in `held` weights times values, over the keys of the tile: in steps of a tensor core from the
// tile's first key that exists, which end where a block of scales ends. A step of which a row sees no key is left out for it.
// `firstWeight` and `firstValue` are the pages of the tile's first eight of keys.
// Some keys of one word of weights: their values and weights, of even or odd keys, +0 outside of [begin, end).
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: hasValueBlocks, pLeastPower, vLeastPower
// #import program: firstKeyOfAll
// #import shared/block: Block8
// #import shared/eight: Eight, Words8, evens, floats, keptIf, odds
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: scratch, tileBegin, tileEnd, values
// #import shared/sixteen: Sixteen, heldSixteen, hold, pageWeights
// #import shared/steps: ended8, factorsOf8, largerPowers8, moreTerms8, outerOf8, powersOf, sumTerms8, topsOf8, unscaled
// #import shared/value-blocks: weightScaleOf
// #import shared/value-steps: rowsThatSee, stepEnd
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord
fn weightsIn(word: Words8, m: u32, begin: u32, end: u32, isOdd: bool) -> Eight {
  if (isOdd) {
    return keptIf(m + 1u < end, odds(word));
  }
  return keptIf(m >= begin, evens(word));
}

fn valuesAt(page: u32, place: u32, odd8: bool) -> Eight {
  let words = spread(values[page][place]);
  if (perWord == 1u) {
    return evens(words);
  }
  let a = evens(words);
  let b = odds(words);
  return Eight(select(a[0], b[0], odd8), select(a[1], b[1], odd8));
}

fn holdWeightedValues(firstWeight: u32, firstValue: u32, column: u32, count: u32) {
  let odd8 = perWord == 2u && column % 2u == 1u;
  let firstEight = tileBegin / 8u;
  var s = heldSixteen().first;
  for (var begin = max(tileBegin, firstKeyOfAll); begin < tileEnd; begin = stepEnd(begin)) {
    let end = stepEnd(begin);
    var powers = Block8();
    for (var t = begin / perWord; t * perWord < end; t += 1u) {
      let m = t * perWord;
      let eight = m / 8u - firstEight;
      let word = scratch[firstWeight + eight][t & (pageWeights - 1u)];
      let page = firstValue + eight * job.valuePages + column / perWord;
      let place = (m & 7u) * pageStep + pagePlace;
      let weights = powersOf(weightsIn(word, m, begin, end, false), pLeastPower);
      powers = largerPowers8(powers, powersOf(valuesAt(page, place, odd8), vLeastPower), weights);
      if (perWord == 2u) {
        let others = powersOf(weightsIn(word, m, begin, end, true), pLeastPower);
        powers = largerPowers8(powers, powersOf(valuesAt(page, place + pageStep, odd8), vLeastPower), others);
      }
    }
    var ofValues = unscaled;
    var ofRows = unscaled;
    if (hasValueBlocks) {
      let scales = firstValue + (begin / 8u - firstEight) * job.valuePages + job.valueBlocks * 2u / perWord + column / 8u;
      ofValues = floats(spread(values[scales][(column & 7u) * pageStep + pagePlace]));
      ofRows = weightScaleOf(begin);
    }
    let scale = outerOf8(ofValues, ofRows);
    let top = topsOf8(s, powers, scale);
    let factor = factorsOf8(top, scale, powers);
    var terms = sumTerms8(s, top);
    for (var t = begin / perWord; t * perWord < end; t += 1u) {
      let m = t * perWord;
      let eight = m / 8u - firstEight;
      let word = scratch[firstWeight + eight][t & (pageWeights - 1u)];
      let page = firstValue + eight * job.valuePages + column / perWord;
      let place = (m & 7u) * pageStep + pagePlace;
      terms = moreTerms8(terms, valuesAt(page, place, odd8), weightsIn(word, m, begin, end, false), factor);
      if (perWord == 2u) {
        let others = weightsIn(word, m, begin, end, true);
        terms = moreTerms8(terms, valuesAt(page, place + pageStep, odd8), others, factor);
      }
    }
    s = ended8(s, terms, top, rowsThatSee(begin, end));
  }
  hold(Sixteen(s, Block8()));
}
