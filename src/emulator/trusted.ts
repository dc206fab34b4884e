import { DeviceError } from "../errors.js";
import type { Engine } from "./engine.js";
import { describeFailure, type SelfTestFailure } from "./self-test.js";

/**
 * The engine, once its self-test has found the contract's bits; one that has not is closed.
 * @throws DeviceError naming the engine and the first failing case.
 */
export async function trusted<E extends Engine>(
  engine: E,
  verdict: Promise<SelfTestFailure | null>,
  fix?: string,
): Promise<E> {
  try {
    const failure = await verdict;
    if (failure === null) return engine;
    throw new DeviceError({
      where: `engine ${engine.name}${engine.adapter === null ? "" : ` on ${engine.adapter}`}`,
      got: `a failed self-test: ${describeFailure(failure)}`,
      expected: "the contract's bits",
      ...(fix === undefined ? {} : { fix }),
    });
  } catch (error) {
    await engine.close();
    throw error;
  }
}
