// Keys [x, y) of the tile that a row sees.
// #import shared/rows: slotBlock, tileBegin, tileEnd, windows
fn windowOf(row: u32) -> vec2u {
  let window = windows[slotBlock * 8u + row];
  return vec2u(max(window.x, tileBegin), min(window.y, tileEnd));
}

// Whether a row sees one of the keys [begin, end) of the tile.
fn seesSome(row: u32, begin: u32, end: u32) -> bool {
  let window = windows[slotBlock * 8u + row];
  return max(window.x, begin) < min(window.y, end);
}
