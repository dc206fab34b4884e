/*
 * The arithmetic contract of docs/arithmetic.md and docs/numerics.md, written from their text alone: attention in any
 * arithmetic, one value at a time, as plainly as C allows. It shares no code, no table and no idea of speed with the
 * project's own engines, and exists to disagree with them.
 *
 *     cc -std=c11 -O1 -ffp-contract=off -o contract contract.c -lm && ./contract < cases
 *
 * Standard input holds cases, each as write-cases.ts writes it; for each a line comes out: "av", how many numerators
 * saturated and the bits of AV, or "refused" where the contract has an error.
 *
 * Arithmetic: float and double are binary32 and binary64, rounded to nearest, without more precision in between.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "float and double have to be computed in their own precision (-msse2 -mfpmath=sse on 32-bit x86)"
#endif

static jmp_buf refuse_case;
static void refuse(void) { longjmp(refuse_case, 1); }

static void bad_input(const char *what) {
  fprintf(stderr, "contract: %s is not what write-cases.ts writes\n", what);
  exit(2);
}

static void *zeros(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size);
  if (!memory) { fprintf(stderr, "contract: out of memory\n"); exit(2); }
  return memory;
}

/* Types: "Types" of docs/arithmetic.md. */

typedef struct {
  const char *name;
  int significand_bits, least_exponent;
  double largest, flush;   /* flush: T; 0 where a type has none */
  int saturates, integer;
} Type;

static const Type types[] = {
  { "fp32", 24, -126, 0x1.fffffep127, 0x1p-30, 0, 0 },
  { "bf16", 8, -126, 0x1.fep127, 0x1p-50, 0, 0 },
  { "fp16", 11, -14, 65504, 0x1p-24, 0, 0 },
  { "fp8-e4m3", 4, -6, 448, 0, 1, 0 },
  { "fp8-e5m2", 3, -14, 57344, 0, 1, 0 },
  { "fp6-e2m3", 4, 0, 7.5, 0, 1, 0 },
  { "fp6-e3m2", 3, -2, 28, 0, 1, 0 },
  { "fp4-e2m1", 2, 0, 6, 0, 1, 0 },
  { "int8", 7, 0, 127, 0, 1, 1 },
};

static const Type *type_named(const char *name) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (!strcmp(types[i].name, name)) return &types[i];
  bad_input(name);
  return NULL;
}

/* floor(log2 |x|) of a number that is not zero. */
static int exponent_of(double x) {
  int e;
  frexp(x, &e);
  return e - 1;
}

/* A value rounded once to the grid of a type, as if it had no largest value. */
static double to_grid(double x, const Type *type) {
  if (x == 0 || !isfinite(x)) return x;
  if (type->integer) {
    double whole = floor(fabs(x));
    return copysign(whole + (fabs(x) - whole >= 0.5), x);
  }
  int e = exponent_of(x);
  int step = (e > type->least_exponent ? e : type->least_exponent) - (type->significand_bits - 1);
  /* The quotient may be too small for a double; it is then far below half a step. */
  if (e < step - 1) return copysign(0, x);
  return ldexp(nearbyint(ldexp(x, -step)), step);
}

/* rO: *saturated counts values past the largest. */
static double to_operand(double x, const Type *type, long *saturated) {
  double y = to_grid(x, type);
  if (type->saturates && fabs(y) > type->largest) {
    y = copysign(type->largest, y);
    if (saturated) ++*saturated;
  }
  return y == 0 || fabs(y) < type->flush ? 0 : y;
}

/* A quotient rounded to fp32 once: the double nearest to it is moved to its odd neighbour where it is not exact. */
static float quotient32(double x, double s) {
  double q = x / s;
  if (q == 0 || !isfinite(q)) return (float)q;
  double rest = fma(-q, s, x);
  uint64_t bits;
  memcpy(&bits, &q, 8);
  if (rest != 0 && !(bits & 1)) {
    q = (rest > 0) == (s > 0) ? nextafter(q, INFINITY) : nextafter(q, -INFINITY);
  }
  return (float)q;
}

/* An arithmetic: its fields, as in the file. */

enum { NONE, TENSOR, HEAD, ROWS, MX, NVFP4 };

typedef struct { const Type *type; int scale, rows; } Operand;

typedef struct {
  Operand q, k, v, p;
  const Type *accumulator;
  int smooth;
  int block, align, fraction_bits;    /* block 0: chain */
  int fused_exponent, fused_steps;
  int degree;
  float coefficients[32];
  float offset, threshold;
  int unrounded, running, descending, reciprocal;
} Arithmetic;

static Arithmetic a;

/* rA, with the range of the accumulator. */
static float to_a(double x) {
  float y = (float)x;
  if (a.accumulator->significand_bits < 24) y = (float)to_grid(y, a.accumulator);
  if (!(fabs((double)y) <= a.accumulator->largest)) refuse();
  return y == 0 ? 0 : y;
}

static float z(float x) { return fabsf(x) < 0x1p-100f ? 0 : x; }

/* E2 of t. */
static double e2(float t) {
  if (t < -50) return 0;
  if (!(t <= 64)) refuse();
  float n = floorf(t);
  float f = (float)(t - n);
  int narrow = a.accumulator->significand_bits < 24;
  if (narrow) f = to_a(f);
  float p = narrow ? to_a(a.coefficients[a.degree]) : a.coefficients[a.degree];
  for (int i = a.degree - 1; i >= 0; i--) {
    float c = a.coefficients[i];
    if (narrow) p = to_a((double)p * f + to_a(c));
    else if (a.fused_steps) p = fmaf(p, f, c);
    else {
      float product = p * f;
      p = product + c;
    }
  }
  return ldexp(p, (int)n);
}

/* E2 of a difference, without the offset, and its rP. */
static float exponent_factor;
static float fall(float from, float to) { return to_a((double)from - to) * exponent_factor; }
static float correction(float from, float to) {
  float y = to_a(e2(fall(from, to)));
  return y < 0x1p-50f ? 0 : y;
}

/* Sums of products. */

/* A position: factors with their types, and whether the query sees it (a feature always). */
typedef struct { double x, y; int seen; } Position;

static double cut(double x, int step) { return trunc(ldexp(x, -step)); }

static int factor_exponent(double x, const Type *type) {
  int e = exponent_of(x);
  return e < type->least_exponent ? type->least_exponent : e;
}

/* One step of a tensor core; `scale` adds to the exponents of the products. */
static float tensor_step(float sum, const Position *at, int count, const Type *left, const Type *right, int scale) {
  int any = 0, most = 0;
  if (sum != 0) { most = factor_exponent(sum, &types[0]); any = 1; }
  for (int i = 0; i < count; i++) {
    if (!at[i].seen || at[i].x == 0 || at[i].y == 0) continue;
    int e = factor_exponent(at[i].x, left) + factor_exponent(at[i].y, right) + scale;
    if (!any || e > most) most = e;
    any = 1;
  }
  if (!any) return 0;
  int step = most - a.align;
  int64_t total = (int64_t)cut(sum, step);
  for (int i = 0; i < count; i++)
    if (at[i].seen) total += (int64_t)cut(at[i].x * at[i].y, step - scale);
  if (total == 0) return 0;
  /* total * 2^step, cut toward zero to the result's fraction bits. */
  int e = exponent_of((double)total) + step;
  if (e < -126) e = -126;
  double kept = ldexp(trunc(ldexp((double)total, step - (e - a.fraction_bits))), e - a.fraction_bits);
  if (fabs(kept) > FLT_MAX) refuse();
  return kept == 0 ? 0 : (float)kept;
}

/* Positions with one pair of scales, on top of a sum. */
static float add_run(float sum, const Position *at, int count, const Operand *left, const Operand *right, float sx,
                     float sy) {
  if (a.block) {
    int scale = left->scale == MX ? exponent_of(sx) + exponent_of(sy) : 0;
    for (int first = 0; first < count; first += a.block) {
      int n = count - first < a.block ? count - first : a.block, seen = 0;
      for (int i = 0; i < n; i++) seen |= at[first + i].seen;
      if (seen) sum = tensor_step(sum, at + first, n, left->type, right->type, scale);
    }
    return sum;
  }
  int scaled = left->scale == MX || left->scale == NVFP4;
  float u = scaled ? 0 : sum;
  for (int i = 0; i < count; i++) {
    if (!at[i].seen) continue;
    float product = (float)(at[i].x * at[i].y);
    u = scaled ? (float)((double)u + product) : to_a((double)u + product);
  }
  if (!scaled) return u;
  if (left->scale == MX) return to_a(sum + (double)u * sx * sy);
  float factor = sx * sy;
  return to_a((double)sum + (float)((double)u * factor));
}

/* Operands with their scales: of a matrix whose sums run along columns. */

typedef struct {
  int rows, columns, block;      /* columns that share a scale; 0: one a row */
  double *values;
  float *scales;                 /* [rows][blocks] */
} Encoded;

static int blocks_of(const Encoded *m) { return m->block ? (m->columns + m->block - 1) / m->block : 1; }
static float scale_at(const Encoded *m, int row, int column) {
  return m->scales[row * blocks_of(m) + (m->block ? column / m->block : 0)];
}

static double floor_amax(double amax) { return amax < 0x1p-40 ? 0 : amax; }

/* The largest magnitude of an operand without a scale; the others saturate. */
static double limit_of(const Type *type) { return type->saturates ? INFINITY : type == type_named("fp16") ? 65504 : 0x1p50; }

/* Encodes `count` values of stride `stride` that share amax. `g`: nvfp4's factor of the head. Gives the scale. */
static float encode_set(const double *x, double *to, int count, int stride, const int *kept, int kept_stride,
                        double amax, const Operand *o, float g, long *saturated) {
  float s = 1;
  double top = o->type->largest;
  int nothing = amax == 0;
  if (o->scale == MX) {
    int e = nothing ? -127 : exponent_of(amax) - exponent_of(top);
    s = (float)ldexp(1, e < -127 ? -127 : e > 127 ? 127 : e);
  } else if (o->scale == NVFP4) {
    float wanted = (float)((double)g * quotient32(amax, top));
    s = quotient32(to_operand(wanted, type_named("fp8-e4m3"), NULL), g);
    nothing = s == 0;
  } else if (o->scale != NONE) s = nothing ? 1 : quotient32(amax, top);
  else nothing = 0;
  for (int i = 0; i < count; i++) {
    int there = !kept || kept[i * kept_stride];
    double value = x[i * stride];
    double ratio = o->scale == NONE ? value : o->scale == MX ? value / s : nothing ? 0 : quotient32(value, s);
    to[i * stride] = there && !nothing ? to_operand(ratio, o->type, saturated) : 0;
    if (fabs(to[i * stride]) > limit_of(o->type)) refuse();
  }
  return s;
}

static double amax_of(const double *x, int count, int stride, const int *kept, int kept_stride) {
  double amax = 0;
  for (int i = 0; i < count; i++)
    if ((!kept || kept[i * kept_stride]) && fabs(x[i * stride]) > amax) amax = fabs(x[i * stride]);
  return floor_amax(amax);
}

/* One case: its sizes, masks and values. */

static int B, H, Hkv, P, M, E, F, m0, kv_splits, left_window, right_window, has_plane;
static double scale;
static int *q_lens, *kv_lens;
static unsigned char *plane;          /* [B][H][P][M] */
static double *q_in, *k_in, *v_in;

static int sees(int b, int h, int p, int m) {
  if (p >= q_lens[b] || m >= kv_lens[b]) return 0;
  int i = p + kv_lens[b] - q_lens[b];
  if (left_window >= 0 && m < i - left_window) return 0;
  if (right_window >= 0 && m > i + right_window) return 0;
  return !has_plane || plane[((size_t)(b * H + h) * P + p) * M + m];
}

static int group(void) { return H / Hkv; }

/* Whether some query of a kv head sees each key, [B][Hkv][M]. */
static int *seen_keys(void) {
  int *seen = zeros((size_t)B * Hkv * M, sizeof *seen);
  for (int b = 0; b < B; b++)
    for (int h = 0; h < H; h++)
      for (int p = 0; p < P; p++)
        for (int m = 0; m < M; m++)
          if (sees(b, h, p, m)) seen[(b * Hkv + h / group()) * M + m] = 1;
  return seen;
}

static void smooth_keys(const int *seen) {
  for (int head = 0; head < B * Hkv; head++)
    for (int e = 0; e < E; e++) {
      double sum = 0;
      int count = 0;
      for (int m = 0; m < M; m++)
        if (seen[head * M + m]) { sum += (float)k_in[(size_t)(head * M + m) * E + e]; count++; }
      float mean = (float)(sum / count);
      for (int m = 0; m < M; m++)
        if (seen[head * M + m]) {
          double *k = &k_in[(size_t)(head * M + m) * E + e];
          *k = (float)*k - mean;
        }
    }
  for (size_t i = 0; i < (size_t)B * Hkv * M * E; i++) k_in[i] = (float)k_in[i];
}

/*
 * A tensor [heads][rows][columns] encoded; `kept` says which rows exist, [heads][rows]. `per_head`: heads that share the
 * scale of a head (for q: those of a kv head). Blocks lie along columns, or for v (`along_rows`) along rows.
 */
static Encoded encode(const double *x, int heads, int rows, int columns, const int *kept, int per_head,
                      const Operand *o, int along_rows) {
  Encoded out = { heads * rows, columns, 0, zeros((size_t)heads * rows * columns, sizeof(double)), NULL };
  size_t size = (size_t)rows * columns;
  double tensor_amax = 0, *head_amax = zeros(heads, sizeof(double));
  for (int head = 0; head < heads; head++)
    for (int row = 0; row < rows; row++)
      if (kept[head * rows + row]) {
        double amax = 0;
        for (int c = 0; c < columns; c++) {
          double y = fabs(x[head * size + (size_t)row * columns + c]);
          if (y > amax) amax = y;
        }
        if (amax > head_amax[head]) head_amax[head] = amax;
        if (amax > tensor_amax) tensor_amax = amax;
      }
  int width = o->scale == MX ? 32 : o->scale == NVFP4 ? 16 : 0;
  out.block = width && !along_rows ? width : 0;
  int v_blocks = width && along_rows ? (rows + width - 1) / width : 1;
  /* Along rows: [heads][v_blocks][columns]. */
  out.scales = zeros(width && along_rows ? (size_t)heads * v_blocks * columns : (size_t)heads * rows * blocks_of(&out), sizeof(float));
  for (int head = 0; head < heads; head++) {
    const double *from = x + head * size;
    double *to = out.values + head * size;
    const int *there = kept + head * rows;
    float g = o->scale == NVFP4 && floor_amax(head_amax[head]) > 0 ? quotient32(2688, head_amax[head]) : 1;
    if (width && along_rows) {
      for (int block = 0; block < v_blocks; block++) {
        int first = block * width, n = rows - first < width ? rows - first : width;
        for (int c = 0; c < columns; c++) {
          const double *set = from + (size_t)first * columns + c;
          double amax = amax_of(set, n, columns, there + first, 1);
          out.scales[((size_t)head * v_blocks + block) * columns + c] =
            encode_set(set, to + (size_t)first * columns + c, n, columns, there + first, 1, amax, o, g, NULL);
        }
      }
      continue;
    }
    double shared = 0;
    for (int other = head / per_head * per_head; other < head / per_head * per_head + per_head; other++)
      if (head_amax[other] > shared) shared = head_amax[other];
    for (int row = 0; row < rows; row++) {
      const double *set = from + (size_t)row * columns;
      if (width) {
        for (int first = 0; first < columns; first += width) {
          int n = columns - first < width ? columns - first : width;
          double amax = there[row] ? amax_of(set + first, n, 1, NULL, 0) : 0;
          out.scales[((size_t)head * rows + row) * blocks_of(&out) + first / width] =
            encode_set(set + first, to + (size_t)row * columns + first, n, 1, there + row, 0, amax, o, g, NULL);
        }
        continue;
      }
      double amax = o->scale == TENSOR ? tensor_amax : shared;
      if (o->scale == ROWS) {
        int first = row / o->rows * o->rows;
        amax = 0;
        for (int r = first; r < first + o->rows && r < rows; r++)
          if (there[r]) { double y = amax_of(from + (size_t)r * columns, columns, 1, NULL, 0); if (y > amax) amax = y; }
      }
      out.scales[head * rows + row] =
        encode_set(set, to + (size_t)row * columns, columns, 1, there + row, 0, floor_amax(amax), o, g, NULL);
    }
  }
  free(head_amax);
  return out;
}

static int scaled_afterwards(const Operand *o) { return o->scale == TENSOR || o->scale == HEAD || o->scale == ROWS; }

/* BQK of rows of q and k. */
static float score(const Encoded *q, int qi, const Encoded *k, int ki) {
  Position at[8192];
  float sum = 0;
  int width = q->block ? q->block : E;
  for (int first = 0; first < E; first += width) {
    int n = E - first < width ? E - first : width;
    for (int i = 0; i < n; i++) {
      Position one = { q->values[(size_t)qi * E + first + i], k->values[(size_t)ki * E + first + i], 1 };
      at[i] = one;
    }
    sum = add_run(sum, at, n, &a.q, &a.k, scale_at(q, qi, first), scale_at(k, ki, first));
  }
  if (!scaled_afterwards(&a.q) && !scaled_afterwards(&a.k)) return sum;
  float factor = scale_at(q, qi, 0) * scale_at(k, ki, 0);
  return z(to_a((double)sum * factor));
}

/* The state of a query. */
typedef struct { int any; float rm, rd, *rnv; } State;

static long saturated_p;

/* Passes a query through the tile of keys [first, end) of a kv head. */
static void pass_tile(State *s, const Encoded *q, int row, const Encoded *k, const Encoded *v, int kv_head, int first,
                      int end, const unsigned char *seen) {
  int count = end - first, any = 0;
  for (int i = 0; i < count; i++) any |= seen[first + i];
  if (!any) return;
  float *bqk = zeros(count, sizeof(float)), lm = -INFINITY;
  for (int i = 0; i < count; i++)
    if (seen[first + i]) {
      bqk[i] = score(q, row, k, kv_head * M + first + i);
      if (bqk[i] > lm) lm = bqk[i];
    }
  float rm = lm, prm = 0;
  if (s->any) {
    rm = s->rm > lm ? s->rm : lm;
    if (a.threshold > 0 && fall(s->rm, rm) >= -a.threshold) { rm = s->rm; prm = 1; }
    else prm = correction(s->rm, rm);
  }
  /* Numerators: E2, then operands in blocks from the tile's first key. */
  double *numerators = zeros(count, sizeof(double)), *sln = zeros(count, sizeof(double));
  float *scales = zeros(count, sizeof(float));
  int *there = zeros(count, sizeof(int));
  for (int i = 0; i < count; i++) {
    there[i] = seen[first + i];
    if (!there[i]) continue;
    float t;
    if (a.fused_exponent) {
      float product = rm * exponent_factor;
      float b = a.offset - product;
      t = fmaf(bqk[i], exponent_factor, b);
    } else {
      t = fall(bqk[i], rm);
      if (a.offset != 0) t = t + a.offset;
    }
    numerators[i] = e2(t);
  }
  int p_width = a.p.scale == MX ? 32 : a.p.scale == NVFP4 ? 16 : count;
  for (int at = 0; at < count; at += p_width) {
    int n = count - at < p_width ? count - at : p_width;
    double amax = amax_of(numerators + at, n, 1, there + at, 1);
    float scale = encode_set(numerators + at, sln + at, n, 1, there + at, 1, amax, &a.p, 1, &saturated_p);
    for (int i = 0; i < n; i++) scales[at + i] = scale;
  }
  float spd = z(to_a((double)s->rd * prm));
  float sld = a.running ? spd : 0;
  for (int n = 0; n < count; n++) {
    int i = a.descending ? count - 1 - n : n;
    if (there[i]) sld = to_a(sld + (a.unrounded ? (double)to_a(numerators[i]) : sln[i] * scales[i]));
  }
  s->rd = a.running ? sld : to_a((double)sld + spd);
  int v_width = a.v.scale == MX ? 32 : a.v.scale == NVFP4 ? 16 : 0, v_blocks = v_width ? (M + v_width - 1) / v_width : 1;
  Position *positions = zeros(count, sizeof(Position));
  for (int f = 0; f < F; f++) {
    float spnv = z(to_a((double)s->rnv[f] * prm));
    float slnv = a.running ? spnv : 0;
    for (int n = 0; n < count;) {
      int run = 0, start = a.descending ? count - 1 - n : n;
      for (; n < count; n++, run++) {
        int i = a.descending ? count - 1 - n : n;
        int same = !v_width || (i / v_width == start / v_width && (first + i) / v_width == (first + start) / v_width);
        if (!same) break;
        Position one = { sln[i], v->values[((size_t)kv_head * M + first + i) * F + f], there[i] };
        positions[run] = one;
      }
      float sv = v_width ? v->scales[((size_t)kv_head * v_blocks + (first + start) / v_width) * F + f] : 1;
      slnv = add_run(slnv, positions, run, &a.p, &a.v, v_width ? scales[start] : 1, sv);
    }
    s->rnv[f] = a.running ? slnv : to_a((double)slnv + spnv);
  }
  s->rm = rm;
  s->any = 1;
  free(positions); free(bqk); free(numerators); free(sln); free(scales); free(there);
}

static void attention(float *av) {
  exponent_factor = (float)(scale * 1.4426950408889634);
  int *seen = seen_keys(), *queries = zeros((size_t)B * H * P, sizeof(int));
  for (int head = 0; head < B * H; head++)
    for (int p = 0; p < q_lens[head / H]; p++) queries[head * P + p] = 1;
  if (a.smooth) smooth_keys(seen);
  Encoded q = encode(q_in, B * H, P, E, queries, group(), &a.q, 0);
  Encoded k = encode(k_in, B * Hkv, M, E, seen, 1, &a.k, 0);
  Encoded v = encode(v_in, B * Hkv, M, F, seen, 1, &a.v, 1);
  int after = a.v.scale == TENSOR || a.v.scale == HEAD;
  unsigned char *visible = zeros(M, 1);
  for (int b = 0; b < B; b++)
    for (int h = 0; h < H; h++)
      for (int p = 0; p < P; p++) {
        int row = (b * H + h) * P + p, kv_head = b * Hkv + h / group();
        float *out = av + (size_t)row * F;
        for (int m = 0; m < M; m++) visible[m] = (unsigned char)sees(b, h, p, m);
        int tiles = (kv_lens[b] + m0 - 1) / m0, per_run = (tiles + kv_splits - 1) / kv_splits;
        State all = { 0, 0, 0, zeros(F, sizeof(float)) }, runs[64];
        int n = 0;
        for (int from = 0; from < tiles; from += per_run) {
          State s = { 0, 0, 0, zeros(F, sizeof(float)) };
          int past = from + per_run < tiles ? from + per_run : tiles;
          for (int at = from; at < past; at++) {
            int tile = a.descending ? past - 1 - (at - from) : at;
            int end = (tile + 1) * m0 < kv_lens[b] ? (tile + 1) * m0 : kv_lens[b];
            pass_tile(&s, &q, row, &k, &v, kv_head, tile * m0, end, visible);
          }
          if (s.any) runs[n++] = s; else free(s.rnv);
        }
        if (n > 0 && kv_splits == 1) {
          all.any = 1; all.rd = runs[0].rd;
          for (int f = 0; f < F; f++) all.rnv[f] = runs[0].rnv[f];
        } else if (n > 0) {
          float r = runs[0].rm;
          for (int i = 1; i < n; i++) if (runs[i].rm > r) r = runs[i].rm;
          for (int i = 0; i < n; i++) {
            float w = correction(runs[i].rm, r);
            all.rd = to_a((double)all.rd + z(to_a((double)runs[i].rd * w)));
            for (int f = 0; f < F; f++) all.rnv[f] = to_a((double)all.rnv[f] + z(to_a((double)runs[i].rnv[f] * w)));
          }
          all.any = 1;
        }
        for (int f = 0; f < F; f++) {
          out[f] = 0;
          if (!all.any) continue;
          if (a.reciprocal) out[f] = z(to_a((double)all.rnv[f] * z(to_a((double)(1 / all.rd)))));
          else out[f] = z(to_a((double)(all.rnv[f] / all.rd)));
          if (after) out[f] = z(to_a((double)out[f] * v.scales[kv_head * M]));
        }
        for (int i = 0; i < n; i++) free(runs[i].rnv);
        free(all.rnv);
      }
  free(visible); free(seen); free(queries);
  free(q.values); free(k.values); free(v.values); free(q.scales); free(k.scales); free(v.scales);
}

/* Reading: words apart by blanks; values in hexadecimal bits. */

static const char *word(void) {
  static char text[64];
  if (scanf("%63s", text) != 1) bad_input("the end");
  return text;
}
static void keyword(const char *expected) { if (strcmp(word(), expected)) bad_input(expected); }
static int number(void) { return (int)strtol(word(), NULL, 10); }
static int is(const char *name) { return !strcmp(word(), name); }
static float float_bits(void) {
  uint32_t bits = (uint32_t)strtoul(word(), NULL, 16);
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
static double double_bits(void) {
  uint64_t bits = strtoull(word(), NULL, 16);
  double x;
  memcpy(&x, &bits, 8);
  return x;
}
static Operand operand(const char *name) {
  static const char *const scales[] = { "none", "tensor", "head", "rows", "mx", "nvfp4" };
  keyword(name);
  Operand o = { type_named(word()), NONE, 0 };
  const char *given = word();
  while (o.scale < 6 && strcmp(given, scales[o.scale])) o.scale++;
  if (o.scale == 6) bad_input("a scale");
  o.rows = number();
  return o;
}
static double *doubles(size_t count) {
  double *x = zeros(count, sizeof(double));
  for (size_t i = 0; i < count; i++) x[i] = double_bits();
  return x;
}

static void read_case(void) {
  a.q = operand("q"); a.k = operand("k"); a.v = operand("v"); a.p = operand("p");
  a.accumulator = type_named(word());
  a.smooth = is("keys");
  a.block = number(); a.align = number();
  a.fraction_bits = is("e8m13-rz") ? 13 : 23;
  a.fused_exponent = is("fused");
  a.fused_steps = is("fused");
  a.degree = number() - 1;
  if (a.degree < 0 || a.degree > 31) bad_input("a number of coefficients");
  for (int i = 0; i <= a.degree; i++) a.coefficients[i] = float_bits();
  a.offset = float_bits(); a.threshold = float_bits();
  a.unrounded = is("unrounded"); a.running = is("running"); a.descending = is("descending"); a.reciprocal = is("reciprocal");
  keyword("shape");
  B = number(); H = number(); Hkv = number(); P = number(); M = number(); E = number(); F = number();
  m0 = number(); kv_splits = number(); scale = double_bits();
  if (E > 8192 || kv_splits > 64) bad_input("a size");
  left_window = number(); right_window = number();
  q_lens = zeros(B, sizeof(int)); kv_lens = zeros(B, sizeof(int));
  for (int b = 0; b < B; b++) { q_lens[b] = number(); kv_lens[b] = number(); }
  has_plane = number();
  plane = zeros((size_t)B * H * P * M, 1);
  for (size_t i = 0; has_plane && i < (size_t)B * H * P * M; i++) plane[i] = (unsigned char)number();
  q_in = doubles((size_t)B * H * P * E);
  k_in = doubles((size_t)B * Hkv * M * E);
  v_in = doubles((size_t)B * Hkv * M * F);
}

int main(void) {
  int cases = number();
  for (int n = 0; n < cases; n++) {
    keyword("case");
    read_case();
    size_t count = (size_t)B * H * P * F;
    float *av = zeros(count, sizeof(float));
    saturated_p = 0;
    if (setjmp(refuse_case)) printf("refused\n");
    else {
      attention(av);
      printf("av %ld", saturated_p);
      for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &av[i], 4);
        printf(" %08lx", (unsigned long)bits);
      }
      printf("\n");
    }
    free(av); free(q_lens); free(kv_lens); free(plane); free(q_in); free(k_in); free(v_in);
  }
  return 0;
}
