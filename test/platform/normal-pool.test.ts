import { expect, it } from "vitest";
import { generateNormal } from "../../src/emulator/generate.js";
import { generateOnThreads, type NormalTask } from "../../src/platform/normal-pool.js";

const tasks: readonly NormalTask[] = Array.from({ length: 9 }, (_, i) => ({
  seed: 7,
  name: "k",
  length: 100 + i,
  spread: 1.5,
  start: i * 1000,
}));

it("values made on threads are those made here, in the order of the tasks", async () => {
  const made: Float32Array[] = [];
  for await (const values of generateOnThreads(tasks)) made.push(values);
  expect(made).toEqual(
    tasks.map(({ seed, name, length, spread, start }) => generateNormal(seed, name, length, spread, start)),
  );
});

it("a consumer that stops early leaves no worker behind", async () => {
  const before = process.getActiveResourcesInfo().filter(name => name === "MessagePort").length;
  for await (const values of generateOnThreads(tasks)) {
    expect(values.length).toBe(100);
    break;
  }
  expect(process.getActiveResourcesInfo().filter(name => name === "MessagePort").length).toBe(before);
});
