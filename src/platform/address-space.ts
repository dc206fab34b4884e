import { readFileSync } from "node:fs";

/** What V8 sets aside for a thread: 850 MiB for the first, 590 for each after it (Node 20, x64). */
export const threadAddressBytes = 2 ** 30;

/** What V8 sets aside for a WebAssembly memory, however small: 10 GiB, so that no access needs a check. */
export const wasmAddressBytes = 10.25 * 2 ** 30;

/**
 * Bytes of address space that this process may still take: infinite without a limit (`ulimit -v`), and where there is no
 * /proc. V8 ends the whole process when it gets none for a thread, so that it has to be asked for before.
 */
export function freeAddressBytes(): number {
  try {
    const [, limit] = /^Max address space\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    const pages = Number(readFileSync("/proc/self/statm", "latin1").split(" ")[0]);
    return Number(limit) - pages * 4096;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** How many more threads fit the address space. */
export const threadsThatFit = (): number => Math.max(0, Math.floor(freeAddressBytes() / threadAddressBytes));
