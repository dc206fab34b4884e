// Adds to the sums of a column's block in `held` weights times values, over the keys of the tile: in steps of a tensor core whose terms
// fit no word, one sum after the other.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import host: blocksAtOnce, hasValueBlocks, pLeastPower, vLeastPower
// #import program: firstKeyOfAll
// #import shared/quad-words | shared/shared-words: valueWord
// #import shared/rows: scratch, tileBegin, tileEnd
// #import shared/sixteen: held
// #import shared/value-blocks: weightScaleOf
// #import shared/value-steps: stepEnd
// #import shared/wide-sum: exponentOfOne, largestExponentOf, powerOfOne, wideResult, wideSum, wideTerm
// #import shared/window | shared/window-bits: seesSome
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: even, odd, perWord
fn holdWeightedValues(firstWeight: u32, firstValue: u32, column: u32, count: u32) {
  for (var i = 0u; i < blocksAtOnce * 8u; i += 1u) {
    for (var row = 0u; row < 8u; row += 1u) {
      let s = held[i][row / 4u][row % 4u];
      held[i][row / 4u][row % 4u] = weightedSumOf(s, firstWeight, firstValue, column * 8u + i, row);
    }
  }
}

fn weightAt(firstWeight: u32, m: u32, row: u32) -> f32 {
  let word = vec4u(scratch[firstWeight + m / 8u - tileBegin / 8u][m % 8u / perWord][row / 4u][row % 4u]);
  return select(even(word), odd(word), m % perWord == 1u).x;
}

fn valueAt(firstValue: u32, m: u32, f: u32) -> f32 {
  let page = firstValue + (m / 8u - tileBegin / 8u) * job.valuePages + f / 8u / perWord;
  let word = vec4u(valueWord(page, m % 8u, f % 8u));
  return select(even(word), odd(word), f / 8u % perWord == 1u).x;
}

fn weightedSumOf(before: f32, firstWeight: u32, firstValue: u32, f: u32, row: u32) -> f32 {
  var s = before;
  for (var begin = max(tileBegin, firstKeyOfAll); begin < tileEnd; begin = stepEnd(begin)) {
    let end = stepEnd(begin);
    if (!seesSome(row, begin, end)) {
      continue;
    }
    var scale = 0;
    if (hasValueBlocks) {
      let scales = firstValue + (begin / 8u - tileBegin / 8u) * job.valuePages + job.valueBlocks * 2u / perWord;
      let ofWeights = weightScaleOf(begin)[row / 4u][row % 4u];
      scale = exponentOfOne(bitcast<f32>(valueWord(scales + f / 64u, f / 8u % 8u, f % 8u))) + exponentOfOne(ofWeights) - 254;
    }
    var power = 0.0;
    for (var m = begin; m < end; m += 1u) {
      let weight = powerOfOne(weightAt(firstWeight, m, row), pLeastPower);
      power = max(power, weight * powerOfOne(valueAt(firstValue, m, f), vLeastPower));
    }
    let largest = largestExponentOf(s, power, scale);
    var sum = wideTerm(s, 1.0, largest, 0);
    for (var m = begin; m < end; m += 1u) {
      sum = wideSum(sum, wideTerm(weightAt(firstWeight, m, row), valueAt(firstValue, m, f), largest, scale));
    }
    s = wideResult(sum, largest);
  }
  return s;
}
