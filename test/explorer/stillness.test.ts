import { describe, expect, test } from "vitest";
import { stage } from "./stage.js";
import { parts, watch } from "./vitals.js";

const on = stage();

describe.each([360, 1440])("at %d pixels", width => {
  test.each(parts)("what is there does not move while the rest comes: %s", async part => {
    const context = await on.browser.newContext({ viewport: { width, height: width === 360 ? 740 : 900 } });
    const { shift } = await watch(await context.newPage(), on.address, part);
    await context.close();
    expect(shift).toBeLessThanOrEqual(0.05); // "good" is 0.1 (web.dev/cls)
  });
});
