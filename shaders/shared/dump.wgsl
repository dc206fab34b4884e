// Where the attention kernels put what they else keep in registers, of the tile that is dumped: behind RNV and SLNV in the sums,
// [slot / 8][job.dumpEights], an eight of slots each: a query's PRM and SPD, SLNV and SPNV of each column of F, then BQK and SLN of
// each key of the tile's eights. `dumps` is a constant of the prelude: a run's kernel is the same text without the stores.
// #import attention-rows | attention-tiles | collect | finish | program: job
const dumpedPrm = 0u;
const dumpedSpd = 1u;
const dumpedSlnv = 0u;
const dumpedSpnv = 1u;
const dumpedBqk = 0u;
const dumpedSln = 1u;

fn dumpedColumns() -> u32 {
  return job.valueBlocks * 16u;
}

fn dumpOfQuery(slotBlock: u32, tensor: u32) -> u32 {
  return job.partsAt * 2u + slotBlock * job.dumpEights + tensor;
}

fn dumpOfFeatures(slotBlock: u32, tensor: u32, f: u32) -> u32 {
  return dumpOfQuery(slotBlock, 2u) + tensor * dumpedColumns() + f;
}

fn dumpOfKeys(slotBlock: u32, tensor: u32, key: u32) -> u32 {
  return dumpOfFeatures(slotBlock, 2u, tensor * job.tilePages * 8u + key);
}
