// For masks of bits: word w of a row, whose lowest bit is key 32 w. They are behind the windows.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import shared/rows: slotBlock, tileBegin, tileEnd, windows
fn maskWord(row: u32, w: u32) -> u32 {
  let at = job.maskAt + (slotBlock * 8u + row) * job.maskWords + w;
  return windows[at / 2u][at % 2u];
}

// Whether a row sees one of the keys [first, last).
fn seesSome(row: u32, first: u32, last: u32) -> bool {
  let window = windows[slotBlock * 8u + row];
  let begin = max(window.x, first);
  let end = min(window.y, last);
  for (var w = begin / 32u; w * 32u < end; w += 1u) {
    var bits = maskWord(row, w);
    if (w * 32u < begin) {
      bits &= 0xffffffffu << (begin % 32u);
    }
    if (w * 32u + 32u > end) {
      bits &= (1u << (end % 32u)) - 1u;
    }
    if (bits != 0u) {
      return true;
    }
  }
  return false;
}

// Keys [x, y) of the tile, outside of which a row sees nothing; empty where it sees none of the tile.
fn windowOf(row: u32) -> vec2u {
  if (!seesSome(row, tileBegin, tileEnd)) {
    return vec2u(0u, 0u);
  }
  let window = windows[slotBlock * 8u + row];
  return vec2u(max(window.x, tileBegin), min(window.y, tileEnd));
}

// Whether a row sees key m of its window.
fn seesKey(row: u32, m: u32) -> bool {
  return ((maskWord(row, m / 32u) >> (m % 32u)) & 1u) == 1u;
}
