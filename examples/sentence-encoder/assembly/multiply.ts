/**
 * C = A · B in float64: `rows` rows of A [rows, k], a multiple of four, and B in panels of four columns, [k, 4] each.
 * C is [rows, 4 · panels]. Four rows by four columns stay in registers; every sum runs in ascending order.
 */
export function multiply(a: usize, rows: i32, k: i32, b: usize, panels: i32, c: usize): void {
  const row = (<usize>k) << 3;
  const panel = row << 2;
  const line = (<usize>panels) << 5;
  for (let j = 0; j < panels; j++) {
    let from = a;
    let to = c;
    for (let i = 0; i < rows; i += 4) {
      let p0 = f64x2.splat(0);
      let q0 = p0;
      let p1 = p0;
      let q1 = p0;
      let p2 = p0;
      let q2 = p0;
      let p3 = p0;
      let q3 = p0;
      let x = from;
      let y = b;
      const end = b + panel;
      do {
        const p = v128.load(y);
        const q = v128.load(y, 16);
        const x0 = v128.load_splat<f64>(x);
        p0 = f64x2.add(p0, f64x2.mul(x0, p));
        q0 = f64x2.add(q0, f64x2.mul(x0, q));
        const x1 = v128.load_splat<f64>(x + row);
        p1 = f64x2.add(p1, f64x2.mul(x1, p));
        q1 = f64x2.add(q1, f64x2.mul(x1, q));
        const x2 = v128.load_splat<f64>(x + 2 * row);
        p2 = f64x2.add(p2, f64x2.mul(x2, p));
        q2 = f64x2.add(q2, f64x2.mul(x2, q));
        const x3 = v128.load_splat<f64>(x + 3 * row);
        p3 = f64x2.add(p3, f64x2.mul(x3, p));
        q3 = f64x2.add(q3, f64x2.mul(x3, q));
        x += 8;
        y += 32;
      } while (y < end);
      v128.store(to, p0);
      v128.store(to, q0, 16);
      v128.store(to + line, p1);
      v128.store(to + line, q1, 16);
      v128.store(to + 2 * line, p2);
      v128.store(to + 2 * line, q2, 16);
      v128.store(to + 3 * line, p3);
      v128.store(to + 3 * line, q3, 16);
      from += 4 * row;
      to += 4 * line;
    }
    b += panel;
    c += 32;
  }
}
