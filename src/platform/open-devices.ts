import type { WebGpuEngine } from "../emulator/webgpu/engine.js";

const open = new Set<WebGpuEngine>();

/** Notes an engine whose device works on threads of its own; the returned function forgets it once it is closed. */
export function noteEngine(engine: WebGpuEngine): () => void {
  open.add(engine);
  return () => void open.delete(engine);
}

/** How long devices may take to come to rest: dispatches are shorter, compilations may not be. */
const restMilliseconds = 600;

/**
 * Lets devices come to rest, for a process about to exit: threads of a driver that still compile or compute while the C library
 * takes its globals down may end the process with SIGSEGV. Settles at once where none is open, and soon in any case.
 * @example
 * ```ts
 * import { haltDevices } from "fusemax/node";
 *
 * process.once("SIGTERM", () => void haltDevices().then(() => process.exit(143)));
 * ```
 */
export async function haltDevices(): Promise<void> {
  if (open.size === 0) return;
  const rest = Promise.all([...open].map(engine => engine.halt()));
  await Promise.race([rest, new Promise(resolve => setTimeout(resolve, restMilliseconds))]);
}
