import { removeUnfinishedFiles } from "../io/atomic-write.js";

const farewells = new Set<() => void>();

/** Runs `farewell` if the process is interrupted before the returned function is called. It must not wait. */
export function onInterrupt(farewell: () => void): () => void {
  farewells.add(farewell);
  return () => farewells.delete(farewell);
}

/** Ctrl-C: remove what is half written, say so, and end with 130 as shells expect. */
export function handleInterrupts(): void {
  process.once("SIGINT", () => {
    removeUnfinishedFiles();
    for (const farewell of [...farewells].reverse()) farewell(); // the latest first: a bar ends before what is said
    process.stderr.write("fusemax: interrupted\n");
    process.exit(130);
  });
}
