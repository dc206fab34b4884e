// Sums over E of the queries and of one or two eights of keys, the pages of which begin at `firstKey`, into `held`: in steps of a
// tensor core whose terms fit no word, one sum after the other.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: blocksAtOnce, dotBlock, hasKeyBlocks, kLeastPower, keyBlock, qLeastPower
// #import shared/quad-words | shared/shared-words: keyWord
// #import shared/rows: queries, slotBlock
// #import shared/sixteen: held
// #import shared/wide-sum: exponentOfOne, largestExponentOf, powerOfOne, wideResult, wideSum, wideTerm
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: even, odd, perWord
fn holdScores(firstKey: u32) {
  for (var i = 0u; i < blocksAtOnce * 8u; i += 1u) {
    for (var row = 0u; row < 8u; row += 1u) {
      held[i][row / 4u][row % 4u] = scoreOf(firstKey + i / 8u * job.keyPages, i % 8u, row);
    }
  }
}

fn keyOperand(firstKey: u32, i: u32, e: u32) -> f32 {
  let word = vec4u(keyWord(firstKey + e / perWord / 8u, e / perWord % 8u, i));
  return select(even(word), odd(word), e % perWord == 1u).x;
}

fn queryOperand(row: u32, e: u32) -> f32 {
  let word = vec4u(queries[slotBlock * job.keyPages + e / perWord / 8u][e / perWord % 8u][row / 4u][row % 4u]);
  return select(even(word), odd(word), e % perWord == 1u).x;
}

fn scoreOf(firstKey: u32, i: u32, row: u32) -> f32 {
  let count = job.headDim;
  var s = 0.0;
  for (var begin = 0u; begin < count; begin += dotBlock) {
    let end = min(begin + dotBlock, count);
    var scale = 0;
    if (hasKeyBlocks) {
      let n = begin / keyBlock;
      let page = job.operandPages + n / 8u;
      let ofRow = bitcast<f32>(queries[slotBlock * job.keyPages + page][n % 8u][row / 4u][row % 4u]);
      scale = exponentOfOne(bitcast<f32>(keyWord(firstKey + page, n % 8u, i))) + exponentOfOne(ofRow) - 254;
    }
    var power = 0.0;
    for (var e = begin; e < end; e += 1u) {
      let ofKey = powerOfOne(keyOperand(firstKey, i, e), kLeastPower);
      power = max(power, ofKey * powerOfOne(queryOperand(row, e), qLeastPower));
    }
    let largest = largestExponentOf(s, power, scale);
    var sum = wideTerm(s, 1.0, largest, 0);
    for (var e = begin; e < end; e += 1u) {
      sum = wideSum(sum, wideTerm(keyOperand(firstKey, i, e), queryOperand(row, e), largest, scale));
    }
    s = wideResult(sum, largest);
  }
  return s;
}
