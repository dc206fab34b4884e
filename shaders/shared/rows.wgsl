// What attention-rows.wgsl and program.wgsl share beside the accumulators: their bindings and the rows of an invocation. `job` is
// theirs. The blocked products are in scores-*.wgsl and values-*.wgsl, for each way in which a sum of products is made.
//
// Layouts, in pages of 8 x 8 words of one fp32 or two 16-bit operands, and in eights of words:
//   queries [slot / 8][E words / 8], a page: 8 words of 8 slots
//   keys    [kv head][m / 8][E words / 8], a page: 8 words of 8 keys
//   values  [kv head][m / 8][F / 16], a page: 8 keys of 16 columns (fp32: [F / 8], 8 columns)
// each followed by the pages of its scales, as fp32: of 8 blocks of 8 slots or keys; of 64 columns of values for their eight of keys,
// and state, sums and scratch as each of them says.
// A page is addressed once for all its words: finding a buffer's bounds costs SwiftShader four divisions.
//
// The prelude says how much is unrolled (RowsShape): blocksAtOnce of 8 keys or columns in registers.
// #import host: Block
// #import shared/eight: Eight, Page
// #import shared/quad-words | shared/shared-words: SharedPage

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
// The keys of the whole tile.
var<private> tileBegin: u32;
var<private> tileEnd: u32;
