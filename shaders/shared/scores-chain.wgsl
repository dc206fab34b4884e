// Sums over E of the queries and of one or two eights of keys, the pages of which begin at `firstKey`, into `held`.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: blocksAtOnce
// #import shared/block: outerWord
// #import shared/fours: outerFours
// #import shared/page-fours: fourWords, keyFours, rowFours
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: keys, queries, slotBlock
// #import shared/sixteen: Sixteen, hold
fn holdScores(firstKey: u32) {
  // With two blocks four operands per iteration, else a word.
  const stepWords = select(1u, fourWords, blocksAtOnce == 2u);
  var s = Sixteen();
  var q = slotBlock * job.keyPages;
  var k = firstKey;
  // One loop over all pages: an iteration costs SwiftShader ten instructions per accumulator.
  for (var w = 0u; w < job.operandPages * 8u; w += stepWords) {
    let i = w & 7u;
    if (blocksAtOnce == 2u) {
      let rows = rowFours(q, i);
      s.first = outerFours(s.first, keyFours(k, i), rows);
      s.second = outerFours(s.second, keyFours(k + job.keyPages, i), rows);
    } else {
      s.first = outerWord(s.first, spread(keys[k][i * pageStep + pagePlace]), queries[q][i]);
    }
    q += select(0u, 1u, i + stepWords == 8u);
    k += select(0u, 1u, i + stepWords == 8u);
  }
  hold(s);
}
