// Sums over E of the queries and of one eight of keys, the pages of which begin at `firstKey`, into `held`: in steps of a tensor core,
// which end where a block of scales ends.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: dotBlock, hasKeyBlocks, kLeastPower, qLeastPower
// #import shared/block: Block8
// #import shared/eight: evens, floats, odds
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: keys, queries, slotBlock
// #import shared/sixteen: Sixteen, hold
// #import shared/steps: allRows, ended8, factorsOf8, largerPowers8, moreTerms8, outerOf8, powersOf, sumTerms8, topsOf8, unscaled
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord
fn holdScores(firstKey: u32) {
  const stepWords = dotBlock / perWord;
  let words = (job.headDim + perWord - 1u) / perWord;
  let firstQuery = slotBlock * job.keyPages;
  var s = Block8();
  for (var begin = 0u; begin < words; begin += stepWords) {
    let end = min(begin + stepWords, words);
    var powers = Block8();
    for (var w = begin; w < end; w += 1u) {
      let rows = queries[firstQuery + w / 8u][w & 7u];
      let others = spread(keys[firstKey + w / 8u][(w & 7u) * pageStep + pagePlace]);
      powers = largerPowers8(powers, powersOf(evens(others), kLeastPower), powersOf(evens(rows), qLeastPower));
      if (perWord == 2u) {
        powers = largerPowers8(powers, powersOf(odds(others), kLeastPower), powersOf(odds(rows), qLeastPower));
      }
    }
    var ofKeys = unscaled;
    var ofRows = unscaled;
    if (hasKeyBlocks) {
      let n = begin / stepWords;
      let page = job.operandPages + n / 8u;
      ofKeys = floats(spread(keys[firstKey + page][(n & 7u) * pageStep + pagePlace]));
      ofRows = floats(queries[firstQuery + page][n & 7u]);
    }
    let scale = outerOf8(ofKeys, ofRows);
    let top = topsOf8(s, powers, scale);
    let factor = factorsOf8(top, scale, powers);
    var terms = sumTerms8(s, top);
    for (var w = begin; w < end; w += 1u) {
      let rows = queries[firstQuery + w / 8u][w & 7u];
      let others = spread(keys[firstKey + w / 8u][(w & 7u) * pageStep + pagePlace]);
      terms = moreTerms8(terms, evens(others), evens(rows), factor);
      if (perWord == 2u) {
        terms = moreTerms8(terms, odds(others), odds(rows), factor);
      }
    }
    s = ended8(s, terms, top, allRows);
  }
  hold(Sixteen(s, Block8()));
}
