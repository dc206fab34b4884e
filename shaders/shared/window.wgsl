// Keys [x, y) of the tile that a row sees.
fn windowOf(row: u32) -> vec2u {
  let window = windows[slotBlock * 8u + row];
  return vec2u(max(window.x, tileBegin), min(window.y, tileEnd));
}
