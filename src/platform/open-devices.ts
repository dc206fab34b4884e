const open = new Set<GPUDevice>();

/** Notes a device that works on threads of its own; `forget` it once it is closed. */
export const noteDevice = (device: GPUDevice): { readonly forget: () => void } => {
  open.add(device);
  return { forget: () => void open.delete(device) };
};

/**
 * Ends all work on devices, for a process about to exit: waits for what has been submitted, at most two short dispatches. Threads
 * of a driver that still compile or compute while the C library takes its globals down may end the process with SIGSEGV.
 */
export function endDevices(): void {
  for (const device of open) device.destroy();
  open.clear();
}
