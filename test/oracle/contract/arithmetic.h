/*
 * What contract.c computes with: types, the operations of a PE, sums of products, operands with their scales.
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
