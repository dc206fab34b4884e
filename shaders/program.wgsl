// What a printed tile program stands on: an invocation owns 8 query rows and walks over the tiles of their keys. The products
// are those of attention-rows.wgsl, the blocking of which they share; what comes after this file is printed for a program
// (src/program/wgsl.ts): tileSteps, endSteps and what they call.
//
// Layouts, in pages of 8 x 8 words of one fp32 or two 16-bit operands, and in eights of words:
//   queries [slot / 8][E words / 8], a page: 8 words of 8 slots
//   keys    [group][m / 8][E words / 8], a page: 8 words of 8 keys
//   values  [group][m / 8][F / 16], a page: 8 keys of 16 columns (fp32: [F / 8], 8 columns)
//   scratch one after the other for each variable with a value a key: [slot / 8][m / 8], a page: 8 keys of 8 slots as fp32
//           values, or as operands in pairs of keys where they have 16 bits; of a tile's keys from its first eight, or of all
//   state   [slot / 8][field], eights, after an eight of zeros
//   sums    one after the other for each vector over F: [slot / 8][F], eights

@group(0) @binding(0) var<uniform> job: ProgramJob;
@group(0) @binding(1) var<storage, read> blocks: array<Block>;
@group(0) @binding(2) var<storage, read> windows: array<vec2u>;
@group(0) @binding(3) var<storage, read> queries: array<Page>;
@group(0) @binding(4) var<storage, read> keys: array<SharedPage>;
@group(0) @binding(5) var<storage, read> values: array<SharedPage>;
@group(0) @binding(6) var<storage, read_write> state: array<Eight>;
@group(0) @binding(7) var<storage, read_write> sums: array<Eight>;
@group(0) @binding(8) var<storage, read_write> scratch: array<Page>;

// The 8 rows of this invocation.
var<private> slotBlock: u32;
// The keys of the tile, and its number.
var<private> tileBegin: u32;
var<private> tileEnd: u32;
var<private> tileIndex: u32;
// Where the keys and values of the rows' group begin in what is bound.
var<private> keyBase: u32;
var<private> valueBase: u32;

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

// Keys [x, y) of the tile that a row sees; in a pass's end all that it sees.
fn windowOf(row: u32) -> vec2u {
  let window = windows[slotBlock * 8u + row];
  return vec2u(max(window.x, tileBegin), min(window.y, tileEnd));
}

fn markBad(row: u32) {
  state[stateAt(0u)][row / 4u][row % 4u] = 1.0;
}

// a / b correctly rounded, b of either sign.
fn quotient(a: f32, b: f32) -> f32 {
  let magnitude = divide(a, abs(b));
  return select(magnitude, -magnitude, b < 0.0);
}

// Sums over E of queries and keys, one for each key of the tile, into the pages from `to` on.
fn productOfKeys(to: u32) {
  let pages = job.keyPages;
  let last = (tileEnd + 7u) / 8u;
  for (var eight = tileBegin / 8u; eight < last; eight += blocksAtOnce) {
    var s = Sixteen();
    var q = slotBlock * pages;
    var k = keyBase + eight * pages;
    // One loop over all pages, some words a turn: a turn costs SwiftShader ten instructions an accumulator.
    for (var w = 0u; w < pages * 8u; w += wordsAtOnce) {
      let query = &queries[q];
      let key = &keys[k];
      let i = w & 7u;
      let place = i * pageStep + pagePlace;
      let rows = (*query)[i];
      let more = (*query)[(i + 1u) & 7u];
      s.first = outerWords(s.first, spread((*key)[place]), rows);
      if (wordsAtOnce == 2u) {
        s.first = outerWords(s.first, spread((*key)[place + pageStep]), more);
      }
      if (blocksAtOnce == 2u) {
        let next = &keys[k + pages];
        s.second = outerWords(s.second, spread((*next)[place]), rows);
        if (wordsAtOnce == 2u) {
          s.second = outerWords(s.second, spread((*next)[place + pageStep]), more);
        }
      }
      q += select(0u, 1u, i + wordsAtOnce == 8u);
      k += select(0u, 1u, i + wordsAtOnce == 8u);
    }
    hold(s);
    for (var half = 0u; half < blocksAtOnce; half += 1u) {
      if (eight + half < last) {
        let page = &scratch[to + eight + half];
        for (var i = 0u; i < 8u; i += 1u) {
          let score = held[half * 8u + i];
          (*page)[i] = Words8(bitcast<vec4u>(score[0]), bitcast<vec4u>(score[1]));
        }
      }
    }
  }
}

// Sums over the tile's keys of operands, in the pages from `lanes` on, and values, into a vector.
fn productOfValues(lanes: u32, vector: u32, goesOn: bool) {
  let columnBlocks = job.valueBlocks * 2u;
  let pages = columnBlocks / perWord;
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
    var s = heldSixteen();
    var w = lanes + first;
    var v = valueBase + first * pages + column / perWord;
    let odd8 = perWord == 2u && column % 2u == 1u;
    for (var t = 0u; t < count; t += wordsAtOnce) {
      let weights = &scratch[w];
      let value = &values[v];
      let i = t & (pageWeights - 1u);
      let place = i * perWord * pageStep + pagePlace;
      let one = (*weights)[i];
      s = addKey(s, spread((*value)[place]), moreOf(v, place), evens(one), odd8);
      if (perWord == 2u) {
        let next = place + pageStep;
        s = addKey(s, spread((*value)[next]), moreOf(v, next), odds(one), odd8);
      }
      if (wordsAtOnce == 2u) {
        let far = place + perWord * pageStep;
        let other = (*weights)[i + 1u];
        s = addKey(s, spread((*value)[far]), moreOf(v, far), evens(other), odd8);
        if (perWord == 2u) {
          let farther = far + pageStep;
          s = addKey(s, spread((*value)[farther]), moreOf(v, farther), odds(other), odd8);
        }
      }
      w += select(0u, 1u, i + wordsAtOnce == pageWeights);
      v += select(0u, pages, i + wordsAtOnce == pageWeights);
    }
    hold(s);
    for (var i = 0u; i < blocksAtOnce * 8u; i += 1u) {
      sums[sumsAt + i] = held[i];
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
  let group = owned.group - job.chunkGroup;
  keyBase = group * job.keyStride - job.chunkKey / 8u * job.keyPages;
  valueBase = group * job.valueStride - job.chunkKey / 8u * (job.valueBlocks * 2u / perWord);
  let firstTile = max(owned.tileBegin, job.keyBegin / job.m0);
  let lastTile = min(owned.tileEnd, (job.keyEnd + job.m0 - 1u) / job.m0);
  for (var tile = firstTile; tile < lastTile; tile += 1u) {
    tileIndex = tile;
    tileBegin = tile * job.m0;
    tileEnd = min(tileBegin + job.m0, job.keyCount);
    tileSteps();
  }
}
