import { isOnePass } from "../../emulator/one-pass.js";
import { UsageError } from "../../errors.js";
import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { formatOf } from "../../numerics/format-of.js";
import { refuseOnePassChoices } from "../one-pass-choices.js";
import type { RunDesign } from "./design.js";
import type { RunOptions } from "./options.js";

/** Refuses what an arithmetic or split keys would not change in a cascade that is not FuseMax's. @throws UsageError */
export function refuseOnOtherCascades({ design, cascade }: RunDesign, { kvSplits, arithmetic }: RunOptions): void {
  if (isOnePass(cascade)) return;
  if (kvSplits !== undefined) {
    const expected = "FuseMax's own, whose running sums can be merged (--design fusemax)";
    throw new UsageError({ where: "--kv-splits", got: `the cascade ${cascade.name}`, expected });
  }
  const spec = design.arithmetic.data;
  const where = arithmetic === undefined ? `the arithmetic ${spec.name}` : `--arithmetic ${arithmetic}`;
  refuseOnePassChoices(spec, cascade, where);
  if (formatOf(spec) === null) {
    const got = `the cascade ${cascade.name}`;
    throw new UsageError({ where, got, expected: "FuseMax's cascade, or one of the five number formats" });
  }
}

/** Whether the golden implementation computes it, which alone knows all arithmetics and split keys. */
export const isGolden = (arithmetic: ArithmeticSpec, kvSplits: number): boolean =>
  kvSplits > 1 || formatOf(arithmetic) === null;

/** What the golden implementation does not do. @throws UsageError */
export function refuseBesideGolden({ engine, resume, dump, scores }: RunOptions, what: string): void {
  const given = { "--resume": resume, "--dump": dump, "--scores": scores?.path };
  const [option] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (option !== undefined) throw new UsageError({ where: option, got: what, expected: "one of the five formats" });
  if (engine === "cpu" || engine === "auto") return;
  throw new UsageError({ where: `--engine ${engine}`, got: what, expected: "--engine cpu" });
}
