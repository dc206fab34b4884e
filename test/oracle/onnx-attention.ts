/**
 * ONNX's Attention in float64, written from the operator's text (https://onnx.ai/onnx/operators/onnx__Attention.html, versions 23
 * to 25) one score at a time: nothing of src is used, and nothing is blocked, so that each line can be held against the text.
 */
export interface Tensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export interface AttentionNode {
  readonly Q: Tensor;
  readonly K: Tensor;
  readonly V: Tensor;
  /** Booleans as 0 and 1 where `boolean`. */
  readonly attn_mask?: Tensor & { readonly boolean: boolean };
  readonly past_key?: Tensor;
  readonly past_value?: Tensor;
  readonly nonpad_kv_seqlen?: readonly number[];
  readonly is_causal?: boolean;
  readonly scale?: number;
  readonly softcap?: number;
  readonly q_num_heads?: number;
  readonly kv_num_heads?: number;
  readonly qk_matmul_output_mode?: number;
  readonly left_window_size?: number;
  readonly right_window_size?: number;
}

export interface AttentionResult {
  readonly Y: Tensor;
  readonly present_key: Tensor;
  readonly present_value: Tensor;
  readonly qk_matmul_output: Tensor;
}

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
type At = (b: number, h: number, s: number, d: number) => number;

/** A tensor's sizes [B, H, S, D] and its elements, whichever of the two layouts it has. */
function view(
  { shape, values }: Tensor,
  heads: number | undefined,
): { readonly sizes: readonly number[]; readonly at: At } {
  const [a = 1, b = 1, c = 1, d = 1] = shape;
  if (shape.length === 4)
    return { sizes: [a, b, c, d], at: (i, j, k, l) => values[((i * b + j) * c + k) * d + l] ?? 0 };
  const H = heads ?? 1;
  const D = c / H;
  return { sizes: [a, H, b, D], at: (i, j, k, l) => values[(i * b + k) * c + j * D + l] ?? 0 };
}

export function onnxAttention(node: AttentionNode): AttentionResult {
  const q = view(node.Q, node.q_num_heads);
  const k = view(node.K, node.kv_num_heads);
  const v = view(node.V, node.kv_num_heads);
  const [B = 1, H = 1, P = 1, E = 1] = q.sizes;
  const [, G = 1, news = 1] = k.sizes;
  const F = v.sizes[3] ?? 1;
  const past = node.past_key?.shape[2] ?? 0;
  const M = past + news;
  const pastK = node.past_key === undefined ? null : view(node.past_key, G);
  const pastV = node.past_value === undefined ? null : view(node.past_value, G);
  const key: At = (b, g, m, e) => (m < past && pastK !== null ? pastK.at(b, g, m, e) : k.at(b, g, m - past, e));
  const value: At = (b, g, m, f) => (m < past && pastV !== null ? pastV.at(b, g, m, f) : v.at(b, g, m - past, f));

  const scale = node.scale ?? 1 / Math.sqrt(E);
  const { softcap = 0, left_window_size: left = -1, right_window_size: right = -1 } = node;
  const raw: At = (b, h, p, m) =>
    scale * range(E).reduce((sum, e) => sum + q.at(b, h, p, e) * key(b, Math.floor((h * G) / H), m, e), 0);
  const capped: At = (b, h, p, m) => (softcap > 0 ? softcap * Math.tanh(raw(b, h, p, m) / softcap) : raw(b, h, p, m));

  /** "offset is the count of valid keys preceding the current query block" */
  const offset = (b: number): number => {
    if (node.past_key !== undefined) return past;
    return node.nonpad_kv_seqlen === undefined ? 0 : (node.nonpad_kv_seqlen[b] ?? 0) - P;
  };
  const bias: At = (b, h, p, m) => {
    const place = p + offset(b);
    const hidden =
      (node.is_causal === true && m > place) ||
      (left >= 0 && m < place - left) ||
      (right >= 0 && m > place + right) ||
      m >= (node.nonpad_kv_seqlen?.[b] ?? M);
    return hidden ? Number.NEGATIVE_INFINITY : attnMask(node, b, h, p, m);
  };
  const biased: At = (b, h, p, m) => capped(b, h, p, m) + bias(b, h, p, m);

  /** Zero for a row that sees no key. */
  const probabilities = (b: number, h: number, p: number): readonly number[] => {
    const biases = range(M).map(m => bias(b, h, p, m));
    const scores = range(M).map(m =>
      biases[m] === Number.NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : biased(b, h, p, m),
    );
    const largest = Math.max(...scores);
    if (largest === Number.NEGATIVE_INFINITY) return scores.map(() => 0);
    const numerators = scores.map(s => Math.exp(s - largest));
    const sum = numerators.reduce((a, x) => a + x, 0);
    return numerators.map(x => x / sum);
  };

  const tensor = (shape: readonly [number, number, number, number], at: At): Tensor => {
    const [b, h, s, d] = shape.map(range);
    const list = (items: readonly number[] | undefined) => items ?? [];
    return {
      shape,
      values: list(b).flatMap(i => list(h).flatMap(j => list(s).flatMap(y => list(d).map(x => at(i, j, y, x))))),
    };
  };
  const rows = new Map<string, readonly number[]>();
  const probability: At = (b, h, p, m) => {
    const name = `${b} ${h} ${p}`;
    const row = rows.get(name) ?? probabilities(b, h, p);
    rows.set(name, row);
    return row[m] ?? 0;
  };
  const modes = [raw, capped, biased, probability];
  const y: At = (b, h, p, f) =>
    range(M).reduce((sum, m) => {
      const weight = probability(b, h, p, m);
      return weight === 0 ? sum : sum + weight * value(b, Math.floor((h * G) / H), m, f);
    }, 0);
  const Y =
    node.Q.shape.length === 4
      ? tensor([B, H, P, F], y)
      : { ...tensor([B, P, H, F], (b, p, h, f) => y(b, h, p, f)), shape: [B, P, H * F] };
  return {
    Y,
    present_key: tensor([B, G, M, E], key),
    present_value: tensor([B, G, M, F], value),
    qk_matmul_output: tensor([B, H, P, M], modes[node.qk_matmul_output_mode ?? 0] ?? raw),
  };
}

/** What attn_mask adds: broadcast from the right, its last rank padded with minus infinity. */
function attnMask({ attn_mask: mask }: AttentionNode, b: number, h: number, p: number, m: number): number {
  if (mask === undefined) return 0;
  const sizes = [1, 1, 1, 1, ...mask.shape].slice(mask.shape.length);
  const [B = 1, H = 1, P = 1, M = 1] = sizes;
  if (m >= M) return Number.NEGATIVE_INFINITY;
  const at = (((B === 1 ? 0 : b) * H + (H === 1 ? 0 : h)) * P + (P === 1 ? 0 : p)) * M + m;
  const x = mask.values[at] ?? 0;
  if (!mask.boolean) return x;
  return x === 0 ? Number.NEGATIVE_INFINITY : 0;
}
