import { createInterface } from "node:readline";
import { state } from "./active.mjs";
import { tests } from "./vitest-stand-in.mjs";
import { workTime } from "./work-time.mjs";

const say = message => process.stdout.write(`#mutants ${JSON.stringify(message)}\n`);

/** Runs one test after the other, and says of each that it passed; gives the index of the first that fails, or -1. */
async function firstFailure(order, altogether = Infinity) {
  const startedAt = workTime();
  for (const index of order) {
    if (workTime() - startedAt > altogether) return -1;
    try {
      await tests[index].run();
      say({ passed: index });
    } catch {
      return index;
    }
  }
  return -1;
}

async function fails(index) {
  try {
    await tests[index].run();
    return false;
  } catch {
    return true;
  }
}

/** Collects the tests, says what each asks for, then answers for mutant after mutant from standard input. */
export async function serve(load) {
  console.log = console.warn = () => {};
  state.asked = new Set();
  await load();
  const loading = [...state.asked];
  if (process.env.FUSEMAX_MUTANT !== undefined) {
    state.asked = null;
    const altogether = Number(process.env.FUSEMAX_MUTANT_ALTOGETHER ?? Infinity);
    say({ failed: await firstFailure(JSON.parse(process.env.FUSEMAX_MUTANT_TESTS), altogether) });
    process.exit(0);
  }
  const ran = [];
  for (const { name, run } of process.env.FUSEMAX_MUTANTS_KNOWN === undefined ? tests : []) {
    state.asked = new Set();
    const startedAt = workTime();
    let error = null;
    try {
      await run();
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message.slice(0, 300) : String(thrown);
    }
    ran.push({ name, error, milliseconds: workTime() - startedAt, asked: [...state.asked] });
  }
  state.asked = null;
  say({ loading, ran });
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, order } = JSON.parse(line);
    state.active = id;
    const failed = await firstFailure(order);
    state.active = -1;
    // A test that fails without the mutant too has been left something wrong by one before.
    const spoiled = failed >= 0 && (await fails(failed));
    say({ id, failed, spoiled });
  }
  process.exit(0);
}
