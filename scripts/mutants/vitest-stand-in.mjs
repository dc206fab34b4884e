/**
 * As much of vitest as the tests of scripts/mutants.mjs use, without a process or a load of modules for each run: tests are
 * collected once, and then run one by one, as often as asked.
 */
import { customMatchers, GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";
import * as chai from "chai";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = (value, message) => chai.expect(value, message);
Object.assign(expect, chai.expect, {
  fail: message => {
    throw new Error(message);
  },
  getState: () => ({}),
  setState: () => {},
});
globalThis[GLOBAL_EXPECT] = expect;
expect.extend(expect, customMatchers);

/** Those collected: `run` runs a test alone. */
export const tests = [];
let before = [];

function collect(body) {
  const outer = before;
  before = [...outer];
  body();
  before = outer;
}

const rowsOf = list => [...list].map(row => (Array.isArray(row) ? row : [row]));
const chained = base => {
  base.each = list => (name, body) => {
    for (const row of rowsOf(list)) base(name, () => body(...row));
  };
  base.skipIf = skip => (skip ? chained(() => {}) : base);
  base.runIf = run => (run ? base : chained(() => {}));
  base.skip = chained.nothing;
  return base;
};
chained.nothing = () => {};

export const describe = chained((_, body) => collect(body));
export const it = chained((name, body) => {
  // How fast the sources are is nothing that a mutant may be told by.
  if (/under \d+ ms/.test(name)) return;
  const hooks = before;
  tests.push({
    name: String(name),
    run: async () => {
      for (const hook of hooks) await hook.once();
      await body();
    },
  });
});
export const test = it;
export function beforeAll(hook) {
  let done = null;
  before.push({ once: () => (done ??= hook()) });
}
export const afterAll = () => {};
export const beforeEach = hook => before.push({ once: hook });
export const afterEach = () => {};
