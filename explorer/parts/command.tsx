import { useState } from "preact/hooks";
import { ownFolder, ownPath } from "../design/own.js";

/** The call of the command line that prints the same numbers. */
export function Command({ command }: { readonly command: string }) {
  const [copied, setCopied] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      setCopied("Copied.");
    } catch {
      setCopied("The browser did not allow copying; select the line instead.");
    }
  };
  return (
    <div class="command">
      <code data-command>{command}</code>
      <button type="button" onClick={copy}>
        Copy as command
      </button>
      <span role="status">{copied}</span>
      {command.includes(ownPath) && (
        <span class="quiet">
          The folder <code>{ownFolder}</code> is in the archive that the part Design saves.
        </span>
      )}
      <details class="quiet">
        <summary>Where to run it</summary>
        In a clone of the repository, once <code>npm install</code> has been run there: <code>npx fusemax</code> is the
        command line of the same program.
      </details>
    </div>
  );
}
