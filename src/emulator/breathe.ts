/** Longest stretch of work, in milliseconds, without letting timers and signals through. */
const longestStretch = 50;

/** A pause point for long loops: lets timers, input and signals through, but only when the last time was a while ago. */
export function breather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < longestStretch) return;
    await new Promise(resolve => setTimeout(resolve, 0));
    last = performance.now();
  };
}
