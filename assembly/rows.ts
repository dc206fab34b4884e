// Rows as they are stored to and from the order in which the kernels walk them.
import { lanes, panelRows } from "./memory";

/** Eight rows [8][width], the first `count` of them there, to lanes [width][8], times a power of two; the others are +0. */
export function rowsToLanes(rows: usize, count: i32, width: i32, to: usize, factor: f32): void {
  const rowBytes = (<usize>width) << 2;
  for (let lane = 0; lane < lanes; lane++) {
    let from = rows + (<usize>lane) * rowBytes;
    let at = to + ((<usize>lane) << 2);
    for (let i = 0; i < width; i++) {
      store<f32>(at, lane < count ? load<f32>(from) * factor : 0);
      from += 4;
      at += 32;
    }
  }
}

/** Lanes [width][8] to the first `count` of eight rows [8][width]. */
export function lanesToRows(from: usize, count: i32, width: i32, rows: usize): void {
  for (let lane = 0; lane < count; lane++) {
    let at = from + ((<usize>lane) << 2);
    for (let i = 0; i < width; i++) {
      store<f32>(rows, load<f32>(at));
      rows += 4;
      at += 32;
    }
  }
}

/** Rows [count][width] to panels of four rows, [ceil(count / 4)][width][4]; the missing rows of the last are +0. */
export function rowsToPanels(rows: usize, count: i32, width: i32, panels: usize): void {
  const rowBytes = (<usize>width) << 2;
  for (let r = 0; r < count; r += panelRows) {
    let at = rows;
    let i = 0;
    if (r + panelRows <= count) {
      for (; i + 4 <= width; i += 4) {
        const a = v128.load(at);
        const b = v128.load(at + rowBytes);
        const c = v128.load(at + 2 * rowBytes);
        const d = v128.load(at + 3 * rowBytes);
        const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
        const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
        const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
        const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
        v128.store(panels, v128.shuffle<i64>(abLow, cdLow, 0, 2));
        v128.store(panels, v128.shuffle<i64>(abLow, cdLow, 1, 3), 16);
        v128.store(panels, v128.shuffle<i64>(abHigh, cdHigh, 0, 2), 32);
        v128.store(panels, v128.shuffle<i64>(abHigh, cdHigh, 1, 3), 48);
        at += 16;
        panels += 64;
      }
    }
    for (; i < width; i++) {
      for (let j = 0; j < panelRows; j++) {
        const value: f32 = r + j < count ? load<f32>(at + (<usize>j) * rowBytes) : 0;
        store<f32>(panels + ((<usize>j) << 2), value);
      }
      at += 4;
      panels += 16;
    }
    rows += 4 * rowBytes;
  }
}

/** Rows [count][width] to panels of four columns, [ceil(width / 4)][count][4]; the missing columns of the last are +0. */
export function columnsToPanels(rows: usize, count: i32, width: i32, panels: usize): void {
  const rowBytes = (<usize>width) << 2;
  for (let column = 0; column < width; column += panelRows) {
    let at = rows + ((<usize>column) << 2);
    const there = min(panelRows, width - column);
    for (let r = 0; r < count; r++) {
      if (there == panelRows) {
        v128.store(panels, v128.load(at));
      } else {
        for (let j = 0; j < panelRows; j++) {
          store<f32>(panels + ((<usize>j) << 2), j < there ? load<f32>(at + ((<usize>j) << 2)) : 0);
        }
      }
      at += rowBytes;
      panels += 16;
    }
  }
}
