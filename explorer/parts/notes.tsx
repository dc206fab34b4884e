interface NotesProps {
  readonly notes: readonly string[];
  readonly dismiss: () => void;
}

/** Lines the page has for the visitor, announced by screen readers. */
export function Notes({ notes, dismiss }: NotesProps) {
  return (
    <div role="status" class={notes.length > 0 ? "notes" : undefined}>
      {notes.map(note => (
        <p key={note}>{note}</p>
      ))}
      {notes.length > 0 && (
        <button type="button" onClick={dismiss}>
          Understood
        </button>
      )}
    </div>
  );
}
