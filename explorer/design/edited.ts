import type { State } from "../state.js";
import { createStore } from "../store.js";
import { fitsLink, keepHere } from "./link.js";
import { type OwnDesign, ownName } from "./own.js";

/** What is wrong with the files that were given last. */
export const given = createStore({ wrong: "" });

/**
 * The change that another text of the visitor's design makes: it is kept where no link can carry it. A design that was not there
 * before is shown beside the others.
 */
export function changeTo(own: OwnDesign, { own: before, designs }: State): Partial<State> {
  if (!fitsLink(own)) keepHere(own, "design");
  const isNew = before === null && !designs.includes(ownName);
  return { own, ...(isNew ? { designs: [...designs, ownName] } : {}) };
}
