import { afterAll, describe, expect, it } from "vitest";
import { cpuEngine } from "../../../src/emulator/cpu.js";
import type { Engine } from "../../../src/emulator/engine.js";
import { wasmEngine } from "../../../src/emulator/wasm/engine.js";
import { specFiles } from "../../../src/io/spec-files.js";
import { nodeWasmHost } from "../../../src/platform/wasm-host.js";
import { loadArithmetic } from "../../../src/spec/load.js";
import { difference, engineOutcome, goldenOutcome } from "../../arithmetic/random.js";
import { type ArithmeticCase, randomCase } from "../../arithmetic/random-case.js";
import { readVector, vectorNames } from "../../arithmetic/vectors.js";
import { type ContractOutcome, openContract } from "./contract.js";

/** Cases of each named arithmetic and of random ones; `npm run test:contract` tries more. */
const named = Number(process.env["FUSEMAX_CONTRACT_CASES"] ?? 4);
const random = 20 * named;

const contract = openContract();
if (contract === null) console.warn("No C compiler (cc, gcc or clang): the contract in C was not compared.");
const engines: readonly Engine[] = [cpuEngine(), wasmEngine(await nodeWasmHost())];
afterAll(async () => {
  contract?.close();
  await Promise.all(engines.map(engine => engine.close()));
});

/** Random cases from a seed on, in an arithmetic where one is given; those with terms that contract.c does not have are left out. */
function casesOf(count: number, first: number, arithmetic?: ArithmeticCase["problem"]["arithmetic"]): ArithmeticCase[] {
  const found: ArithmeticCase[] = [];
  for (let seed = first; found.length < count; seed += 1) {
    const one = randomCase(seed);
    const { sink, bias } = one.inputs;
    if ((sink ?? bias ?? one.problem.softcap) !== undefined) continue;
    found.push(arithmetic === undefined ? one : { ...one, problem: { ...one.problem, arithmetic } });
  }
  return found;
}

type Outcome = ReturnType<typeof goldenOutcome>;
/** Which error it is, the text of the contract leaves to its readers. */
const alike = (outcome: Outcome | ContractOutcome): Outcome =>
  outcome === "refused" || "refused" in outcome ? { refused: "an error" } : outcome;

async function compare(cases: readonly ArithmeticCase[]): Promise<number> {
  const wanted = contract?.run(cases) ?? [];
  expect(wanted.length).toBe(cases.length);
  for (const [n, one] of cases.entries()) {
    const outcomes = [goldenOutcome(one), ...(await Promise.all(engines.map(engine => engineOutcome(one, engine))))];
    for (const outcome of outcomes) {
      expect(difference(one, alike(wanted[n] ?? "refused"), alike(outcome)), `case ${n}`).toBeNull();
    }
  }
  return wanted.filter(outcome => outcome !== "refused").length;
}

describe.skipIf(contract === null)("the contract in C, written from its text", () => {
  it.each(vectorNames)("gives the bits of %s", name => {
    const { problem, inputs, av } = readVector(name);
    expect(contract?.run([{ problem, inputs }])).toMatchObject([{ av }]);
  });

  it.each(specFiles.names("arithmetic"))(
    "law: %s has the same bits in the golden implementation and the engines",
    async name => {
      const found = await compare(casesOf(named, 1, loadArithmetic(specFiles, name)));
      expect(found).toBeGreaterThan(named / 2);
    },
    600_000,
  );

  it("law: so has any arithmetic", async () => {
    expect(await compare(casesOf(random, 1))).toBeGreaterThan(random / 2);
  }, 600_000);
});
