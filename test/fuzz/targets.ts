import { indexTarget, onnxTarget } from "./onnx.js";
import { optionsTarget, programTarget } from "./options.js";
import { resumeTarget } from "./resume.js";
import { shardsTarget } from "./shards.js";
import { settingsTarget, specsTarget } from "./specs.js";
import type { Target } from "./target.js";
import { npyTarget, npzTarget, safetensorsTarget } from "./tensors.js";
import { cascadesTarget, linksTarget } from "./texts.js";

/** Everything that comes from outside. */
export const targets: readonly Target[] = [
  npyTarget,
  npzTarget,
  safetensorsTarget,
  indexTarget,
  onnxTarget,
  specsTarget,
  settingsTarget,
  optionsTarget,
  programTarget,
  cascadesTarget,
  linksTarget,
  resumeTarget,
  shardsTarget,
];
