import { allDesigns, designLabel } from "../design/names.js";
import { ownName } from "../design/own.js";
import type { PanelProps } from "../panels/props.js";
import { Choice } from "../parts/inputs.js";
import { anyArray, type State } from "../state.js";
import type { RunOfDesign } from "./request.js";
import type { Settings } from "./settings.js";

/** The design that is run; null for the settings as they are. */
export const designOf = ({ runDesign, own }: State): RunOfDesign | null =>
  runDesign === anyArray ? null : { name: runDesign, own: runDesign === ownName ? own : null };

/** What a result depends on in the place of the settings that a design says itself. */
export function designSettings({ runDesign, own }: State): Settings {
  if (runDesign === anyArray) return {};
  const isOwn = runDesign === ownName;
  return {
    arithmetic: designLabel(runDesign, own),
    definition: isOwn ? JSON.stringify(own?.files) : runDesign,
    "keys per tile": "the design's",
  };
}

/** Whose cascade, tile and arithmetic are run. */
export function DesignOfRun(props: PanelProps) {
  const { runDesign, own } = props.state;
  const designs = allDesigns.filter(name => name !== ownName || own !== null);
  return (
    <>
      <Choice
        {...props}
        field="runDesign"
        label="Design"
        options={[
          [anyArray, "FuseMax's cascade, tile and arithmetic as set"],
          ...designs.map(name => [name, designLabel(name, own)] as const),
        ]}
      />
      {runDesign !== anyArray && <p class="quiet">Cascade, tile and arithmetic are those of the design.</p>}
    </>
  );
}
