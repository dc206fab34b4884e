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
#include "arithmetic.h"

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
