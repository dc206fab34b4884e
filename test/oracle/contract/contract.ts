import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArithmeticCase } from "../../arithmetic/random-case.js";
import { writeCases } from "./write-cases.js";

/** The bits of AV and the numerators that saturated, or that the contract refuses the case. */
export type ContractOutcome = { readonly av: readonly string[]; readonly saturated: number } | "refused";

/** contract.c, compiled. */
export interface Contract {
  readonly compiler: string;
  run(cases: readonly ArithmeticCase[]): readonly ContractOutcome[];
  close(): void;
}

const compilers = (): readonly string[] => [process.env["CC"] ?? "cc", "cc", "gcc", "clang"];

/** Compiles contract.c with the first C compiler at hand; null where there is none. */
export function openContract(): Contract | null {
  const compiler = compilers().find(name => {
    try {
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
  if (compiler === undefined) return null;
  const folder = mkdtempSync(join(tmpdir(), "fusemax-contract-"));
  const program = join(folder, "contract");
  const source = join(import.meta.dirname, "contract.c");
  execFileSync(compiler, ["-std=c11", "-O1", "-ffp-contract=off", "-o", program, source, "-lm"]);
  return {
    compiler,
    run: cases => {
      const text = execFileSync(program, { input: writeCases(cases), encoding: "utf8", maxBuffer: 2 ** 28 });
      return text.trimEnd().split("\n").map(outcomeOf);
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

function outcomeOf(line: string): ContractOutcome {
  const [kind, saturated, ...av] = line.split(" ");
  return kind === "av" ? { av, saturated: Number(saturated) } : "refused";
}
