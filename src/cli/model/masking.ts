import type { Command } from "commander";
import type { Masking } from "../../model/attention-point.js";
import { type MaskChoice, parseMask } from "../mask/choice.js";
import { mergeMasks } from "../mask/merge.js";
import { repeated } from "../option.js";
import { loadMasks } from "../run/mask-files.js";
import { planesIn } from "../run/mask-planes.js";

/** Masks beside the workload's; false: none, not even its own. */
export type MaskOption = false | readonly MaskChoice[];

/** Adds `--mask` and `--no-mask`. */
export function maskOptions(command: Command): Command {
  return command
    .addOption(
      repeated(
        "--mask <mask>",
        "a mask beside the model's, as run has it: causal, causal:top-left, window:l,r, prefix:n, document:LENGTHS, blocks:FILE,SIZE or a file; may be given again",
        parseMask,
      ),
    )
    .option("--no-mask", "let every query see every key, causal or not");
}

/** What masks of the command line leave of an attention; undefined where there are none. @throws UsageError, InputError */
export async function maskingOf(masks: MaskOption | undefined): Promise<Masking | undefined> {
  if (masks === undefined || masks === false) return undefined;
  const loaded = await loadMasks(masks);
  return ({ workload, window: [left, right], shape, sequences }) => {
    const { corner: _, ...window } = mergeMasks(
      {
        causal: workload.causal ? `the causal mask of ${workload.name}` : null,
        window: { left, right, option: `the window of ${workload.name}` },
        masks,
      },
      sequences,
    );
    return { ...window, planes: planesIn(loaded, shape) };
  };
}
