import { useEffect, useRef } from "preact/hooks";
import type { PanelProps } from "../panels/props.js";
import { type State, usualSettings } from "../state.js";
import { createStore, useStore } from "../store.js";
import { presets, story } from "./steps.js";

/** Where the visitor left the story. */
const left = createStore({ step: 0 });

const at = (step: number): Partial<State> => ({ ...usualSettings, ...story[step - 1]?.settings, story: step });

/** The story's step that the address names, above what it is about; null outside of it. */
export function Story({ state, change }: PanelProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { story: number } = state;
  const step = story[number - 1];
  const before = useRef(number);
  // Whoever goes on by keys is taken to the next step's text, not left behind at its buttons.
  useEffect(() => {
    if (before.current !== number) heading.current?.focus();
    before.current = number;
  }, [number]);
  if (step === undefined) return null;
  const leave = () => {
    left.set({ step: number });
    change({ story: 0 }, true);
  };
  return (
    <section class="story" aria-label="Why one pass beats three">
      <h2 ref={heading} tabIndex={-1}>
        <span class="quiet">
          {number} of {story.length}:
        </span>{" "}
        {step.title}
      </h2>
      <p>{step.text}</p>
      <div class="exports">
        <button type="button" disabled={number === 1} onClick={() => change(at(number - 1), true)}>
          Back
        </button>
        {number < story.length && (
          <button type="button" class="first" onClick={() => change(at(number + 1), true)}>
            Next
          </button>
        )}
        <button type="button" onClick={leave}>
          Leave the story
        </button>
      </div>
    </section>
  );
}

/** What to begin with: the story, or settings that are worth a look. */
export function Beginnings({ change }: PanelProps) {
  const { step } = useStore(left);
  const open = (name: string) => {
    const settings = presets.find(preset => preset.name === name)?.settings;
    if (settings !== undefined) change({ ...usualSettings, ...settings }, true);
  };
  return (
    <div class="exports beginnings">
      <button type="button" class="first" onClick={() => change(at(Math.max(1, step)), true)}>
        {step > 1 ? `Go on with the story, step ${step}` : "Why one pass beats three: the story"}
      </button>
      <label>
        or look at{" "}
        <select name="preset" value="" onChange={event => open(event.currentTarget.value)}>
          <option value="">…</option>
          {presets.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
