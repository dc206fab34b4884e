import type { CascadeSource } from "../attention/problem.js";

/** FuseMax Eq. 33-38; the library's attention-3-pass. */
export const threePass: CascadeSource = {
  name: "attention-3-pass",
  text: `inputs: Q[e,p], K[e,m], V[f,m]
QK[m,p] = Q[e,p] * K[e,m]
GM[p] = QK[m,p] :: max(m)
SN[m,p] = exp(QK[m,p] - GM[p])
SD[p] = SN[m,p]
A[m,p] = SN[m,p] / SD[p]
AV[f,p] = A[m,p] * V[f,m]
`,
};
