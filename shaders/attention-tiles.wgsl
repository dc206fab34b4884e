// The 1-pass cascade (FuseMax Cascade 5) fused over the whole sequence, for adapters with workgroup memory of their own:
// a workgroup owns as many query rows as it has invocations, and works on 64 keys or columns at a time, an invocation
// on 8 of them by 8 rows. For what is done row by row (maxima, weights, denominators) an invocation owns one row.
//
// Layouts as in attention-rows.wgsl, but scratch [block][m in tile][row]: the scores, then the weights as fp32.
override workgroupSize = 128u;

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> blocks: array<Block>;
@group(0) @binding(2) var<storage, read> windows: array<vec2u>;
@group(0) @binding(3) var<storage, read> queries: array<vec4u>;
@group(0) @binding(4) var<storage, read> keys: array<vec4u>;
@group(0) @binding(5) var<storage, read> values: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> state: array<f32>;
@group(0) @binding(7) var<storage, read_write> sums: array<Eight>;
@group(0) @binding(8) var<storage, read_write> scratch: array<f32>;

// Operands of the rows and of the keys or columns: [e or key][row / 4] and [e or key][16].
var<workgroup> ofRows: array<vec4f, 4u * workgroupSize>;
var<workgroup> ofOthers: array<vec4f, 256>;
// PRM of each row; negative where the row has no key in the tile.
var<workgroup> factors: array<f32, workgroupSize>;
// Whether a value of the row left the accumulator's range.
var<workgroup> isBad: array<atomic<u32>, workgroupSize>;

// Operands e of a page: 8 words.
const pageOperands = 8u * perWord;

// What an invocation is in its workgroup: its 8 rows and its 8 keys or columns, and the row that it owns.
struct Place {
  rows: u32,
  others: u32,
  row: u32,
}

// The part of a tile that a dispatch works on.
struct Part {
  tileBegin: u32,
  tileEnd: u32,
  begin: u32,
  end: u32,
}

// Where the score of a key and a row stands; the scratch begins at the eight in which the tile begins.
fn scoreAt(home: u32, m: u32, part: Part) -> u32 {
  return (home * job.tilePages * 8u + m - part.tileBegin / 8u * 8u) * workgroupSize;
}

// Puts a page of 8 words of all rows into workgroup memory.
fn loadQueries(home: u32, page: u32, lane: u32) {
  let quads = workgroupSize / 4u;
  for (var i = lane; i < 8u * quads; i += workgroupSize) {
    let word = i / quads;
    let quad = i % quads;
    let eight = home * (workgroupSize / 8u) + quad / 2u;
    let words = queries[(eight * job.keyPages + page) * 16u + word * 2u + quad % 2u];
    ofRows[word * perWord * quads + quad] = even(words);
    if (perWord == 2u) {
      ofRows[(word * 2u + 1u) * quads + quad] = odd(words);
    }
  }
}

// Puts a page of 8 words of 64 keys into workgroup memory.
fn loadKeys(firstPage: u32, page: u32, lane: u32) {
  for (var i = lane; i < 128u; i += workgroupSize) {
    let word = i / 16u;
    let quad = i % 16u;
    let words = keys[(firstPage + quad / 2u * job.keyPages + page) * 16u + word * 2u + quad % 2u];
    ofOthers[word * perWord * 16u + quad] = even(words);
    if (perWord == 2u) {
      ofOthers[(word * 2u + 1u) * 16u + quad] = odd(words);
    }
  }
}

// Puts 64 columns of 16 keys into workgroup memory.
fn loadValues(firstPage: u32, column: u32, lane: u32) {
  let pages = job.valueBlocks * 2u / perWord;
  for (var i = lane; i < 256u / perWord; i += workgroupSize) {
    let key = i / (16u / perWord);
    let quad = i % (16u / perWord);
    let page = firstPage + key / 8u * pages + column / (8u * perWord) + quad / 2u;
    let words = values[page * 16u + key % 8u * 2u + quad % 2u];
    // Two columns to a word: j and j + 8.
    let to = key * 16u + quad / 2u * 2u * perWord + quad % 2u;
    ofOthers[to] = even(words);
    if (perWord == 2u) {
      ofOthers[to + 2u] = odd(words);
    }
  }
}

// One step of the sums: operand i of 8 keys or columns times that of 8 rows.
fn step(s: Block8, i: u32, place: Place) -> Block8 {
  let others = i * 16u + place.others * 2u;
  let rows = i * (workgroupSize / 4u) + place.rows * 2u;
  return outer8(
    s,
    Eight(ofOthers[others], ofOthers[others + 1u]),
    Eight(ofRows[rows], ofRows[rows + 1u]),
  );
}

fn storeScores(at: u32, low: vec4f, high: vec4f) {
  scratch[at] = low.x;
  scratch[at + 1u] = low.y;
  scratch[at + 2u] = low.z;
  scratch[at + 3u] = low.w;
  scratch[at + 4u] = high.x;
  scratch[at + 5u] = high.y;
  scratch[at + 6u] = high.z;
  scratch[at + 7u] = high.w;
}

// BQK into the scratch.
fn scores(home: u32, keyBase: u32, part: Part, place: Place, lane: u32) {
  let last = (part.end + 7u) / 8u;
  for (var eight = part.begin / 8u; eight < last; eight += 8u) {
    var s = Block8();
    for (var page = 0u; page < job.keyPages; page += 1u) {
      workgroupBarrier();
      loadQueries(home, page, lane);
      loadKeys(keyBase + eight * job.keyPages, page, lane);
      workgroupBarrier();
      for (var i = 0u; i < pageOperands; i += 1u) {
        s = step(s, i, place);
      }
    }
    if (eight + place.others < last) {
      let at = scoreAt(home, (eight + place.others) * 8u, part) + place.rows * 8u;
      storeScores(at, s.s00[0], s.s01[0]);
      storeScores(at + workgroupSize, s.s00[1], s.s01[1]);
      storeScores(at + 2u * workgroupSize, s.s00[2], s.s01[2]);
      storeScores(at + 3u * workgroupSize, s.s00[3], s.s01[3]);
      storeScores(at + 4u * workgroupSize, s.s10[0], s.s11[0]);
      storeScores(at + 5u * workgroupSize, s.s10[1], s.s11[1]);
      storeScores(at + 6u * workgroupSize, s.s10[2], s.s11[2]);
      storeScores(at + 7u * workgroupSize, s.s10[3], s.s11[3]);
    }
  }
}

// SLN of one key for the row of this invocation; +0 for a key that it does not see.
fn weightOf(score: f32, rm: f32, seen: bool) -> f32 {
  return select(0.0, roundOperand(exponential(select(0.0, roundA(score - rm), seen), job.factor)), seen);
}

// Step 7 for one column of 4 rows.
fn corrected(rnv: vec4f, slnv: vec4f, row: u32) -> vec4f {
  return vec4f(
    correctedOne(rnv.x, slnv.x, row),
    correctedOne(rnv.y, slnv.y, row + 1u),
    correctedOne(rnv.z, slnv.z, row + 2u),
    correctedOne(rnv.w, slnv.w, row + 3u),
  );
}

// RNV = rA(SLNV + SPNV), SPNV = z(rA(RNV * PRM)); the old RNV for a row that has no key in the tile.
fn correctedOne(rnv: f32, slnv: f32, row: u32) -> f32 {
  let factor = factors[row];
  let spnv = flushTiny(roundA(pin(rnv * factor)));
  let next = roundA(slnv + spnv);
  if (factor < 0.0) {
    return rnv;
  }
  if (outside(slnv) | outside(spnv) | outside(next)) {
    atomicStore(&isBad[row], 1u);
  }
  return next;
}

// The end of one column of SLNV: RNV at the end of the tile, else the sum so far.
fn finishColumn(at: u32, low: vec4f, high: vec4f, row: u32, ends: bool) {
  if (ends) {
    let rnv = sums[at];
    sums[at] = Eight(corrected(rnv[0], low, row), corrected(rnv[1], high, row + 4u));
  } else {
    sums[job.partsAt + at] = Eight(low, high);
  }
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let home = job.blockBegin + id.x;
  let owned = blocks[home];
  let eights = workgroupSize / 8u;
  let place = Place(lane % eights, lane / eights, lane);
  let slotEight = home * eights + place.rows;
  // The state of the row that this invocation owns.
  let stateAt = 8u + ((home * eights + place.row / 8u) * stateFields) * 8u + place.row % 8u;
  let window = windows[home * workgroupSize + place.row];
  opaqueZero = bitcast<u32>(state[0]);
  let group = owned.group - job.chunkGroup;
  let valuePages = job.valueBlocks * 2u / perWord;
  let keyBase = group * job.keyStride - job.chunkKey / 8u * job.keyPages;
  let valueBase = group * job.valueStride - job.chunkKey / 8u * valuePages;
  let columns = job.valueBlocks * 16u;

  var rm = state[stateAt + stateRm * 8u];
  var rd = state[stateAt + stateRd * 8u];
  var lm = state[stateAt + stateLm * 8u];
  var sld = state[stateAt + stateSld * 8u];
  var rowIsBad = state[stateAt + stateBad * 8u] != 0.0;
  atomicStore(&isBad[place.row], 0u);

  let firstTile = max(owned.tileBegin, job.keyBegin / job.m0);
  let lastTile = min(owned.tileEnd, (job.keyEnd + job.m0 - 1u) / job.m0);
  for (var tile = firstTile; tile < lastTile; tile += 1u) {
    let tileBegin = tile * job.m0;
    let tileEnd = min(tileBegin + job.m0, job.keyCount);
    let part = Part(tileBegin, tileEnd, max(tileBegin, job.keyBegin), min(tileEnd, job.keyEnd));
    let starts = part.begin == tileBegin;
    let ends = part.end == tileEnd;
    let firstSeen = max(window.x, part.begin);
    let lastSeen = min(window.y, part.end);
    let hasKey = max(window.x, tileBegin) < min(window.y, tileEnd);

    if ((job.phases & phaseScores) != 0u) {
      scores(home, keyBase, part, place, lane);
      storageBarrier();
      workgroupBarrier();
      if (starts) {
        lm = none;
      }
      for (var m = firstSeen; m < lastSeen; m += 1u) {
        let score = scratch[scoreAt(home, m, part) + place.row];
        lm = max(lm, score);
        rowIsBad = rowIsBad | outside(score);
      }
    }

    if ((job.phases & phaseValues) != 0u) {
      let next = max(rm, lm);
      if (starts) {
        sld = 0.0;
      }
      for (var column = 0u; column < columns; column += 64u) {
        let sumsAt = slotEight * columns + column + place.others * 8u;
        let hasColumns = column + place.others * 8u < columns;
        var s = Block8();
        if (!starts && hasColumns) {
          s = loadedBlock(job.partsAt + sumsAt);
        }
        for (var first = part.begin / 8u * 8u; first < part.end; first += 16u) {
          workgroupBarrier();
          for (var j = 0u; j < 16u; j += 1u) {
            let m = first + j;
            let at = scoreAt(home, m, part) + place.row;
            var sln = 0.0;
            if (m < part.end) {
              if (column == 0u) {
                let seen = (m >= firstSeen) & (m < lastSeen);
                let score = scratch[at];
                sln = weightOf(score, next, seen);
                sld = roundA(sld + sln);
                rowIsBad = rowIsBad | (seen & outside(roundA(score - next)));
                if (columns > 64u) {
                  scratch[at] = sln;
                }
              } else {
                sln = scratch[at];
              }
            }
            ofRows[j * (workgroupSize / 4u) + place.row / 4u][place.row % 4u] = sln;
          }
          loadValues(valueBase + first / 8u * valuePages, column, lane);
          workgroupBarrier();
          for (var j = 0u; j < 16u; j += 1u) {
            s = step(s, j, place);
          }
        }

        // Step 6, once for the tile.
        if (column == 0u && ends) {
          var factor = -1.0;
          if (hasKey) {
            var x = 0.0;
            factor = 0.0;
            if (rm != none) {
              x = roundA(rm - next);
              factor = correction(x, job.factor);
            }
            let spd = flushTiny(roundA(pin(rd * factor)));
            rd = roundA(sld + spd);
            rm = next;
            rowIsBad = rowIsBad | outside(x) | outside(sld) | outside(spd) | outside(rd);
          }
          factors[place.row] = factor;
        }
        workgroupBarrier();
        if (hasColumns) {
          let row = place.rows * 8u;
          finishColumn(sumsAt, s.s00[0], s.s01[0], row, ends);
          finishColumn(sumsAt + 1u, s.s00[1], s.s01[1], row, ends);
          finishColumn(sumsAt + 2u, s.s00[2], s.s01[2], row, ends);
          finishColumn(sumsAt + 3u, s.s00[3], s.s01[3], row, ends);
          finishColumn(sumsAt + 4u, s.s10[0], s.s11[0], row, ends);
          finishColumn(sumsAt + 5u, s.s10[1], s.s11[1], row, ends);
          finishColumn(sumsAt + 6u, s.s10[2], s.s11[2], row, ends);
          finishColumn(sumsAt + 7u, s.s10[3], s.s11[3], row, ends);
        }
      }
    }
    // The next tile writes where this one's weights are read.
    storageBarrier();
    workgroupBarrier();
  }

  state[stateAt + stateRm * 8u] = rm;
  state[stateAt + stateRd * 8u] = rd;
  state[stateAt + stateLm * 8u] = lm;
  state[stateAt + stateSld * 8u] = sld;
  if (rowIsBad | (atomicLoad(&isBad[place.row]) != 0u)) {
    state[stateAt + stateBad * 8u] = 1.0;
  }
}

fn loadedBlock(at: u32) -> Block8 {
  let a = sums[at];
  let b = sums[at + 1u];
  let c = sums[at + 2u];
  let d = sums[at + 3u];
  let e = sums[at + 4u];
  let f = sums[at + 5u];
  let g = sums[at + 6u];
  let h = sums[at + 7u];
  return Block8(
    mat4x4f(a[0], b[0], c[0], d[0]),
    mat4x4f(a[1], b[1], c[1], d[1]),
    mat4x4f(e[0], f[0], g[0], h[0]),
    mat4x4f(e[1], f[1], g[1], h[1]),
  );
}
