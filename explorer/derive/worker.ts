import { FusemaxError } from "../../src/errors.js";
import { messageOf } from "../message.js";
import { HandDerivation } from "./derivation.js";
import type { FromDerive, ToDerive } from "./request.js";

const answer = (message: FromDerive): void => postMessage(message);

/** The derivation that was asked for last: its cascades and comparisons are kept. */
let last: HandDerivation | null = null;

/** Often enough for a progress bar. */
const answerMilliseconds = 100;

/** Derives in a thread of its own; the page ends the thread to cancel. */
addEventListener("message", ({ data }: MessageEvent<ToDerive>) => void work(data));

async function work({ id, request, ask }: ToDerive): Promise<void> {
  try {
    const { name, text, rank, laws } = request;
    last = last?.isOf(request) === true ? last : new HandDerivation(name, text, rank);
    if (ask === "steps") {
      answer({ id, type: "derived", derived: last.derived(laws) });
      answer({ id, type: "checked", checks: await last.checks(laws) });
      return;
    }
    let answeredAt = 0;
    const plan = await last.plan(laws, (looked, budget) => {
      if (performance.now() - answeredAt < answerMilliseconds) return;
      answeredAt = performance.now();
      answer({ id, type: "looking", looked, budget });
    });
    answer({ id, type: "plan", laws: plan });
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    answer({ id, type: "wrong", wrong: { message: messageOf(error), excerpt: error.excerpt ?? null } });
  }
}
