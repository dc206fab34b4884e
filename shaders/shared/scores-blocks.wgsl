// Sums over E of the queries and of one or two eights of keys, the pages of which begin at `firstKey`, into `held`: block by block
// of `keyBlock` operands from +0, times the scales of the blocks. An iteration of the inner loop takes four operands: more is slower than the
// loop, unless the whole block is without one (bench/README.md).
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: blocksAtOnce, keyBlock
// #import shared/eight: floats
// #import shared/fours: outerFours
// #import shared/page-fours: fourWords, keyFours, rowFours
// #import shared/quad-words | shared/shared-words: pagePlace, pageStep, spread
// #import shared/rows: keys, queries, slotBlock
// #import shared/scaled: addScaled
// #import shared/sixteen: Sixteen, hold
// #import shared/sixteens: Sixteens, outerSixteens, sixteens
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord
fn holdScores(firstKey: u32) {
  const blockWords = keyBlock / perWord;
  let words = job.operandPages * 8u;
  let firstQuery = slotBlock * job.keyPages;
  let secondKey = firstKey + job.keyPages;
  var s = Sixteen();
  for (var begin = 0u; begin < words; begin += blockWords) {
    var u = Sixteen();
    if (blockIsPage) {
      let rows = rowSixteens(firstQuery + begin / 8u);
      u.first = outerSixteens(keySixteens(firstKey + begin / 8u), rows);
      u.second = outerSixteens(keySixteens(secondKey + begin / 8u), rows);
    } else {
      let end = min(begin + blockWords, words);
      for (var w = begin; w < end; w += fourWords) {
        let rows = rowFours(firstQuery + w / 8u, w & 7u);
        u.first = outerFours(u.first, keyFours(firstKey + w / 8u, w & 7u), rows);
        if (blocksAtOnce == 2u) {
          u.second = outerFours(u.second, keyFours(secondKey + w / 8u, w & 7u), rows);
        }
      }
    }
    let n = begin / blockWords;
    let page = job.operandPages + n / 8u;
    let place = (n & 7u) * pageStep + pagePlace;
    let ofRows = floats(queries[firstQuery + page][n & 7u]);
    s.first = addScaled(s.first, u.first, floats(spread(keys[firstKey + page][place])), ofRows);
    if (blocksAtOnce == 2u) {
      s.second = addScaled(s.second, u.second, floats(spread(keys[secondKey + page][place])), ofRows);
    }
  }
  hold(s);
}

// Whether a block's operands are those of a page, which are then multiplied without a loop.
const blockIsPage = keyBlock == 16u && perWord == 2u && blocksAtOnce == 2u;

fn rowSixteens(page: u32) -> Sixteens {
  return sixteens(rowFours(page, 0u), rowFours(page, 2u), rowFours(page, 4u), rowFours(page, 6u));
}

fn keySixteens(page: u32) -> Sixteens {
  return sixteens(keyFours(page, 0u), keyFours(page, 2u), keyFours(page, 4u), keyFours(page, 6u));
}
