import { FusemaxError } from "../../src/errors.js";
import { messageOf } from "../message.js";
import type { State } from "../state.js";
import { designOfFiles } from "./archive.js";
import { changeTo, given } from "./edited.js";
import { rootFile } from "./own.js";

/** The change that files make as the visitor's design; nothing, with a complaint where they are shown, where they are none. */
export async function takeDesign(files: readonly File[], state: State): Promise<Partial<State>> {
  given.set({ wrong: "" });
  try {
    return { ...changeTo(await designOfFiles(files, state.own?.base ?? "fusemax"), state), file: rootFile };
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    given.set({ wrong: messageOf(error) });
    return {};
  }
}
