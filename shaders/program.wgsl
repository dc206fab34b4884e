// What a printed tile program builds on: an invocation owns 8 query rows and walks over the tiles of their keys. The products
// are those of shared/scores-*.wgsl and values-*.wgsl; what comes after this file is printed for a program
// (src/program/wgsl.ts): tileSteps, endSteps and what they call.
//
// Layouts of what shared/rows.wgsl leaves open:
//   scratch one after the other for each variable with a value a key: [slot / 8][m / 8], a page: 8 keys of 8 slots as fp32
//           values, or as operands in pairs of keys where they have 16 bits; of a tile's keys from its first eight, or of all
//   state   [slot / 8][field], eights, after an eight of zeros
//   sums    one after the other for each vector over F: [slot / 8][F], eights
// #import host: ProgramJob, blocksAtOnce, endSteps, joinColumn, joinScores, tileSteps, workgroupSize
// #import shared/barrier: opaqueZero
// #import shared/divide: divide
// #import shared/eight: Eight, Words8, floats
// #import shared/quad-words | shared/shared-words: pagePlace, spread, startWords
// #import shared/rows: blocks, keys, scratch, slotBlock, state, sums, tileBegin, tileEnd, windows
// #import shared/scores-blocks | shared/scores-chain | shared/scores-steps | shared/scores-wide: holdScores
// #import shared/sixteen: held, pageWeights
// #import shared/values-blocks | shared/values-chain | shared/values-steps | shared/values-wide: holdWeightedValues
// #import shared/window | shared/window-bits: windowOf

@group(0) @binding(0) var<uniform> job: ProgramJob;

// The tile's number; at a pass's end the tile is all keys.
var<private> tileIndex: u32;
// Where the keys and values of the kv head of the rows begin in what is bound.
var<private> keyBase: u32;
var<private> valueBase: u32;
// The first key of the rows' sequence.
var<private> firstKeyOfAll: u32;

fn stateAt(field: u32) -> u32 {
  return 1u + slotBlock * job.stateFields + field;
}

fn stateOf(field: u32, row: u32) -> f32 {
  return state[stateAt(field)][row / 4u][row % 4u];
}

// Where the pages of a variable begin, so that those of keys 8 i to 8 i + 7 are i further on.
fn tilePage(variable: u32) -> u32 {
  return variable + slotBlock * job.tilePages - tileBegin / 8u;
}

fn wholePage(variable: u32) -> u32 {
  return variable + slotBlock * job.wholePages;
}

fn columns() -> u32 {
  return job.valueBlocks * 16u;
}

fn vectorAt(vector: u32) -> u32 {
  return (vector * job.slotBlocks + slotBlock) * columns();
}

// The addend of the score of a row and key m. They are behind the windows.
fn biasOf(row: u32, m: u32) -> f32 {
  let at = job.biasAt + (slotBlock * 8u + row) * job.biasWords + m;
  return bitcast<f32>(windows[at / 2u][at % 2u]);
}

// The scales of an eight of keys.
fn keyScalesOf(eight: u32) -> Eight {
  return floats(spread(keys[keyBase + eight * job.keyPages + job.operandPages][pagePlace]));
}

fn markBad(row: u32) {
  state[stateAt(0u)][row / 4u][row % 4u] = 1.0;
}

// a / b correctly rounded, b of either sign.
fn quotient(a: f32, b: f32) -> f32 {
  let magnitude = divide(a, abs(b));
  return select(magnitude, -magnitude, b < 0.0);
}

// The keys of the tile that each row sees, [x, y), by half of the rows: for the loops that join products.
var<private> seenFrom: array<vec4u, 2>;
var<private> seenTo: array<vec4u, 2>;

fn seeRows() {
  for (var row = 0u; row < 8u; row += 1u) {
    let window = windowOf(row);
    seenFrom[row / 4u][row % 4u] = window.x;
    seenTo[row / 4u][row % 4u] = window.y;
  }
}

// For each half a function: an index that is not constant costs SwiftShader more than the rest.
fn seesKeys0(m: u32) -> vec4<bool> {
  return (vec4u(m) >= seenFrom[0]) & (vec4u(m) < seenTo[0]);
}

fn seesKeys1(m: u32) -> vec4<bool> {
  return (vec4u(m) >= seenFrom[1]) & (vec4u(m) < seenTo[1]);
}

fn seesTile0() -> vec4<bool> {
  return seenFrom[0] < seenTo[0];
}

fn seesTile1() -> vec4<bool> {
  return seenFrom[1] < seenTo[1];
}

// Sets a field of the rows that see a key of the tile.
fn keepSeen(field: u32, x: Eight) {
  let at = &state[stateAt(field)];
  (*at)[0] = select((*at)[0], x[0], seesTile0());
  (*at)[1] = select((*at)[1], x[1], seesTile1());
}

// Sums over E of queries and keys, one for each key of the tile, into the pages from `to` on. `joined` is the number of a loop
// that is done with them, 0 for none.
fn productOfKeys(to: u32, joined: u32) {
  let last = (tileEnd + 7u) / 8u;
  for (var eight = tileBegin / 8u; eight < last; eight += blocksAtOnce) {
    holdScores(keyBase + eight * job.keyPages);
    for (var half = 0u; half < blocksAtOnce; half += 1u) {
      if (eight + half < last) {
        let page = &scratch[to + eight + half];
        for (var i = 0u; i < 8u; i += 1u) {
          let score = held[half * 8u + i];
          (*page)[i] = Words8(bitcast<vec4u>(score[0]), bitcast<vec4u>(score[1]));
          joinScores(joined, (eight + half) * 8u + i, score);
        }
      }
    }
  }
}

// Sums over the tile's keys of operands, in the pages from `lanes` on, and values, into a vector or to the loop of a number, `joined`.
fn productOfValues(lanes: u32, vector: u32, goesOn: bool, joined: u32) {
  let columnBlocks = job.valueBlocks * 2u;
  let first = tileBegin / 8u;
  let count = ((tileEnd + 7u) / 8u - first) * pageWeights;
  for (var column = 0u; column < columnBlocks; column += blocksAtOnce) {
    let sumsAt = vectorAt(vector) + column * 8u;
    for (var i = 0u; i < blocksAtOnce * 8u; i += 1u) {
      held[i] = Eight();
      if (goesOn) {
        held[i] = sums[sumsAt + i];
      }
    }
    holdWeightedValues(lanes + first, valueBase + first * job.valuePages, column, count);
    for (var i = 0u; i < blocksAtOnce * 8u; i += 1u) {
      if (joined == 0u) {
        sums[sumsAt + i] = held[i];
      } else {
        joinColumn(joined, column * 8u + i, held[i]);
      }
    }
  }
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) place: vec3u, @builtin(local_invocation_index) lane: u32) {
  let home = job.blockBegin + place.x;
  let owned = blocks[home];
  slotBlock = home * workgroupSize + lane;
  opaqueZero = bitcast<u32>(state[0][0].x);
  startWords(lane);
  if (job.atEnd == 1u) {
    tileBegin = 0u;
    tileEnd = job.keyCount;
    endSteps();
    return;
  }
  let kvHead = owned.kvHead - job.chunkKvHead;
  keyBase = kvHead * job.keyStride - job.chunkKey / 8u * job.keyPages;
  valueBase = kvHead * job.valueStride - job.chunkKey / 8u * job.valuePages;
  firstKeyOfAll = owned.firstKey;
  let firstTile = max(owned.tileBegin, job.keyBegin / job.m0);
  let lastTile = min(owned.tileEnd, (job.keyEnd + job.m0 - 1u) / job.m0);
  for (var tile = firstTile; tile < lastTile; tile += 1u) {
    tileIndex = tile;
    tileBegin = tile * job.m0;
    tileEnd = min(tileBegin + job.m0, job.keyCount);
    tileSteps();
  }
}
