// Sums over E of the queries and of one or two eights of keys, the pages of which begin at `firstKey`, into `held`.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: blocksAtOnce, wordsAtOnce
// #import shared/block: outerWords
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: keys, queries, slotBlock
// #import shared/sixteen: Sixteen, hold
fn holdScores(firstKey: u32) {
  let pages = job.operandPages;
  var s = Sixteen();
  var q = slotBlock * job.keyPages;
  var k = firstKey;
  // One loop over all pages, some words per iteration: an iteration costs SwiftShader ten instructions per accumulator.
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
      let next = &keys[k + job.keyPages];
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
