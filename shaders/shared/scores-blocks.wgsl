// Sums over E of the queries and of one or two eights of keys, the pages of which begin at `firstKey`, into `held`: block by block
// of `keyBlock` operands from +0, times the scales of the blocks.
fn holdScores(firstKey: u32) {
  const blockWords = keyBlock / perWord;
  let words = job.operandPages * 8u;
  let firstQuery = slotBlock * job.keyPages;
  var s = Sixteen();
  for (var begin = 0u; begin < words; begin += blockWords) {
    var u = Sixteen();
    let end = min(begin + blockWords, words);
    for (var w = begin; w < end; w += wordsAtOnce) {
      let query = &queries[firstQuery + w / 8u];
      let key = &keys[firstKey + w / 8u];
      let i = w & 7u;
      let place = i * pageStep + pagePlace;
      let rows = (*query)[i];
      let more = (*query)[(i + 1u) & 7u];
      u.first = outerWords(u.first, spread((*key)[place]), rows);
      if (wordsAtOnce == 2u) {
        u.first = outerWords(u.first, spread((*key)[place + pageStep]), more);
      }
      if (blocksAtOnce == 2u) {
        let next = &keys[firstKey + job.keyPages + w / 8u];
        u.second = outerWords(u.second, spread((*next)[place]), rows);
        if (wordsAtOnce == 2u) {
          u.second = outerWords(u.second, spread((*next)[place + pageStep]), more);
        }
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
