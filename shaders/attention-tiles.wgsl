// The 1-pass cascade (FuseMax Cascade 5) fused over the whole sequence, for adapters with workgroup memory of their own:
// a workgroup owns as many query rows as it has invocations, and works on 64 keys or columns at a time, an invocation
// on 8 of them by 8 rows. For what is done row by row (maxima, weights, denominators) an invocation owns one row.
//
// Layouts as in attention-rows.wgsl, but scratch [block][m in tile][row]: the scores, then the weights as fp32.
// The 8 rows of an invocation are two quads half a block apart, so that neighbours read and write neighbouring quads.
// #import host: Block, Job, dumps, none, outside, phaseScores, phaseValues, roundA, stateBad, stateFields, stateLm, stateRd, stateRm, stateSld, workgroupSize
// #import shared/barrier: opaqueZero, pin
// #import shared/block: Block8, outer8
// #import shared/dump: dumpOfFeatures, dumpedColumns, dumpedSln, dumpedSlnv
// #import shared/eight: Eight
// #import shared/exp2: flushTiny
// #import shared/tile-rows: dumpEight, finishRow, loadEight, maximum, putWeights, storeEight, weightsOf
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: even, odd, perWord

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> blocks: array<Block>;
@group(0) @binding(2) var<storage, read> windows: array<vec2u>;
@group(0) @binding(3) var<storage, read> queries: array<vec4u>;
@group(0) @binding(4) var<storage, read> keys: array<vec4u>;
@group(0) @binding(5) var<storage, read> values: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> state: array<f32>;
@group(0) @binding(7) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> scratch: array<vec4f>;

// Eights and quads of rows in a block.
const eights = workgroupSize / 8u;
const quads = workgroupSize / 4u;
// Operands e of a page: 8 words.
const pageOperands = 8u * perWord;

// Operands of the rows and of the keys or columns, by e or key. Arrays of arrays: the check of each index is then a
// constant or leaves the loop.
var<workgroup> ofRows: array<array<vec4f, quads>, 16>;
var<workgroup> ofOthers: array<array<vec4f, 16>, 16>;
// PRM of each row; negative where the row has no key in the tile.
var<workgroup> factors: array<f32, workgroupSize>;
// Whether a value of the row left the accumulator's range.
var<workgroup> isBad: array<atomic<u32>, workgroupSize>;

// What an invocation is in its workgroup: its quads of rows (this one and the one half a block on), its 8 keys or
// columns, and the row that it owns.
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

// The row that an invocation owns, in one part of a tile.
struct Row {
  firstSeen: u32,
  lastSeen: u32,
  rm: f32,
  rd: f32,
  lm: f32,
  sld: f32,
  isBad: bool,
}

// Where the scores of a key are; the scratch begins at the eight in which the tile begins.
fn scoresAt(home: u32, m: u32, part: Part) -> u32 {
  return (home * job.tilePages * 8u + m - part.tileBegin / 8u * 8u) * quads;
}

// Puts a page of 8 words of all rows into workgroup memory.
fn loadQueries(home: u32, page: u32, lane: u32) {
  for (var i = lane; i < 8u * quads; i += workgroupSize) {
    let word = i / quads;
    let quad = i % quads;
    let words = queries[((home * eights + quad / 2u) * job.keyPages + page) * 16u + word * 2u + quad % 2u];
    ofRows[word * perWord][quad] = even(words);
    if (perWord == 2u) {
      ofRows[word * perWord + 1u][quad] = odd(words);
    }
  }
}

// Puts a page of 8 words of 64 keys into workgroup memory.
fn loadKeys(firstPage: u32, page: u32, lane: u32) {
  for (var i = lane; i < 128u; i += workgroupSize) {
    let word = i / 16u;
    let quad = i % 16u;
    let words = keys[(firstPage + quad / 2u * job.keyPages + page) * 16u + word * 2u + quad % 2u];
    ofOthers[word * perWord][quad] = even(words);
    if (perWord == 2u) {
      ofOthers[word * perWord + 1u][quad] = odd(words);
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
    let to = quad / 2u * 2u * perWord + quad % 2u;
    ofOthers[key][to] = even(words);
    if (perWord == 2u) {
      ofOthers[key][to + 2u] = odd(words);
    }
  }
}

// One step of the sums: operand i of 8 keys or columns times that of 8 rows.
fn step(s: Block8, i: u32, place: Place) -> Block8 {
  return outer8(
    s,
    Eight(ofOthers[i][place.others * 2u], ofOthers[i][place.others * 2u + 1u]),
    Eight(ofRows[i][place.rows], ofRows[i][place.rows + eights]),
  );
}

fn storeScores(at: u32, low: vec4f, high: vec4f) {
  scratch[at] = low;
  scratch[at + eights] = high;
}

// BQK into the scratch.
fn scores(home: u32, keyBase: u32, part: Part, place: Place) {
  let last = (part.end + 7u) / 8u;
  for (var eight = part.begin / 8u; eight < last; eight += 8u) {
    var s = Block8();
    for (var page = 0u; page < job.keyPages; page += 1u) {
      workgroupBarrier();
      loadQueries(home, page, place.row);
      loadKeys(keyBase + eight * job.keyPages, page, place.row);
      workgroupBarrier();
      for (var i = 0u; i < pageOperands; i += 1u) {
        s = step(s, i, place);
      }
    }
    if (eight + place.others < last) {
      let at = scoresAt(home, (eight + place.others) * 8u, part) + place.rows;
      storeScores(at, s.s00[0], s.s01[0]);
      storeScores(at + quads, s.s00[1], s.s01[1]);
      storeScores(at + 2u * quads, s.s00[2], s.s01[2]);
      storeScores(at + 3u * quads, s.s00[3], s.s01[3]);
      storeScores(at + 4u * quads, s.s10[0], s.s11[0]);
      storeScores(at + 5u * quads, s.s10[1], s.s11[1]);
      storeScores(at + 6u * quads, s.s10[2], s.s11[2]);
      storeScores(at + 7u * quads, s.s10[3], s.s11[3]);
    }
  }
}

// RNV = rA(SLNV + SPNV), SPNV = z(rA(RNV * PRM)); the old RNV for a row that has no key in the tile.
fn corrected(rnv: f32, slnv: f32, row: u32, dumpTo: u32) -> f32 {
  let factor = factors[row];
  let spnv = flushTiny(roundA(pin(rnv * factor)));
  let next = roundA(slnv + spnv);
  if (dumps) {
    sums[dumpTo][row % 4u] = slnv;
    sums[dumpTo + dumpedColumns() * 2u][row % 4u] = spnv;
  }
  if (factor < 0.0) {
    return rnv;
  }
  if (outside(slnv) | outside(spnv) | outside(next)) {
    atomicStore(&isBad[row], 1u);
  }
  return next;
}

// The end of one column of a quad of rows: RNV at the end of the tile, else the sum so far.
fn finishQuad(at: u32, slnv: vec4f, row: u32, ends: bool) {
  if (ends) {
    let rnv = sums[at];
    let eight = at / 2u;
    let dumpTo = dumpOfFeatures(eight / dumpedColumns(), dumpedSlnv, eight % dumpedColumns()) * 2u + at % 2u;
    sums[at] = vec4f(
      corrected(rnv.x, slnv.x, row, dumpTo),
      corrected(rnv.y, slnv.y, row + 1u, dumpTo),
      corrected(rnv.z, slnv.z, row + 2u, dumpTo),
      corrected(rnv.w, slnv.w, row + 3u, dumpTo),
    );
  } else {
    sums[job.partsAt * 2u + at] = slnv;
  }
}

// Step 7 for 4 columns of a quad of rows.
fn finishQuads(at: u32, slnv: mat4x4f, row: u32, ends: bool) {
  finishQuad(at, slnv[0], row, ends);
  finishQuad(at + 2u, slnv[1], row, ends);
  finishQuad(at + 4u, slnv[2], row, ends);
  finishQuad(at + 6u, slnv[3], row, ends);
}

// Four columns of the sums so far.
fn partsOf(at: u32) -> mat4x4f {
  let first = job.partsAt * 2u + at;
  return mat4x4f(sums[first], sums[first + 2u], sums[first + 4u], sums[first + 6u]);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let home = job.blockBegin + id.x;
  let owned = blocks[home];
  let place = Place(lane % eights, lane / eights, lane);
  // The state of the row that this invocation owns.
  let stateAt = 8u + ((home * eights + place.row / 8u) * stateFields) * 8u + place.row % 8u;
  let window = windows[home * workgroupSize + place.row];
  opaqueZero = bitcast<u32>(state[0]);
  let kvHead = owned.kvHead - job.chunkKvHead;
  let valuePages = job.valueBlocks * 2u / perWord;
  let keyBase = kvHead * job.keyStride - job.chunkKey / 8u * job.keyPages;
  let valueBase = kvHead * job.valueStride - job.chunkKey / 8u * valuePages;
  let columns = job.valueBlocks * 16u;
  // Sums of the two quads of rows, from column 0.
  let lowSums = (home * eights + place.rows / 2u) * columns * 2u + place.rows % 2u;
  let highSums = lowSums + eights * columns;
  let lowRow = place.rows * 4u;
  let highRow = lowRow + workgroupSize / 2u;

  var row: Row;
  row.rm = state[stateAt + stateRm * 8u];
  row.rd = state[stateAt + stateRd * 8u];
  row.lm = state[stateAt + stateLm * 8u];
  row.sld = state[stateAt + stateSld * 8u];
  row.isBad = state[stateAt + stateBad * 8u] != 0.0;
  atomicStore(&isBad[place.row], 0u);

  let firstTile = max(owned.tileBegin, job.keyBegin / job.m0);
  let lastTile = min(owned.tileEnd, (job.keyEnd + job.m0 - 1u) / job.m0);
  for (var tile = firstTile; tile < lastTile; tile += 1u) {
    let tileBegin = tile * job.m0;
    let tileEnd = min(tileBegin + job.m0, job.keyCount);
    let part = Part(tileBegin, tileEnd, max(tileBegin, job.keyBegin), min(tileEnd, job.keyEnd));
    let starts = part.begin == tileBegin;
    let ends = part.end == tileEnd;
    row.firstSeen = max(window.x, part.begin);
    row.lastSeen = min(window.y, part.end);

    if ((job.phases & phaseScores) != 0u) {
      scores(home, keyBase, part, place);
      storageBarrier();
      workgroupBarrier();
      if (starts) {
        row.lm = none;
      }
      maximum(&row, home, part, place);
    }

    if ((job.phases & phaseValues) != 0u) {
      let next = max(row.rm, row.lm);
      if (starts) {
        row.sld = 0.0;
      }
      for (var column = 0u; column < columns; column += 64u) {
        let mine = column + place.others * 8u;
        let low = lowSums + mine * 2u;
        let high = highSums + mine * 2u;
        var s = Block8();
        if (!starts && mine < columns) {
          s = Block8(partsOf(low), partsOf(high), partsOf(low + 8u), partsOf(high + 8u));
        }
        for (var first = part.begin / 8u * 8u; first < part.end; first += 16u) {
          let at = scoresAt(home, first, part);
          let hasSecond = first + 8u < part.end;
          var a = loadEight(at, place.row);
          var b = Eight();
          if (hasSecond) {
            b = loadEight(at + 8u * quads, place.row);
          }
          if (column == 0u) {
            a = Eight(weightsOf(&row, a[0], next, first), weightsOf(&row, a[1], next, first + 4u));
            b = Eight(weightsOf(&row, b[0], next, first + 8u), weightsOf(&row, b[1], next, first + 12u));
            if (dumps) {
              let key = first - tileBegin / 8u * 8u;
              dumpEight(dumpedSln, home, place.row, key, a);
              if (hasSecond) {
                dumpEight(dumpedSln, home, place.row, key + 8u, b);
              }
            }
            if (columns > 64u) {
              storeEight(at, place.row, a);
              if (hasSecond) {
                storeEight(at + 8u * quads, place.row, b);
              }
            }
          }
          workgroupBarrier();
          putWeights(0u, place.row, a[0]);
          putWeights(4u, place.row, a[1]);
          putWeights(8u, place.row, b[0]);
          putWeights(12u, place.row, b[1]);
          loadValues(valueBase + first / 8u * valuePages, column, lane);
          workgroupBarrier();
          for (var j = 0u; j < 16u; j += 1u) {
            s = step(s, j, place);
          }
        }

        if (column == 0u && ends) {
          finishRow(&row, next, home, place, max(window.x, tileBegin) < min(window.y, tileEnd));
        }
        workgroupBarrier();
        if (mine < columns) {
          finishQuads(low, s.s00, lowRow, ends);
          finishQuads(high, s.s01, highRow, ends);
          finishQuads(low + 8u, s.s10, lowRow, ends);
          finishQuads(high + 8u, s.s11, highRow, ends);
        }
      }
    }
    // The next tile writes where this one's weights are read.
    storageBarrier();
    workgroupBarrier();
  }

  state[stateAt + stateRm * 8u] = row.rm;
  state[stateAt + stateRd * 8u] = row.rd;
  state[stateAt + stateLm * 8u] = row.lm;
  state[stateAt + stateSld * 8u] = row.sld;
  if (row.isBad | (atomicLoad(&isBad[place.row]) != 0u)) {
    state[stateAt + stateBad * 8u] = 1.0;
  }
}
