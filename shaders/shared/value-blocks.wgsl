// Blocks of a tile's keys that have scales.
// #import attention-rows | program: stateAt
// #import host: blockFields, valueBlock, weightScales, wholeBlocks
// #import shared/eight: Eight, keptIf
// #import shared/rows: state, tileBegin, tileEnd

// One past the last key of the block of the sum that begins at a key.
fn blockEnd(begin: u32) -> u32 {
  let ofWeights = tileBegin + ((begin - tileBegin) / valueBlock + 1u) * valueBlock;
  let ofValues = (begin / valueBlock + 1u) * valueBlock;
  return min(tileEnd, min(ofWeights, ofValues));
}

// The weights of a key that may be of another block. Where tiles begin with a block, a word has keys of one block alone, and the
// weights of keys past the tile are +0 already.
fn within(isIn: bool, weights: Eight) -> Eight {
  if (wholeBlocks) {
    return weights;
  }
  return keptIf(isIn, weights);
}

// The scales of the rows' weights in the block of a key.
fn weightScaleOf(m: u32) -> Eight {
  return state[stateAt(weightScales + (m - tileBegin) / valueBlock * blockFields)];
}
