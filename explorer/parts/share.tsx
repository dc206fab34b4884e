import { useState } from "preact/hooks";
import { fitsLink } from "../design/link.js";
import { reportOf } from "../report.js";
import { type State, writeState } from "../state.js";
import { save } from "./save.js";

/** A link to what is shown, and all of it as one file. */
export function Share({ state, title }: { readonly state: State; readonly title: string }) {
  const [said, say] = useState("");
  const page = location.href.replace(/#.*$/s, "");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(`${page}#${writeState(state)}`);
      const isCut = state.own !== null && !fitsLink(state.own);
      say(isCut ? "Copied. Your design is too long for a link, which opens it in this browser only." : "Copied.");
    } catch {
      say("The browser did not allow copying; the link is in its address bar.");
    }
  };
  const report = () => {
    const charts = document.getElementById("charts");
    if (charts !== null) save(`fusemax-${state.panel}.html`, "text/html", reportOf(state, title, charts, page));
  };
  return (
    <div class="exports share">
      <button type="button" onClick={() => void copy()}>
        Copy link
      </button>
      <button type="button" onClick={report}>
        Save report
      </button>
      <span role="status">{said}</span>
    </div>
  );
}
