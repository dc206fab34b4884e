import { printingEngines } from "../engines.js";
import { programSuite } from "../program-suite.js";

for (const engine of printingEngines.filter(({ name }) => name === "webgpu")) programSuite(engine);
