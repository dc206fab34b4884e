// Sums over E of the queries and of one or two eights of keys, the pages of which begin at `firstKey`, into `held`: in steps of a
// tensor core, which end where a block of scales ends.
fn holdScores(firstKey: u32) {
  for (var half = 0u; half < blocksAtOnce; half += 1u) {
    startSums(half, false);
    addKeySteps(firstKey + half * job.keyPages);
    holdSums(half);
  }
}

fn addKeySteps(firstKey: u32) {
  const stepWords = dotBlock / perWord;
  let words = (job.headDim + perWord - 1u) / perWord;
  let firstQuery = slotBlock * job.keyPages;
  for (var begin = 0u; begin < words; begin += stepWords) {
    let end = min(begin + stepWords, words);
    var powers = Block8();
    for (var w = begin; w < end; w += 1u) {
      let rows = queries[firstQuery + w / 8u][w & 7u];
      let others = spread(keys[firstKey + w / 8u][(w & 7u) * pageStep + pagePlace]);
      powers = largerPowers8(powers, powersOf(evens(others), kLeastNormal), powersOf(evens(rows), qLeastNormal));
      if (perWord == 2u) {
        powers = largerPowers8(powers, powersOf(odds(others), kLeastNormal), powersOf(odds(rows), qLeastNormal));
      }
    }
    if (!hasKeyBlocks) {
      startStep(powers, unscaled, unscaled);
    } else {
      let n = begin / stepWords;
      let page = job.operandPages + n / 8u;
      let ofKeys = floats(spread(keys[firstKey + page][(n & 7u) * pageStep + pagePlace]));
      startStep(powers, ofKeys, floats(queries[firstQuery + page][n & 7u]));
    }
    for (var group = begin; group < end; group += groupProducts / perWord) {
      let factor = factorsOf();
      var terms = Terms8();
      for (var w = group; w < min(group + groupProducts / perWord, end); w += 1u) {
        let rows = queries[firstQuery + w / 8u][w & 7u];
        let others = spread(keys[firstKey + w / 8u][(w & 7u) * pageStep + pagePlace]);
        terms = moreTerms8(terms, evens(others), evens(rows), factor);
        if (perWord == 2u) {
          terms = moreTerms8(terms, odds(others), odds(rows), factor);
        }
      }
      foldTerms(terms);
    }
    endStep(allRows);
  }
}
