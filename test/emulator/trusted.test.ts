import { describe, expect, it } from "vitest";
import { cpuEngine } from "../../src/emulator/cpu.js";
import type { Engine } from "../../src/emulator/engine.js";
import { selfTest } from "../../src/emulator/self-test.js";
import { trusted } from "../../src/emulator/trusted.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";

function watched(): { readonly engine: Engine; readonly closed: () => boolean } {
  let closed = false;
  const close = async (): Promise<void> => {
    closed = true;
  };
  return { engine: { ...cpuEngine(), adapter: "a card", close }, closed: () => closed };
}

describe("a trusted engine", () => {
  it("is left open when it gives the contract's bits", async () => {
    const { engine, closed } = watched();
    expect(await trusted(engine, selfTest({ engine, runOps: null }, formatArithmetics.bf16))).toBe(engine);
    expect(closed()).toBe(false);
  });

  it("is closed and named when it does not", async () => {
    const { engine, closed } = watched();
    const wrong = selfTest(
      { engine, runOps: async ({ expected }) => expected.map(bits => bits ^ 1) },
      formatArithmetics.bf16,
    );
    await expect(trusted(engine, wrong, "use another")).rejects.toThrow(
      /^engine cpu on a card: a failed self-test: .*; expected the contract's bits; use another$/,
    );
    expect(closed()).toBe(true);
  });

  it("is closed when it is lost during its test", async () => {
    const { engine, closed } = watched();
    await expect(trusted(engine, Promise.reject(new Error("lost")))).rejects.toThrow("lost");
    expect(closed()).toBe(true);
  });
});
