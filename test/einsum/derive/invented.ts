/** A cascade that no law was written for, what is expected of it, and why. */
export interface Invented {
  readonly name: string;
  readonly rank: string;
  /** Of the cascade as it is written, and of the best that is equal to it in float64. */
  readonly passes: readonly [given: number, best: number];
  /** The passes of the best whose sums cancel on some input, where that is fewer. */
  readonly cancelling?: number;
  /** Whether it is measured that one pass cannot be had. */
  readonly impossible?: true;
  readonly text: string;
}

const scores = "inputs: Q[e,p], K[e,m], V[f,m]\nQK[m,p] = Q[e,p] * K[e,m]\n";
const softmax = "GM[p] = QK[m,p] :: max(m)\nSN[m,p] = exp(QK[m,p] - GM[p])\nSD[p] = SN[m,p]\n";
const row = "inputs: X[m], W[m]\nG = X[m] :: max(m)\nN[m] = exp(X[m] - G)\nD = N[m]\n";
const twoRows =
  "inputs: X[m], Z[m], V[m]\nGX = X[m] :: max(m)\nGZ = Z[m] :: max(m)\nNX[m] = exp(X[m] - GX)\nNZ[m] = exp(Z[m] - GZ)\nDX = NX[m]\nDZ = NZ[m]\n";
const means = "inputs: X[k], Y[k]\nSX = X[k]\nSY = Y[k]\nMX = SX / K\nMY = SY / K\n";

export const invented: readonly Invented[] = [
  {
    name: "two temperatures",
    rank: "M",
    passes: [3, 1],
    text: `inputs: X[m]\nG = X[m] :: max(m)\nA[m] = exp((X[m] - G) / 2)\nB[m] = exp((X[m] - G) / 3)\nSA = A[m]\nSB = B[m]\nP[m] = A[m] / SA\nR[m] = B[m] / SB\nY = P[m] * R[m]`,
  },
  {
    name: "log-sum-exp of a product",
    rank: "M",
    passes: [2, 1],
    text: "T[m] = X[m] * W[m]\nG = T[m] :: max(m)\nE[m] = exp(T[m] - G)\nS = E[m]\nY = G + log(S)",
  },
  {
    name: "two heads added",
    rank: "M",
    passes: [3, 1],
    text: `${twoRows}P[m] = NX[m] / DX + NZ[m] / DZ\nY = P[m] * V[m]`,
  },
  {
    name: "two heads combined before the division",
    rank: "M",
    passes: [3, 1],
    text: "inputs: X[m], Z[m], V[m]\nGX = X[m] :: max(m)\nGZ = Z[m] :: max(m)\nN[m] = exp(X[m] - GX) + exp(Z[m] - GZ)\nD = N[m]\nP[m] = N[m] / D\nY = P[m] * V[m]",
  },
  {
    name: "differential attention",
    rank: "M",
    passes: [3, 1],
    text: `${twoRows}A[m] = NX[m] / DX - NZ[m] / DZ / 2\nY = A[m] * V[m]`,
  },
  {
    name: "a difference under a name of its own",
    rank: "M",
    passes: [3, 1],
    text: `${scores}GM[p] = QK[m,p] :: max(m)\nC[m,p] = QK[m,p] - GM[p]\nSN[m,p] = exp(C[m,p])\nSD[p] = SN[m,p]\nAV[f,p] = SN[m,p] / SD[p] * V[f,m]`,
  },
  {
    name: "softmin",
    rank: "M",
    passes: [3, 1],
    text: "inputs: X[m], W[m]\nG = X[m] :: min(m)\nN[m] = exp(G - X[m])\nD = N[m]\nA[m] = N[m] / D\nY = A[m] * W[m]",
  },
  {
    name: "gates on attention",
    rank: "M",
    passes: [3, 1],
    text: `${scores.replace("V[f,m]\n", "V[f,m], H[m]\n")}${softmax}A[m,p] = SN[m,p] / SD[p] * sigmoid(H[m])\nAV[f,p] = A[m,p] * V[f,m]`,
  },
  {
    name: "normalized values",
    rank: "M",
    passes: [3, 1],
    text: `${scores}NV[m] = square(V[f,m])\nVN[f,m] = V[f,m] * rsqrt(NV[m])\n${softmax}A[m,p] = SN[m,p] / SD[p]\nAV[f,p] = A[m,p] * VN[f,m]`,
  },
  { name: "the largest probability", rank: "M", passes: [3, 1], text: `${row}P[m] = N[m] / D\nY = P[m] :: max(m)` },
  {
    name: "sum of squared probabilities",
    rank: "M",
    passes: [3, 1],
    text: `${row}P[m] = N[m] / D\nY = square(P[m])`,
  },
  {
    name: "entropy of a softmax",
    rank: "M",
    passes: [3, 2],
    cancelling: 1,
    text: `${row}P[m] = N[m] / D\nH = P[m] * log(P[m])\nY = neg(H)`,
  },
  {
    name: "a variance with a softmax's weights",
    rank: "M",
    passes: [3, 2],
    cancelling: 1,
    text: `${row}SW = N[m] * W[m]\nMEAN = SW / D\nSS = N[m] * square(W[m] - MEAN)\nV = SS / D`,
  },
  {
    name: "normalized retention",
    rank: "M",
    passes: [3, 1],
    text: `inputs: Q[e,p], K[e,m], V[f,m], L[m]\nG = L[m] :: max(m)\nD[m] = exp(L[m] - G)\nQK[m,p] = Q[e,p] * K[e,m]\nW[m,p] = QK[m,p] * D[m]\nN[p] = abs(W[m,p])\nA[m,p] = W[m,p] / max(N[p], 1)\nO[f,p] = A[m,p] * V[f,m]`,
  },
  {
    name: "a decay by products",
    rank: "M",
    passes: [2, 1],
    text: "inputs: H[m], X[m]\nP[m=0] = 1\nP[m+1] = P[m] * sigmoid(H[m])\nY = X[m] * P[M] / P[m+1]\nuntil: m >= M",
  },
  {
    name: "a polynomial kernel",
    rank: "M",
    passes: [2, 1],
    text: `${scores}W[m,p] = square(QK[m,p] + 1)\nD[p] = W[m,p]\nA[m,p] = W[m,p] / D[p]\nAV[f,p] = A[m,p] * V[f,m]`,
  },
  { name: "covariance", rank: "K", passes: [2, 1], text: `${means}C = (X[k] - MX) * (Y[k] - MY)\nV = C / K` },
  {
    name: "correlation",
    rank: "K",
    passes: [2, 1],
    text: `${means}A[k] = X[k] - MX\nB[k] = Y[k] - MY\nAA = square(A[k])\nBB = square(B[k])\nAB = A[k] * B[k]\nR = AB * rsqrt(AA) * rsqrt(BB)`,
  },
  {
    name: "weighted variance, a moment of inertia",
    rank: "K",
    passes: [2, 1],
    text: "inputs: X[k], W[k]\nSW = W[k]\nSX = W[k] * X[k]\nC = SX / SW\nI = W[k] * square(X[k] - C)",
  },
  {
    name: "variance with squared weights",
    rank: "K",
    passes: [2, 1],
    text: "inputs: X[k], U[k]\nW[k] = square(U[k])\nSW = W[k]\nSX = W[k] * X[k]\nC = SX / SW\nI = W[k] * square(X[k] - C)\nV = I / SW",
  },
  {
    name: "skewness",
    rank: "K",
    passes: [2, 2],
    cancelling: 1,
    text: "S = X[k]\nC = S / K\nD[k] = X[k] - C\nS2 = square(D[k])\nS3 = D[k] * D[k] * D[k]\nY = S3 / K / (S2 / K * sqrt(S2 / K))",
  },
  {
    name: "group normalization into a product",
    rank: "D",
    passes: [3, 1],
    text: "inputs: X[g,d], W[g,d]\nS[g] = X[g,d]\nM[g] = S[g] / D\nC[g,d] = X[g,d] - M[g]\nSS[g] = square(C[g,d])\nR[g] = rsqrt(SS[g] / D + 1e-5)\nY[g,d] = C[g,d] * R[g]\nZ[g] = Y[g,d] * W[g,d]",
  },
  {
    name: "cosine similarity",
    rank: "K",
    passes: [2, 1],
    text: "inputs: X[k], Y[k]\nNX = square(X[k])\nNY = square(Y[k])\nA[k] = X[k] * rsqrt(NX)\nB[k] = Y[k] * rsqrt(NY)\nC = A[k] * B[k]",
  },
  {
    name: "range normalization into a product",
    rank: "K",
    passes: [2, 1],
    text: "inputs: X[k], W[k]\nHI = X[k] :: max(k)\nLO = X[k] :: min(k)\nY[k] = (X[k] - LO) / (HI - LO)\nZ = Y[k] * W[k]",
  },
  {
    name: "quantization by the largest magnitude into a product",
    rank: "K",
    passes: [2, 1],
    text: "inputs: A[k], W[k,n]\nM = abs(A[k]) :: max(k)\nB[k] = A[k] * 448 / M\nC[n] = B[k] * W[k,n]\nY[n] = C[n] * M",
  },
  {
    name: "distance of normalized values",
    rank: "D",
    passes: [2, 2],
    cancelling: 1,
    text: "inputs: X[d], W[d]\nSS = square(X[d])\nR = rsqrt(SS / D + 1e-5)\nY[d] = X[d] * R\nZ = square(Y[d] - W[d])",
  },
  {
    name: "mean absolute deviation",
    rank: "K",
    passes: [2, 2],
    impossible: true,
    text: "S = X[k]\nC = S / K\nY = abs(X[k] - C)",
  },
  { name: "softmax itself", rank: "M", passes: [3, 2], impossible: true, text: `${row}Y[m] = N[m] / D * W[m]` },
  {
    name: "a softmax of values over their largest magnitude",
    rank: "K",
    passes: [3, 2],
    text: "inputs: X[k], W[k]\nM = abs(X[k]) :: max(k)\nY[k] = X[k] / M\nS = exp(Y[k])\nZ = exp(Y[k]) / S * W[k]",
  },
  {
    name: "the value beside a maximum",
    rank: "K",
    passes: [2, 2],
    text: "inputs: X[k], W[k]\nG = X[k] :: max(k)\nI[k] = relu(1 - (G - X[k]) * 1e6)\nY = I[k] * W[k]",
  },
];
