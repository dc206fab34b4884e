import type { AttentionShape } from "../../attention/shape.js";
import { startProgress } from "../progress.js";
import { inputValues, type OnValues } from "./inputs.js";
import type { RunOptions } from "./options.js";

/** Does work on rows while a bar counts them. */
export async function withRowProgress<T>(
  task: string,
  rows: number,
  { json }: Pick<RunOptions, "json">,
  work: (onProgress: (progress: { readonly rowsDone: number }) => void) => Promise<T>,
): Promise<T> {
  const progress = await startProgress(task, "rows", rows, json === true);
  try {
    return await work(({ rowsDone }) => progress.update(rowsDone));
  } finally {
    progress.stop();
  }
}

/** Loads inputs while a bar counts their values. */
export async function withLoadingProgress<T>(
  shape: AttentionShape,
  { json }: Pick<RunOptions, "json">,
  load: (onValues: OnValues) => Promise<T>,
): Promise<T> {
  const progress = await startProgress("loading inputs", "values", inputValues(shape), json === true);
  let loaded = 0;
  try {
    return await load(count => {
      loaded += count;
      progress.update(loaded);
    });
  } finally {
    progress.stop();
  }
}
