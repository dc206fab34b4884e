import { createStore } from "./store.js";

/** The sentence that screen readers are told next. */
export const announced = createStore({ sentence: "" });

let timer: ReturnType<typeof setTimeout> | undefined;
/** A hand that is still on a slider is not interrupted. */
const settledMilliseconds = 700;

/** Has a sentence read out once nothing newer came for a while. */
export function announce(sentence: string): void {
  clearTimeout(timer);
  timer = setTimeout(() => announced.set({ sentence }), settledMilliseconds);
}
