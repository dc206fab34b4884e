import { parentPort } from "node:worker_threads";
import { generateNormal, type NormalStretch } from "../emulator/generate.js";

/** A worker thread that makes generated inputs. */
if (parentPort === null) throw new Error("normal-worker is the inside of a worker thread");
const port = parentPort;
port.on("message", ({ seed, name, length, spread, start }: NormalStretch) => {
  const values = generateNormal(seed, name, length, spread, start);
  port.postMessage(values, [values.buffer]);
});
