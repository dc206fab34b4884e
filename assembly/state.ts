// What a half of a lane group (four queries) carries from tile to tile, as offsets from the half's address. The two halves
// of a group lie 16 bytes apart and each field holds both, so a field takes 32 bytes. src/emulator/wasm/memory.ts reads `stateBytes`.

/** RM; `noMaximum` while the query has seen no key. */
export const maxima: usize = 0;
/** RD. */
export const denominators: usize = 32;
/** PRM of this tile. */
export const corrections: usize = 64;
/** SLD of this tile, times `chainScale` for fp16. */
export const numeratorSums: usize = 96;
/** The keys of this tile that each query sees, [start, end). */
export const keyStarts: usize = 128;
export const keyEnds: usize = 160;
/** All ones where a value has left fp16's range. */
export const bad: usize = 192;
export const stateBytes: usize = 224;

/** Stands for "none" in RM: below every score, finite so that differences stay ordered. */
// @ts-ignore: decorator
@inline
export const noMaximum: f32 = <f32>-3.0e38;
