import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CascadeSource } from "../../src/attention/problem.js";

export const library = (name: string): CascadeSource => ({
  name,
  text: readFileSync(fileURLToPath(new URL(`../../specs/cascades/${name}.cascade`, import.meta.url)), "utf8"),
});

/** FlashAttention-2's loop as somebody might write it: other names and orders, sums kept apart, a reciprocal at the end. */
const own: CascadeSource = {
  name: "own",
  text: `# title: a loop of one's own
# roles: q=X, k=Y, v=Z, out=O
inputs: X[p,d], Y[n,d], Z[n,c]
ranks: N = N1 * N0
Initialization:
  R[n1=0, p] = -inf
  L[n1=0, p] = 0
  U[c, n1=0, p] = 0
Extended Einsums:
  YB[n1,n0,d] = Y[n1*N0+n0, d]
  ZB[n1,n0,c] = Z[n1*N0+n0, c]
  S[p,n1,n0] = X[p,d] * YB[n1,n0,d]
  B[p,n1] = S[p,n1,n0] :: max(n0)
  R[n1+1,p] = max(R[n1,p], B[p,n1])
  W[p,n1,n0] = exp(S[p,n1,n0] - R[n1+1,p])
  G[n1,p] = exp(R[n1,p] - R[n1+1,p])
  W1[p,n1] = W[p,n1,n0]
  L[n1+1,p] = L[n1,p] * G[n1,p] + W1[p,n1]
  T[c,n1,p] = W[p,n1,n0] * ZB[n1,n0,c]
  U[c,n1+1,p] = U[c,n1,p] * G[n1,p] + T[c,n1,p]
  I[p] = recip(L[N1,p])
  O[p,c] = U[c,N1,p] * I[p]
until: n1 >= N1
`,
};

/** The cascades that every engine runs: those of the library that compute attention, and one of a user's own. */
export const attentionCascades: readonly CascadeSource[] = [
  ...["attention-1-pass", "attention-2-pass", "attention-3-pass", "attention-3-pass-deferred"].map(library),
  own,
];

/** More of what a user may write, for the engines that are quick to compile. */
export const otherCascades: readonly CascadeSource[] = [
  {
    name: "factors within products",
    text: `inputs: Q[e,p], K[e,m], V[f,m]
ranks: M = M1 * M0
Initialization:
  R[m1=0, p] = -inf
  D[m1=0, p] = 0
  N[f, m1=0, p] = 0
Extended Einsums:
  S[m1,m0,p] = K[e, m1*M0+m0] * Q[e,p]
  L[m1,p] = S[m1,m0,p] :: max(m0)
  R[m1+1,p] = max(R[m1,p], L[m1,p])
  C[m1,p] = exp(R[m1,p] - R[m1+1,p])
  T[m1,p] = exp(S[m1,m0,p] - R[m1+1,p])
  W[f,m1,p] = exp(S[m1,m0,p] - R[m1+1,p]) * V[f, m1*M0+m0]
  D[m1+1,p] = D[m1,p] * C[m1,p] + T[m1,p]
  N[f,m1+1,p] = N[f,m1,p] * C[m1,p] + W[f,m1,p]
  AV[f,p] = N[f,M1,p] / D[M1,p]
until: m1 >= M1
`,
  },
  {
    name: "sums in two levels, each in a pass of the maximum's",
    text: `inputs: Q[e,p], K[e,m], V[f,m]
ranks: M = M1 * M0
BK[e,m1,m0] = K[e, m1*M0+m0]
BV[f,m1,m0] = V[f, m1*M0+m0]
S[m1,m0,p] = Q[e,p] * BK[e,m1,m0]
L[m1,p] = S[m1,m0,p] :: max(m0)
G[p] = L[m1,p] :: max(m1)
W[m1,m0,p] = exp(S[m1,m0,p] - G[p])
D[m1,p] = W[m1,m0,p]
DD[p] = D[m1,p]
N[f,m1,p] = W[m1,m0,p] * BV[f,m1,m0]
NN[f,p] = N[f,m1,p]
AV[f,p] = NN[f,p] / DD[p]
`,
  },
  {
    name: "no maximum",
    text: `inputs: Q[e,p], K[e,m], V[f,m]
QK[m,p] = Q[e,p] * K[e,m]
SN[m,p] = exp(QK[m,p])
SD[p] = SN[m,p]
R[p] = recip(SD[p])
A[m,p] = SN[m,p] * R[p] @operand
AV[f,p] = A[m,p] * V[f,m]
`,
  },
  {
    name: "two passes that keep accumulators",
    text: library("attention-2-pass")
      .text.replace("SLD[m1,p] = SLN[m1,m0,p]", "SLD[m1,p] = SLN[m1,m0,p] @accumulator")
      .replace("exp(LM[m1,p] - GM[p])", "exp(LM[m1,p] - GM[p]) @factor"),
  },
];
