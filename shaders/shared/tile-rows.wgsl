// What attention-tiles.wgsl does row by row: scores from the scratch, maxima, weights, denominators. An invocation owns one row.
// #import attention-rows | attention-tiles | collect | finish | program: job
// #import attention-tiles: Part, Place, Row, eights, factors, ofRows, quads, scoresAt
// #import host: dumps, largestResult, none, outside, roundA, roundP
// #import shared/barrier: pin
// #import shared/dump: dumpOfKeys, dumpOfQuery, dumpedBqk, dumpedPrm, dumpedSpd
// #import shared/eight: Eight
// #import shared/exp2: correction, exponential, flushTiny
// #import shared/rows: scratch, sums

// Scores or weights of 8 keys for one row; all loads are under way before the first is used.
fn loadEight(at: u32, row: u32) -> Eight {
  let quad = at + row / 4u;
  let i = row % 4u;
  return Eight(
    vec4f(scratch[quad][i], scratch[quad + quads][i], scratch[quad + 2u * quads][i], scratch[quad + 3u * quads][i]),
    vec4f(
      scratch[quad + 4u * quads][i],
      scratch[quad + 5u * quads][i],
      scratch[quad + 6u * quads][i],
      scratch[quad + 7u * quads][i],
    ),
  );
}

fn storeEight(at: u32, row: u32, weights: Eight) {
  let quad = at + row / 4u;
  let i = row % 4u;
  scratch[quad][i] = weights[0].x;
  scratch[quad + quads][i] = weights[0].y;
  scratch[quad + 2u * quads][i] = weights[0].z;
  scratch[quad + 3u * quads][i] = weights[0].w;
  scratch[quad + 4u * quads][i] = weights[1].x;
  scratch[quad + 5u * quads][i] = weights[1].y;
  scratch[quad + 6u * quads][i] = weights[1].z;
  scratch[quad + 7u * quads][i] = weights[1].w;
}

// Which of the keys m to m + 3 the row sees.
fn seenOf(row: Row, m: u32) -> vec4<bool> {
  let four = vec4u(m) + vec4u(0u, 1u, 2u, 3u);
  return (four >= vec4u(row.firstSeen)) & (four < vec4u(row.lastSeen));
}

// Where a dump has a value of this row (shared/dump.wgsl): the quad; its place in the quad is that of the row.
fn dumpQuad(eightAt: u32, row: u32) -> u32 {
  return eightAt * 2u + row % 8u / 4u;
}

// Keys first to first + 7 of a tensor, for the row of this invocation.
fn dumpEight(tensor: u32, home: u32, row: u32, first: u32, values: Eight) {
  for (var i = 0u; i < 8u; i += 1u) {
    sums[dumpQuad(dumpOfKeys(home * eights + row / 8u, tensor, first + i), row)][row % 4u] = values[i / 4u][i % 4u];
  }
}

// LM of the part.
fn maximum(row: ptr<function, Row>, home: u32, part: Part, place: Place) {
  var lm = vec4f((*row).lm);
  for (var m = part.begin / 8u * 8u; m < part.end; m += 8u) {
    let eight = loadEight(scoresAt(home, m, part), place.row);
    if (dumps) {
      dumpEight(dumpedBqk, home, place.row, m - part.tileBegin / 8u * 8u, eight);
    }
    lm = max(lm, select(vec4f(none), eight[0], seenOf(*row, m)));
    lm = max(lm, select(vec4f(none), eight[1], seenOf(*row, m + 4u)));
  }
  (*row).lm = max(max(lm.x, lm.y), max(lm.z, lm.w));
  // A score beyond the range became the largest of all.
  (*row).isBad = (*row).isBad | (((*row).lm != none) & outside((*row).lm));
}

// SLN of one key, and SLD; E2 makes +0 of a key that the row does not see.
fn weightOf(row: ptr<function, Row>, score: f32, next: f32, seen: bool) -> f32 {
  let difference = roundA(score - next);
  let weight = roundP(exponential(select(-largestResult, difference, seen), job.factor));
  (*row).sld = roundA((*row).sld + weight);
  (*row).isBad = (*row).isBad | (seen & outside(difference));
  return weight;
}

fn weightsOf(row: ptr<function, Row>, scores: vec4f, next: f32, m: u32) -> vec4f {
  let seen = seenOf(*row, m);
  let x = weightOf(row, scores.x, next, seen.x);
  let y = weightOf(row, scores.y, next, seen.y);
  let z = weightOf(row, scores.z, next, seen.z);
  let w = weightOf(row, scores.w, next, seen.w);
  return vec4f(x, y, z, w);
}

// Puts the weights of 4 keys for the row of this invocation into workgroup memory.
fn putWeights(key: u32, row: u32, weights: vec4f) {
  ofRows[key][row / 4u][row % 4u] = weights.x;
  ofRows[key + 1u][row / 4u][row % 4u] = weights.y;
  ofRows[key + 2u][row / 4u][row % 4u] = weights.z;
  ofRows[key + 3u][row / 4u][row % 4u] = weights.w;
}

// SPD and RD at the end of a tile, and the factor of step 7.
fn finishRow(row: ptr<function, Row>, next: f32, home: u32, place: Place, hasKey: bool) {
  var factor = -1.0;
  if (hasKey) {
    var x = 0.0;
    factor = 0.0;
    if ((*row).rm != none) {
      x = roundA((*row).rm - next);
      factor = correction(x, job.factor);
    }
    let sld = (*row).sld;
    let spd = flushTiny(roundA(pin((*row).rd * factor)));
    let rd = roundA(sld + spd);
    (*row).rd = rd;
    (*row).rm = next;
    (*row).isBad = (*row).isBad | outside(x) | outside(sld) | outside(spd) | outside(rd);
    if (dumps) {
      let slotBlock = home * eights + place.row / 8u;
      sums[dumpQuad(dumpOfQuery(slotBlock, dumpedPrm), place.row)][place.row % 4u] = factor;
      sums[dumpQuad(dumpOfQuery(slotBlock, dumpedSpd), place.row)][place.row % 4u] = spd;
    }
  }
  factors[place.row] = factor;
}
