import { removeUnfinishedFiles } from "../io/atomic-write.js";
import { onEndingSignal } from "../platform/ending-signals.js";
import { haltDevices } from "../platform/open-devices.js";

const farewells = new Set<() => void>();

/** Runs `farewell` if the process is interrupted before the returned function is called. It must not wait. */
export function onInterrupt(farewell: () => void): () => void {
  farewells.add(farewell);
  return () => farewells.delete(farewell);
}

/** Removes what is half written and runs the farewells. */
export function sayFarewell(): void {
  removeUnfinishedFiles();
  for (const farewell of [...farewells].reverse()) farewell(); // the latest first: a bar ends before what is said
}

/**
 * Ctrl-C, a polite kill and a terminal that goes: remove what is half written, say so, and end with the code that shells expect.
 * @param interruptThread lets a thread that works for this one do the same
 */
export function handleInterrupts(interruptThread: () => Promise<void> = async () => undefined): void {
  onEndingSignal(async ({ code, said }) => {
    sayFarewell();
    await interruptThread();
    process.stderr.write(`fusemax: ${said}\n`);
    await haltDevices();
    process.exit(code);
  });
}
