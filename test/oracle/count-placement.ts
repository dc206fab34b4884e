import type {
  AccessCounts,
  CountedEinsum,
  CountedLevel,
  EinsumObservation,
  Observations,
} from "./count-observation.js";
import { Home, Registers, Results, TileBuffer, type WordSource } from "./count-storage.js";

/**
 * Where each Einsum of the FuseMax design finds and leaves its tensors, a level at a time (mapping 1, FuseMax section V);
 * every access is counted in `observations`. Q, BK and BV come from DRAM through the buffer; LM, SLD and SLNV drain from
 * the 2D array into the 1D array's file, the "spill"; RM, RD and RNV wait in the buffer for the next key tile.
 */
export function placeTensors(observations: Observations) {
  const home = (einsum: CountedEinsum, tensor: string, level: CountedLevel): Home =>
    keep(observations[einsum], tensor, level, new Home());
  const buffered = (einsum: CountedEinsum, tensor: string): TileBuffer =>
    keep(observations[einsum], tensor, "buffer", new TileBuffer(home(einsum, tensor, "dram")));
  const registers = (einsum: CountedEinsum, tensor: string, level: CountedLevel, above: WordSource): Registers =>
    keep(observations[einsum], tensor, level, new Registers(above));
  const results = (einsum: CountedEinsum, level: CountedLevel): Results =>
    keep(observations[einsum], einsum, level, new Results());

  const q = buffered("BQK", "Q");
  const k = buffered("BQK", "BK");
  const v = buffered("SLNV", "BV");
  return {
    BQK: {
      q,
      k,
      qAtPe: registers("BQK", "Q", "registers2d", q),
      kAtPe: registers("BQK", "BK", "registers2d", k),
      out: results("BQK", "registers2d"),
    },
    LM: { qk: home("LM", "BQK", "registers2d"), out: results("LM", "registers2d"), drained: results("LM", "spill") },
    RM: {
      lm: home("RM", "LM", "registers1d"),
      rm0: registers("RM", "RM0", "registers1d", home("RM", "RM0", "buffer")),
      out: results("RM", "registers1d"),
      stored: results("RM", "buffer"),
    },
    SLN: {
      qk: home("SLN", "BQK", "registers2d"),
      rm: registers("SLN", "RM", "registers2d", home("SLN", "RM", "spill")),
      out: results("SLN", "registers2d"),
    },
    SLD: {
      sln: home("SLD", "SLN", "registers2d"),
      out: results("SLD", "registers2d"),
      drained: results("SLD", "spill"),
    },
    SLNV: {
      v,
      sln: home("SLNV", "SLN", "registers2d"),
      vAtPe: registers("SLNV", "BV", "registers2d", v),
      out: results("SLNV", "registers2d"),
      drained: results("SLNV", "spill"),
    },
    PRM: {
      rm0: home("PRM", "RM0", "registers1d"),
      rm: home("PRM", "RM", "registers1d"),
      out: results("PRM", "registers1d"),
    },
    SPD: {
      rd0: registers("SPD", "RD0", "registers1d", home("SPD", "RD0", "buffer")),
      prm: home("SPD", "PRM", "registers1d"),
      out: results("SPD", "registers1d"),
    },
    RD: {
      sld: home("RD", "SLD", "registers1d"),
      spd: home("RD", "SPD", "registers1d"),
      out: results("RD", "registers1d"),
      stored: results("RD", "buffer"),
    },
    SPNV: {
      rnv0: registers("SPNV", "RNV0", "registers1d", home("SPNV", "RNV0", "buffer")),
      prm: home("SPNV", "PRM", "registers1d"),
      out: results("SPNV", "registers1d"),
    },
    RNV: {
      slnv: home("RNV", "SLNV", "registers1d"),
      spnv: home("RNV", "SPNV", "registers1d"),
      out: results("RNV", "registers1d"),
      stored: results("RNV", "buffer"),
    },
    AV: {
      rnv: registers("AV", "RNV", "registers1d", home("AV", "RNV", "buffer")),
      rd: registers("AV", "RD", "registers1d", home("AV", "RD", "buffer")),
      out: results("AV", "registers1d"),
      stored: results("AV", "dram"),
    },
  };
}

export type Placement = ReturnType<typeof placeTensors>;

/** Enters a place where a tensor is kept for an Einsum into that Einsum's observation. */
function keep<T extends { readonly counts: AccessCounts }>(
  { accesses }: EinsumObservation,
  tensor: string,
  level: CountedLevel,
  storage: T,
): T {
  accesses[tensor] = { ...accesses[tensor], [level]: storage.counts };
  return storage;
}
