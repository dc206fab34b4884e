import { formatArithmetics } from "fusemax";
import { chooseEngine } from "fusemax/node";
import type { FormatName } from "#fusemax/numerics/format";
import type { ChosenEngine, EngineChoice } from "#fusemax/platform/choose-engine";

/** The engines of a run over several formats. */
export interface Engines {
  /** The engine for a format, opened when first asked for. */
  of(format: FormatName): Promise<ChosenEngine>;
  close(): Promise<void>;
}

/** A GPU is trusted format by format, so each gets an engine of its own; the processor's engine serves all. */
export function openEngines(choice: EngineChoice, note: (line: string) => void): Engines {
  const said = new Set<string>();
  const opened = new Map<FormatName, Promise<ChosenEngine>>();
  let first: Promise<ChosenEngine> | null = null;
  const open = async (format: FormatName): Promise<ChosenEngine> => {
    const chosen = await chooseEngine(choice, formatArithmetics[format]);
    for (const line of chosen.notes.filter(line => !said.has(line))) {
      said.add(line);
      note(line);
    }
    return chosen;
  };
  const pick = async (format: FormatName): Promise<ChosenEngine> => {
    if (first === null) {
      first = open(format);
      return await first;
    }
    const chosen = await first;
    return chosen.engine.name === "webgpu" ? await open(format) : chosen;
  };
  return {
    of(format) {
      const engine = opened.get(format) ?? pick(format);
      opened.set(format, engine);
      return engine;
    },
    async close() {
      const engines = new Set((await Promise.all(opened.values())).map(({ engine }) => engine));
      await Promise.all([...engines].map(engine => engine.close()));
    },
  };
}
