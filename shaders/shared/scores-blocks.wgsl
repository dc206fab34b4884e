// Sums over E of the queries and of one or two eights of keys, the pages of which begin at `firstKey`, into `held`: block by block
// of `keyBlock` operands from +0, times the scales of the blocks. An iteration of the inner loop takes two words: four are more code than
// a processor's cache of instructions holds.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: blocksAtOnce, keyBlock
// #import shared/block: outerWords
// #import shared/eight: floats
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: keys, queries, slotBlock
// #import shared/scaled: addScaled
// #import shared/sixteen: Sixteen, hold
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord
fn holdScores(firstKey: u32) {
  const blockWords = keyBlock / perWord;
  let words = job.operandPages * 8u;
  let firstQuery = slotBlock * job.keyPages;
  var s = Sixteen();
  for (var begin = 0u; begin < words; begin += blockWords) {
    var u = Sixteen();
    let end = min(begin + blockWords, words);
    for (var w = begin; w < end; w += 2u) {
      let query = &queries[firstQuery + w / 8u];
      let key = &keys[firstKey + w / 8u];
      let i = w & 7u;
      let place = i * pageStep + pagePlace;
      let a = (*query)[i];
      let b = (*query)[i + 1u];
      let one = outerWords(u.first, spread((*key)[place]), a);
      u.first = outerWords(one, spread((*key)[place + pageStep]), b);
      if (blocksAtOnce == 2u) {
        let next = &keys[firstKey + job.keyPages + w / 8u];
        let other = outerWords(u.second, spread((*next)[place]), a);
        u.second = outerWords(other, spread((*next)[place + pageStep]), b);
      }
    }
    let n = begin / blockWords;
    let page = job.operandPages + n / 8u;
    let place = (n & 7u) * pageStep + pagePlace;
    let ofRows = floats(queries[firstQuery + page][n & 7u]);
    s.first = addScaled(s.first, u.first, floats(spread(keys[firstKey + page][place])), ofRows);
    if (blocksAtOnce == 2u) {
      s.second = addScaled(s.second, u.second, floats(spread(keys[firstKey + job.keyPages + page][place])), ofRows);
    }
  }
  hold(s);
}
