// Blocks of a tile's keys that have scales.
// #import attention-rows | program: stateAt
// #import host: blockFields, valueBlock, weightScales, wholeBlocks
// #import shared/eight: Eight, keptIf
// #import shared/fours: Fours, fours
// #import shared/rows: state, tileBegin, tileEnd

// One past the last key of the block of the sum that begins at a key.
fn blockEnd(begin: u32) -> u32 {
  let ofWeights = tileBegin + ((begin - tileBegin) / valueBlock + 1u) * valueBlock;
  let ofValues = (begin / valueBlock + 1u) * valueBlock;
  return min(tileEnd, min(ofWeights, ofValues));
}

// The weights of the keys m to m + 3, some of which may be of another block. Where tiles begin with a block, four keys are of one block
// alone, and the weights of keys past the tile are +0 already.
fn weightsWithin(weights: array<Eight, 4>, m: u32, begin: u32, end: u32) -> Fours {
  if (wholeBlocks) {
    return fours(weights[0], weights[1], weights[2], weights[3]);
  }
  return fours(
    keptIf(m >= begin, weights[0]),
    keptIf((m + 1u >= begin) & (m + 1u < end), weights[1]),
    keptIf((m + 2u >= begin) & (m + 2u < end), weights[2]),
    keptIf(m + 3u < end, weights[3]),
  );
}

// The scales of the rows' weights in the block of a key.
fn weightScaleOf(m: u32) -> Eight {
  return state[stateAt(weightScales + (m - tileBegin) / valueBlock * blockFields)];
}
