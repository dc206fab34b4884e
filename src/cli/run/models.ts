import { specFiles } from "../../io/spec-files.js";
import { type ModelShape, modelShapeIn } from "./model-shape.js";

/** A model of specs/workloads by its name in any case, or of a YAML file. @throws SpecError */
export const modelShape = (name: string): ModelShape => modelShapeIn(specFiles, name);
