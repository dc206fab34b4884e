// The 1-pass cascade (FuseMax Cascade 5) fused over the whole sequence, without workgroup memory: an invocation
// owns 8 query rows and walks over the tiles of their keys. For adapters that run on a CPU.
//
// Layouts of what shared/rows.wgsl leaves open:
//   scratch [slot / 8][m in tile / 8], a page: the scores of 8 keys; after them the same of weights as operands, in pairs
//           of keys where they have 16 bits
//   state   [slot / 8][field], eights, after an eight of zeros
//   sums    [slot / 8][F], eights: RNV, and after it SLNV of a tile's part; where a tile is dumped, after both what shared/dump.wgsl says
// #import host: Job, blocksAtOnce, dumps, none, outside, phaseScores, phaseValues, roundA, roundP, stateBad, stateFields, stateLm, stateRd, stateRm, stateSld, workgroupSize
// #import shared/barrier: opaqueZero, pin
// #import shared/dump: dumpOfFeatures, dumpOfKeys, dumpOfQuery, dumpedBqk, dumpedPrm, dumpedSln, dumpedSlnv, dumpedSpd, dumpedSpnv
// #import shared/eight: Eight, Words8
// #import shared/exp2: correction, exponential, flushTiny
// #import shared/quad-words | shared/shared-words: startWords
// #import shared/rows: blocks, scratch, slotBlock, state, sums, tileBegin, tileEnd
// #import shared/scores-blocks | shared/scores-chain | shared/scores-steps | shared/scores-wide: holdScores
// #import shared/sixteen: held, pageWeights
// #import shared/values-blocks | shared/values-chain | shared/values-steps | shared/values-wide: holdWeightedValues
// #import shared/window | shared/window-bits: windowOf
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: packed, perWord

@group(0) @binding(0) var<uniform> job: Job;

// The keys of the tile that this dispatch works on.
var<private> begin: u32;
var<private> end: u32;
// Keys of this dispatch that each row sees, their largest score, and whether a score left the accumulator's range.
var<private> seenBegin: Words8;
var<private> seenEnd: Words8;
var<private> lm: Eight;
var<private> bad: Eight;
// PRM of each row; negative where the row has no key in the tile.
var<private> prm: Eight;

fn stateAt(field: u32) -> u32 {
  return 1u + slotBlock * stateFields + field;
}

// Where the scores of an eight of keys are; the scratch begins at the eight in which the tile begins.
fn scoreAt(eight: u32) -> u32 {
  return slotBlock * job.tilePages + eight - tileBegin / 8u;
}

fn markBad(row: u32, isBad: bool) {
  if (isBad) {
    state[stateAt(stateBad)][row / 4u][row % 4u] = 1.0;
  }
}

fn outside4(x: vec4f) -> vec4<bool> {
  return vec4<bool>(outside(x.x), outside(x.y), outside(x.z), outside(x.w));
}

// BQK into the scratch, and LM.
fn scores(keyBase: u32) {
  for (var row = 0u; row < 8u; row += 1u) {
    let window = windowOf(row);
    seenBegin[row / 4u][row % 4u] = max(window.x, begin);
    seenEnd[row / 4u][row % 4u] = min(window.y, end);
    lm[row / 4u][row % 4u] = select(state[stateAt(stateLm)][row / 4u][row % 4u], none, begin == tileBegin);
    bad[row / 4u][row % 4u] = state[stateAt(stateBad)][row / 4u][row % 4u];
  }
  let last = (end + 7u) / 8u;
  for (var eight = begin / 8u; eight < last; eight += blocksAtOnce) {
    holdScores(keyBase + eight * job.keyPages);
    for (var half = 0u; half < blocksAtOnce; half += 1u) {
      if (eight + half < last) {
        let to = &scratch[scoreAt(eight + half)];
        for (var i = 0u; i < 8u; i += 1u) {
          let score = held[half * 8u + i];
          (*to)[i] = Words8(bitcast<vec4u>(score[0]), bitcast<vec4u>(score[1]));
          takeMaximum(0u, (eight + half) * 8u + i, score[0]);
          takeMaximum(1u, (eight + half) * 8u + i, score[1]);
          if (dumps) {
            sums[dumpOfKeys(slotBlock, dumpedBqk, (eight + half) * 8u + i - tileBegin / 8u * 8u)] = score;
          }
        }
      }
    }
  }
  state[stateAt(stateLm)] = lm;
  state[stateAt(stateBad)] = bad;
}

fn takeMaximum(half: u32, m: u32, score: vec4f) {
  let seen = (vec4u(m) >= seenBegin[half]) & (vec4u(m) < seenEnd[half]);
  lm[half] = select(lm[half], max(lm[half], score), seen);
  bad[half] = select(bad[half], vec4f(1.0), seen & outside4(score));
}

// SLN of a score; +0 for a key that the row does not see.
fn weightOf(score: u32, rm: f32, seen: bool) -> f32 {
  return select(0.0, roundP(exponential(difference(score, rm, seen), job.factor)), seen);
}

fn difference(score: u32, rm: f32, seen: bool) -> f32 {
  return select(0.0, roundA(bitcast<f32>(score) - rm), seen);
}

// SLN and SLD of this dispatch's keys, row by row.
fn weights() {
  for (var row = 0u; row < 8u; row += 1u) {
    let half = row / 4u;
    let lane = row % 4u;
    let window = windowOf(row);
    let first = max(begin, window.x);
    let last = min(end, window.y);
    let rm = max(state[stateAt(stateRm)][half][lane], state[stateAt(stateLm)][half][lane]);
    var sld = select(state[stateAt(stateSld)][half][lane], 0.0, begin == tileBegin);
    var isBad = false;
    let lastEight = (end + 7u) / 8u;
    for (var eight = begin / 8u; eight < lastEight; eight += 1u) {
      let scores = &scratch[scoreAt(eight)];
      let weights = &scratch[job.weightsAt + scoreAt(eight)];
      for (var i = 0u; i < pageWeights; i += 1u) {
        let m = eight * 8u + i * perWord;
        let score = (*scores)[i * perWord][half][lane];
        let seen = (m >= first) & (m < last);
        let sln = weightOf(score, rm, seen);
        sld = roundA(sld + sln);
        isBad = isBad | outside(difference(score, rm, seen));
        var other = 0.0;
        if (perWord == 2u) {
          let next = (*scores)[i * 2u + 1u][half][lane];
          let nextSeen = (m + 1u >= first) & (m + 1u < last);
          other = weightOf(next, rm, nextSeen);
          sld = roundA(sld + other);
          isBad = isBad | outside(difference(next, rm, nextSeen));
        }
        (*weights)[i][half][lane] = packed(sln, other);
        if (dumps) {
          sums[dumpOfKeys(slotBlock, dumpedSln, m - tileBegin / 8u * 8u)][half][lane] = sln;
          if (perWord == 2u) {
            sums[dumpOfKeys(slotBlock, dumpedSln, m + 1u - tileBegin / 8u * 8u)][half][lane] = other;
          }
        }
      }
    }
    state[stateAt(stateSld)][half][lane] = sld;
    markBad(row, isBad);
  }
}

// Step 6 at the end of a tile: PRM, RM, SPD and RD of the rows that have a key in it.
fn denominators() {
  for (var row = 0u; row < 8u; row += 1u) {
    let window = windowOf(row);
    let half = row / 4u;
    let lane = row % 4u;
    prm[half][lane] = -1.0;
    if (window.x < window.y) {
      let rm = state[stateAt(stateRm)][half][lane];
      let rd = state[stateAt(stateRd)][half][lane];
      let sld = state[stateAt(stateSld)][half][lane];
      let next = max(rm, state[stateAt(stateLm)][half][lane]);
      var x = 0.0;
      var factor = 0.0;
      if (rm != none) {
        x = roundA(rm - next);
        factor = correction(x, job.factor);
      }
      let spd = flushTiny(roundA(pin(rd * factor)));
      let nextRd = roundA(sld + spd);
      state[stateAt(stateRm)][half][lane] = next;
      state[stateAt(stateRd)][half][lane] = nextRd;
      prm[half][lane] = factor;
      if (dumps) {
        sums[dumpOfQuery(slotBlock, dumpedPrm)][half][lane] = factor;
        sums[dumpOfQuery(slotBlock, dumpedSpd)][half][lane] = spd;
      }
      markBad(row, outside(x) | outside(sld) | outside(spd) | outside(nextRd));
    }
  }
}

// SLNV of this dispatch's keys, and RNV at the end of the tile.
fn weightedValues(valueBase: u32) {
  let columns = job.valueBlocks * 2u;
  let count = ((end + 7u) / 8u - begin / 8u) * pageWeights;
  for (var column = 0u; column < columns; column += blocksAtOnce) {
    let sumsAt = (slotBlock * columns + column) * 8u;
    for (var i = 0u; i < blocksAtOnce * 8u; i += 1u) {
      held[i] = Eight();
      if (begin != tileBegin) {
        held[i] = sums[job.partsAt + sumsAt + i];
      }
    }
    holdWeightedValues(job.weightsAt + scoreAt(begin / 8u), valueBase + begin / 8u * job.valuePages, column, count);
    for (var i = 0u; i < blocksAtOnce * 8u; i += 1u) {
      let slnv = held[i];
      if (end == tileEnd) {
        let rnv = sums[sumsAt + i];
        let f = column * 8u + i;
        sums[sumsAt + i] = Eight(corrected(0u, f, rnv[0], slnv[0]), corrected(1u, f, rnv[1], slnv[1]));
      } else {
        sums[job.partsAt + sumsAt + i] = slnv;
      }
    }
  }
}

// Step 7 for half of the rows of a column, where they have a key in the tile.
fn corrected(half: u32, f: u32, rnv: vec4f, slnv: vec4f) -> vec4f {
  let factor = prm[half];
  let spnv = vec4f(spnvOf(rnv.x, factor.x), spnvOf(rnv.y, factor.y), spnvOf(rnv.z, factor.z), spnvOf(rnv.w, factor.w));
  let sum = slnv + spnv;
  let next = vec4f(roundA(sum.x), roundA(sum.y), roundA(sum.z), roundA(sum.w));
  if (dumps) {
    sums[dumpOfFeatures(slotBlock, dumpedSlnv, f)][half] = slnv;
    sums[dumpOfFeatures(slotBlock, dumpedSpnv, f)][half] = spnv;
  }
  let hasKey = factor >= vec4f();
  let isBad = hasKey & (outside4(slnv) | outside4(spnv) | outside4(next));
  if (any(isBad)) {
    let at = stateAt(stateBad);
    state[at][half] = select(state[at][half], vec4f(1.0), isBad);
  }
  return select(rnv, next, hasKey);
}

// SPNV = z(rA(RNV * PRM)).
fn spnvOf(rnv: f32, factor: f32) -> f32 {
  return flushTiny(roundA(pin(rnv * factor)));
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) place: vec3u, @builtin(local_invocation_index) lane: u32) {
  let home = job.blockBegin + place.x;
  let owned = blocks[home];
  slotBlock = home * workgroupSize + lane;
  opaqueZero = bitcast<u32>(state[0][0].x);
  startWords(lane);
  let kvHead = owned.kvHead - job.chunkKvHead;
  let keyBase = kvHead * job.keyStride - job.chunkKey / 8u * job.keyPages;
  let valueBase = kvHead * job.valueStride - job.chunkKey / 8u * job.valuePages;
  let firstTile = max(owned.tileBegin, job.keyBegin / job.m0);
  let lastTile = min(owned.tileEnd, (job.keyEnd + job.m0 - 1u) / job.m0);
  for (var tile = firstTile; tile < lastTile; tile += 1u) {
    tileBegin = tile * job.m0;
    tileEnd = min(tileBegin + job.m0, job.keyCount);
    begin = max(tileBegin, job.keyBegin);
    end = min(tileEnd, job.keyEnd);
    if ((job.phases & phaseScores) != 0u) {
      scores(keyBase);
    }
    if ((job.phases & phaseValues) != 0u) {
      weights();
      if (end == tileEnd) {
        denominators();
      }
      weightedValues(valueBase);
    }
  }
}
