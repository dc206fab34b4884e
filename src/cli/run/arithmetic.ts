import { isOnePass } from "../../emulator/one-pass.js";
import { UsageError } from "../../errors.js";
import { refuseOnePassChoices } from "../one-pass-choices.js";
import type { RunDesign } from "./emulated-design.js";
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
}
