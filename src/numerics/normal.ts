/**
 * The quantile of the normal distribution, AS 241 PPND16 (Wichura, Applied Statistics 37, 1988), from + - * / and
 * sqrt alone: Math.log would give other bits on other machines.
 */
const evaluate = (c: readonly number[], x: number): number => {
  let y = 0;
  for (let i = c.length - 1; i >= 0; i -= 1) y = y * x + (c[i] as number);
  return y;
};

const central = {
  a: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  b: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852854,
  ],
};
const middle = {
  a: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  b: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
};
const tail = {
  a: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
  ],
  b: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 0.000018463183175100548,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
};

/** 1, 1/3, … 1/21: the coefficients of atanh z in z^(2i + 1). */
const atanh = Array.from({ length: 11 }, (_, i) => 1 / (2 * i + 1));

/** ln x for a normal float64 x in (0, 1]: x = m * 2^-k with m in [sqrt 1/2, sqrt 2), then the series of atanh. */
export function logarithm(x: number): number {
  let m = x;
  let k = 0;
  while (m < 2 ** -16) {
    m *= 2 ** 16;
    k += 16;
  }
  while (m < Math.SQRT1_2) {
    m *= 2;
    k += 1;
  }
  const z = (m - 1) / (m + 1);
  const z2 = z * z;
  let sum = 0;
  for (let i = atanh.length - 1; i >= 0; i -= 1) sum = sum * z2 + (atanh[i] as number);
  return 2 * z * sum - k * Math.LN2;
}

/** The x with P(X <= x) = p for a standard normal X; 0 < p < 1. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (q <= 0.425 && q >= -0.425) {
    const r = 0.180625 - q * q;
    return (q * evaluate(central.a, r)) / evaluate(central.b, r);
  }
  const r = Math.sqrt(-logarithm(q < 0 ? p : 1 - p));
  const x =
    r <= 5
      ? evaluate(middle.a, r - 1.6) / evaluate(middle.b, r - 1.6)
      : evaluate(tail.a, r - 5) / evaluate(tail.b, r - 5);
  return q < 0 ? -x : x;
}
