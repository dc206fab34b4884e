// Rows as they are stored to and from the order in which the kernels walk them.

/** Eight rows [8][width], `rows` of them there, to lanes [width][8], times a power of two; the missing rows are +0. */
export function rowsToLanes(rows: usize, count: i32, width: i32, lanes: usize, factor: f32): void {
  const rowBytes = (<usize>width) << 2;
  for (let lane = 0; lane < 8; lane++) {
    let from = rows + (<usize>lane) * rowBytes;
    let to = lanes + ((<usize>lane) << 2);
    for (let i = 0; i < width; i++) {
      store<f32>(to, lane < count ? load<f32>(from) * factor : 0);
      from += 4;
      to += 32;
    }
  }
}

/** Lanes [width][8] to the first `count` of eight rows [8][width]. */
export function lanesToRows(lanes: usize, count: i32, width: i32, rows: usize): void {
  for (let lane = 0; lane < count; lane++) {
    let from = lanes + ((<usize>lane) << 2);
    for (let i = 0; i < width; i++) {
      store<f32>(rows, load<f32>(from));
      rows += 4;
      from += 32;
    }
  }
}

/** Rows [count][width] to panels of four rows, [ceil(count / 4)][width][4]; the missing rows of the last are +0. */
export function rowsToPanels(rows: usize, count: i32, width: i32, panels: usize): void {
  const rowBytes = (<usize>width) << 2;
  const zero = i32x4.splat(0);
  for (let r = 0; r < count; r += 4) {
    let at = rows;
    let i = 0;
    if (r + 4 <= count) {
      for (; i + 4 <= width; i += 4) {
        const a = v128.load(at);
        const b = v128.load(at + rowBytes);
        const c = v128.load(at + 2 * rowBytes);
        const d = v128.load(at + 3 * rowBytes);
        const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
        const AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
        const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
        const CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
        v128.store(panels, v128.shuffle<i64>(ab, cd, 0, 2));
        v128.store(panels, v128.shuffle<i64>(ab, cd, 1, 3), 16);
        v128.store(panels, v128.shuffle<i64>(AB, CD, 0, 2), 32);
        v128.store(panels, v128.shuffle<i64>(AB, CD, 1, 3), 48);
        at += 16;
        panels += 64;
      }
    }
    for (; i < width; i++) {
      v128.store(panels, zero);
      for (let j = 0; j < 4 && r + j < count; j++) {
        store<f32>(panels + ((<usize>j) << 2), load<f32>(at + (<usize>j) * rowBytes));
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
  for (let column = 0; column < width; column += 4) {
    let at = rows + ((<usize>column) << 2);
    const there = min(4, width - column);
    for (let r = 0; r < count; r++) {
      if (there == 4) {
        v128.store(panels, v128.load(at));
      } else {
        v128.store(panels, i32x4.splat(0));
        for (let j = 0; j < there; j++) store<f32>(panels + ((<usize>j) << 2), load<f32>(at + ((<usize>j) << 2)));
      }
      at += rowBytes;
      panels += 16;
    }
  }
}
