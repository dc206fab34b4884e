import { stepCaption } from "./figures.js";
import type { Derived, ShownStep } from "./request.js";

interface StepsProps {
  readonly derived: Derived;
  /** By step, how its values compare with the first's. */
  readonly checks: readonly (string | null)[];
}

/** Every step, the newest first: its law, what that says, the lines that go and come, and what is left. */
export function DerivationSteps({ derived, checks }: StepsProps) {
  const { steps, rank } = derived;
  return (
    <>
      {steps
        .map((step, i) => (
          <section key={`${i} ${step.words}`} class="card wide" data-step={i}>
            <h2>
              {i}. {step.law === null ? "The cascade as given" : step.law}
            </h2>
            {step.statement !== null && (
              <p>
                The law: <span class="law">{step.statement}</span>. Here: {step.words}.
              </p>
            )}
            <Lines step={step} />
            <p>
              {stepCaption(step, rank)}. {i > 0 && <span class="quiet">{checked(checks[i])}</span>}
            </p>
            {step.caution !== null && <p class="notes">Caution: {step.caution}.</p>}
          </section>
        ))
        .reverse()}
    </>
  );
}

const checked = (words: string | null | undefined): string =>
  words === null || words === undefined ? "Its values are compared with the first…" : `Its values are ${words}.`;

const words = { "-": "goes", "+": "comes" } as const;

function Lines({ step }: { readonly step: ShownStep }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="table lines" aria-label="Lines of the cascade" tabIndex={0}>
      {step.law === null ? (
        <pre>
          {step.text
            .split("\n")
            .filter(line => line !== "" && !line.startsWith("#"))
            .join("\n")}
        </pre>
      ) : (
        <ul>
          {step.changes.map(({ sign, line }) => (
            <li key={sign + line} class={words[sign]}>
              <span aria-hidden="true">{sign} </span>
              <span class="hidden">{words[sign]}: </span>
              <code>{line}</code>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
