import { type WebGpuEngine, webGpuEngine } from "#fusemax/emulator/webgpu/engine";
import type { Variant } from "#fusemax/emulator/webgpu/variant";
import type { Adapter } from "#fusemax/platform/adapters";
import { gentleWait } from "#fusemax/platform/gentle-wait";
import { readShader } from "#fusemax/platform/shaders";

/** The engine on a device of the adapter's, untested, with some of its choices changed. */
export async function openOn(
  adapter: Adapter,
  options: { readonly variant?: Partial<Variant>; readonly device?: GPUDevice } = {},
): Promise<WebGpuEngine> {
  const { name, kind } = adapter;
  const device = options.device ?? (await adapter.requestDevice());
  const variant = options.variant === undefined ? {} : { variant: options.variant };
  return webGpuEngine({ device, adapter: name, kind, shaders: readShader, hostWait: gentleWait, ...variant });
}
