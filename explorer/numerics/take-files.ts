import { FusemaxError } from "../../src/errors.js";
import { messageOf } from "../message.js";
import { openFiles } from "./files.js";
import { session } from "./session.js";

/** Takes files as inputs, or says what is wrong with them. */
export async function takeFiles(list: Iterable<File> | null): Promise<void> {
  const files = [...(list ?? [])];
  if (files.length === 0) return;
  session.set({ wrongFiles: "" });
  try {
    session.set({ dropped: { files, ...(await openFiles(files)) } });
  } catch (error) {
    session.set({ wrongFiles: error instanceof FusemaxError ? messageOf(error) : String(error) });
  }
}
