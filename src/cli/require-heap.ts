import { getHeapStatistics } from "node:v8";

/** What the commands' own objects need: tensors are not among them. */
const leastHeapBytes = 96 * 2 ** 20;

/** Ends with a line where V8 has been given so small a heap that it would end the program in the middle, with its own words. */
export function requireHeap(): void {
  const { heap_size_limit: limit } = getHeapStatistics();
  if (limit >= leastHeapBytes) return;
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  process.stderr.write(
    `fusemax: memory: got a heap of ${mebibytes(limit)}; expected at least ${mebibytes(leastHeapBytes)}; raise --max-old-space-size (NODE_OPTIONS)\n`,
  );
  process.exit(2);
}
