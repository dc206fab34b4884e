// Adds to the sums of a column's block in `held`, over `count` words of weights in the pages from `firstWeight` on, weights
// times values. `firstValue` is the page of the first key's first column.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: wordsAtOnce
// #import shared/eight: evens, odds
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: scratch, values
// #import shared/sixteen: addKey, heldSixteen, hold, moreOf, pageWeights
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord
fn holdWeightedValues(firstWeight: u32, firstValue: u32, column: u32, count: u32) {
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
    v += select(0u, job.valuePages, i + wordsAtOnce == pageWeights);
  }
  hold(s);
}
