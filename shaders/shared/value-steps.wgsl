// Where the steps of a tile's keys end, and which rows see a key of one.
// #import host: dotBlock, hasValueBlocks
// #import shared/eight: Words8
// #import shared/rows: tileEnd
// #import shared/value-blocks: blockEnd
// #import shared/window | shared/window-bits: seesSome

fn stepEnd(begin: u32) -> u32 {
  if (!hasValueBlocks) {
    return min(begin + dotBlock, tileEnd);
  }
  return min(begin + dotBlock, blockEnd(begin));
}

fn rowsThatSee(begin: u32, end: u32) -> Words8 {
  var seen = Words8();
  for (var row = 0u; row < 8u; row += 1u) {
    seen[row / 4u][row % 4u] = select(0u, 1u, seesSome(row, begin, end));
  }
  return seen;
}
