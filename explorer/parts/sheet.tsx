interface SheetProps {
  /** What the settings are for. */
  readonly label: string;
  readonly onSubmit?: () => void;
  readonly children: preact.ComponentChildren;
}

/**
 * The settings of a part: a column beside the charts, or on a narrow screen a sheet at its lower edge, where charts and
 * the slider that changes them are seen together. There it can be folded.
 */
export function Sheet({ label, onSubmit, children }: SheetProps) {
  return (
    <details class="sheet" open>
      <summary>Settings</summary>
      <form
        class="controls"
        aria-label={label}
        onSubmit={event => {
          event.preventDefault();
          onSubmit?.();
        }}
      >
        {children}
      </form>
    </details>
  );
}
