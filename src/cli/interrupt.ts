import { removeUnfinishedFiles } from "../io/atomic-write.js";

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
 * Ctrl-C: remove what is half written, say so, and end with 130 as shells expect.
 * @param interruptThread lets a thread that works for this one do the same
 */
export function handleInterrupts(interruptThread: () => Promise<void> = async () => undefined): void {
  process.once("SIGINT", async () => {
    sayFarewell();
    await interruptThread();
    process.stderr.write("fusemax: interrupted\n");
    process.exit(130);
  });
}
