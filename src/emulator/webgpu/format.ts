import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import type { Format } from "../../numerics/format.js";
import { requireFormat } from "../../numerics/format-of.js";

/** The number format that the shaders are for. @throws InputError for any other arithmetic */
export const webgpuFormat = (arithmetic: ArithmeticSpec): Format => requireFormat(arithmetic, "engine webgpu");
