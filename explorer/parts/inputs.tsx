import { useId, useState } from "preact/hooks";
import type { PanelProps } from "../panels/props.js";
import { type FieldName, fields, type State } from "../state.js";

type KeysOf<T> = { [K in FieldName]: State[K] extends T ? K : never }[FieldName];

interface InputProps<K extends FieldName> extends PanelProps {
  readonly field: K;
  readonly label: string;
  readonly unit?: string;
}

/** A typed value that becomes the state's when it is allowed; otherwise `wrong` holds, and the state keeps its last value. */
function useDraft({ state, change, field }: InputProps<KeysOf<number | string>>) {
  const { read, write } = fields[field] as {
    readonly read: (text: string) => unknown;
    readonly write: (value: unknown) => string;
  };
  const value = state[field];
  const [typed, setTyped] = useState<{ readonly text: string; readonly wrong: boolean; readonly before: unknown }>();
  // What was typed stays as it is while it means the same ("65536" does not jump to "64K" under the fingers), and
  // while it is wrong, until the value changes in another way.
  const stays = typed !== undefined && (typed.wrong ? typed.before === value : read(typed.text) === value);
  const draft = stays ? typed.text : write(value);
  const wrong = stays && typed.wrong;
  const accept = (text: string, keep: boolean) => {
    const next = read(text);
    setTyped({ text, wrong: next === undefined, before: value });
    if (next !== undefined) change({ [field]: next } as Partial<State>, keep);
  };
  return { draft, wrong, accept };
}

interface TypedProps extends InputProps<KeysOf<number | string>> {
  readonly class: string;
  /** What is under the field, before its complaint. */
  readonly children?: preact.ComponentChildren;
}

function Typed({ class: kind, children, ...props }: TypedProps) {
  const { field, label, unit } = props;
  const id = useId();
  const { draft, wrong, accept } = useDraft(props);
  return (
    <div class={kind}>
      <label for={id}>
        {label}
        {unit !== undefined && <span class="unit"> ({unit})</span>}
      </label>
      <input
        id={id}
        name={field}
        value={draft}
        spellcheck={false}
        autocomplete="off"
        aria-invalid={wrong}
        aria-describedby={wrong ? `${id}-wrong` : undefined}
        onInput={event => accept(event.currentTarget.value, false)}
        onChange={event => accept(event.currentTarget.value, true)}
      />
      {children}
      {wrong && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          Allowed: {fields[field].allowed}.
        </p>
      )}
    </div>
  );
}

/** A field to type in; a value that is not allowed says what is. */
export const TextField = (props: InputProps<KeysOf<number | string>>) => <Typed {...props} class="field text" />;

interface SliderProps extends InputProps<KeysOf<number>> {
  readonly least: number;
  readonly most: number;
  /** Steps in every doubling; 1 goes through the powers of two times `least`. */
  readonly perOctave?: number;
}

/** A logarithmic slider over a field of numbers, with the exact value to type beside its label. */
export function LogSlider({ least, most, perOctave = 1, ...props }: SliderProps) {
  const { state, change, field, label, unit = "" } = props;
  const steps = Math.round(Math.log2(most / least) * perOctave);
  const at = Math.round(Math.log2(Math.max(least, state[field]) / least) * perOctave);
  const valueAt = (step: number): number => {
    const value = least * 2 ** (step / perOctave);
    return value >= 16 ? Math.round(value) : Number(value.toPrecision(6));
  };
  const move = (step: string, keep: boolean) => change({ [field]: valueAt(Number(step)) } as Partial<State>, keep);
  return (
    <Typed {...props} class="field slider">
      <input
        name={`${field}-slider`}
        type="range"
        min={0}
        max={steps}
        step={1}
        value={Math.min(at, steps)}
        aria-label={`${label}, slider`}
        aria-valuetext={`${fields[field].write(state[field])} ${unit}`.trim()}
        onInput={event => move(event.currentTarget.value, false)}
        onChange={event => move(event.currentTarget.value, true)}
      />
    </Typed>
  );
}

interface ChoiceProps extends InputProps<KeysOf<string>> {
  readonly options: readonly (readonly [value: string, label: string, disabled?: boolean])[];
}

export function Choice({ state, change, field, label, options }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field choice">
      <label for={id}>{label}</label>
      <select
        id={id}
        name={field}
        value={state[field]}
        onChange={event => change({ [field]: event.currentTarget.value } as Partial<State>, true)}
      >
        {options.map(([value, name, disabled = false]) => (
          <option key={value} value={value} disabled={disabled}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

interface SeveralProps extends InputProps<KeysOf<readonly string[]>> {
  readonly options: readonly (readonly [value: string, label: string])[];
}

/** Checkboxes for a field that holds several names; the last one cannot be taken away. */
export function Several({ state, change, field, label, options }: SeveralProps) {
  const chosen = state[field];
  const toggle = (value: string) => {
    const own = options.map(([name]) => name);
    // What another list of the same field has chosen stays.
    const all = [...own, ...chosen.filter(name => !own.includes(name))];
    const next = all.filter(name => (name === value) !== chosen.includes(name));
    if (next.length > 0) change({ [field]: next } as Partial<State>, true);
  };
  return (
    <fieldset class="field several">
      <legend>{label}</legend>
      {options.map(([value, name]) => (
        <label key={value}>
          <input
            type="checkbox"
            name={field}
            value={value}
            checked={chosen.includes(value)}
            disabled={chosen.length === 1 && chosen.includes(value)}
            onChange={() => toggle(value)}
          />
          {name}
        </label>
      ))}
    </fieldset>
  );
}
