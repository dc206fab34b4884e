import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { attentionRoles, inputsBeside, rolesOf } from "../../src/einsum/roles.js";
import { CascadeError } from "../../src/einsum/source.js";

const three = (q = "Q[e,p]", k = "K[e,m]", v = "V[f,m]", av = "AV[f,p]", more = "") =>
  parseCascade(`${more}S[m,p] = ${q} * ${k}\n${av} = S[m,p] * ${v}`, "mine");

describe("the roles of attention", () => {
  it("law: are those of the tensors and their ranks, in any order of these", () => {
    for (const q of ["Q[e,p]", "Q[p,e]"])
      for (const k of ["K[e,m]", "K[m,e]"])
        for (const v of ["V[f,m]", "V[m,f]"])
          for (const av of ["AV[f,p]", "AV[p,f]"])
            expect(rolesOf(three(q, k, v, av)), `${q} ${k} ${v} ${av}`).toEqual({
              ...{ q: "Q", k: "K", v: "V", out: "AV", queries: "P", keys: "M", e: "E", f: "F" },
            });
  });

  it("are named by the header, each by itself", () => {
    const text = "# roles: q=A, v = C ,out=W\nS[m,p] = A[d,p] * K[d,m]\nW[g,p] = S[m,p] * C[g,m]\nU = S[m,p]";
    expect(rolesOf(parseCascade(text))).toMatchObject({ q: "A", k: "K", v: "C", out: "W", e: "D", f: "G" });
    // Two outputs, of which nothing says which one it is.
    expect(() => rolesOf(parseCascade(text.replace(",out=W", ""), "mine"))).toThrow(
      /^mine:1:1: no tensor out; expected a tensor for each of q, k, v and out; name them in the cascade's header: # roles/,
    );
    expect(() => rolesOf(parseCascade(text.replace("q=A, ", ""), "mine"))).toThrow(/^mine:1:1: no tensor Q;/);
  });

  it.each([
    ["a width that they do not share", three("Q[d,p]")],
    ["queries by more ranks", three("Q[e,p,b]")],
    ["queries by fewer", three("Q[e]")],
    ["values that have no keys", three(undefined, undefined, "V[f,n]")],
    ["values of one rank", three(undefined, undefined, "V[m]", "AV[p]")],
    ["an output without queries", three(undefined, undefined, undefined, "AV[f,m]")],
    ["an output of other ranks", three(undefined, undefined, "V[f,m]", "AV[e,p]")],
    [
      "a shifted index",
      parseCascade("inputs: Q[e,p+1], K[e,m], V[f,m]\nS[m,p] = Q[e,p+1] * K[e,m]\nAV[f,p] = S[m,p] * V[f,m]"),
    ],
  ])("are none where there is %s", (_what, cascade) => {
    expect(() => rolesOf(cascade)).toThrow(
      /got Q\[.*\], K\[.*\], V\[.*\], AV\[.*\]; expected attention of q\[e,p\], k\[e,m\] and v\[f,m\] alone, which gives out\[f,p\]; fusemax evaluate takes any cascade/,
    );
    expect(attentionRoles(cascade)).toBeNull();
    // Without a header the first line is named.
    try {
      rolesOf(cascade);
    } catch (error) {
      expect(error instanceof CascadeError ? error.span : error).toEqual({ line: 1, column: 1, length: 1 });
    }
  });

  it("have inputs beside them where the header says so, and no other", () => {
    const biased = (header: string) => three("Q[e,p]", "K[e,m] + B[m,p] + C[m]", undefined, undefined, header);
    expect(inputsBeside(biased("# beside: B , C\n"))).toEqual(["B", "C"]);
    expect(rolesOf(biased("# beside: B , C\n"), ["B", "C"]).q).toBe("Q");
    expect(attentionRoles(biased("# beside: B , C\n"))?.q).toBe("Q");
    expect(() => rolesOf(biased(""), ["B"])).toThrow(/got the input C; expected attention/);
    expect(() => rolesOf(biased(""))).toThrow(/got the input B, C; expected attention/);
    expect(attentionRoles(biased("# beside: B\n"))).toBeNull();
  });
});
