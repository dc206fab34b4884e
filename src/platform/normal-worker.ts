import { generateStretch } from "../emulator/generate.js";
import { answerTasks } from "./answer-tasks.js";

/** A worker thread that makes generated inputs. */
answerTasks(generateStretch, ({ buffer }) => [buffer]);
