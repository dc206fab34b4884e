import { useId, useRef } from "preact/hooks";
import { glossary, type Term as Name } from "../glossary.js";

/** A term that explains itself when pointed at, tapped or chosen by keys. `children` where the text has another form of it. */
export function Term({ of, children }: { readonly of: Name; readonly children?: preact.ComponentChildren }) {
  const id = useId();
  const words = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const place = () => {
    const [at, said] = [button.current?.getBoundingClientRect(), words.current];
    if (at === undefined || said === null) return;
    said.style.left = `${Math.max(8, Math.min(at.left, innerWidth - said.offsetWidth - 8))}px`;
    said.style.top = `${at.bottom + said.offsetHeight + 8 > innerHeight ? at.top - said.offsetHeight - 4 : at.bottom + 4}px`;
  };
  const show = () => {
    if (words.current?.matches(":popover-open") === false) words.current.showPopover();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class="term"
        aria-describedby={id}
        onClick={show}
        onPointerEnter={event => event.pointerType === "mouse" && show()}
        onPointerLeave={event => event.pointerType === "mouse" && words.current?.hidePopover()}
        onFocus={show}
        onBlur={() => words.current?.hidePopover()}
      >
        {children ?? of}
      </button>
      <span ref={words} id={id} popover="auto" class="glossary" onToggle={place}>
        <strong>{of}</strong>: {glossary[of]}
      </span>
    </>
  );
}
