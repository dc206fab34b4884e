// Adds to the sums of a column's block in `held`, over `count` words of weights in the pages from `firstWeight` on, weights
// times values. `firstValue` is the page of the first key's first column.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: blocksAtOnce
// #import shared/block: outer8
// #import shared/eight: evens, odds
// #import shared/fours: fours
// #import shared/page-fours: columnFours, fourWords, weightFours
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: scratch, values
// #import shared/sixteen: addFourKeys, firstColumns, heldSixteen, hold, pageWeights
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord
fn holdWeightedValues(firstWeight: u32, firstValue: u32, column: u32, count: u32) {
  // With two blocks four keys per iteration, else those of a word.
  const stepWords = select(1u, fourWords, blocksAtOnce == 2u);
  var s = heldSixteen();
  var w = firstWeight;
  var v = firstValue + column / perWord;
  let odd8 = perWord == 2u && column % 2u == 1u;
  for (var t = 0u; t < count; t += stepWords) {
    let i = t & (pageWeights - 1u);
    if (blocksAtOnce == 2u) {
      let weights = weightFours(w, i);
      s = addFourKeys(s, columnFours(v, i * perWord, odd8), fours(weights[0], weights[1], weights[2], weights[3]));
    } else {
      let value = &values[v];
      let weights = scratch[w][i];
      let place = i * perWord * pageStep + pagePlace;
      s.first = outer8(s.first, firstColumns(spread((*value)[place]), odd8), evens(weights));
      if (perWord == 2u) {
        s.first = outer8(s.first, firstColumns(spread((*value)[place + pageStep]), odd8), odds(weights));
      }
    }
    w += select(0u, 1u, i + stepWords == pageWeights);
    v += select(0u, job.valuePages, i + stepWords == pageWeights);
  }
  hold(s);
}
