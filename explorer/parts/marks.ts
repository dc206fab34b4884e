import { useCallback, useState } from "preact/hooks";

const marksIn = (drawing: Element): readonly Element[] =>
  [...drawing.querySelectorAll("svg :not(svg) > title")].flatMap(title => title.parentElement ?? []);

const wordsOf = (mark: Element): string => mark.querySelector(":scope > title")?.textContent ?? "";

/**
 * Tooltips without a mouse: arrow keys go from mark to mark of a focused drawing, a touch takes the mark under it. `said` are
 * the words of the mark.
 */
export function useMarks() {
  const [said, say] = useState("");
  const choose = useCallback((drawing: Element, mark: Element | undefined) => {
    for (const other of drawing.querySelectorAll("[data-mark]")) other.removeAttribute("data-mark");
    mark?.setAttribute("data-mark", "");
    say(mark === undefined ? "" : wordsOf(mark));
  }, []);
  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      const drawing = event.currentTarget as Element;
      const marks = marksIn(drawing);
      const at = marks.findIndex(mark => mark.hasAttribute("data-mark"));
      const steps: Readonly<Record<string, number>> = {
        ArrowRight: at + 1,
        ArrowDown: at + 1,
        ArrowLeft: at < 0 ? marks.length - 1 : at - 1,
        ArrowUp: at < 0 ? marks.length - 1 : at - 1,
        Home: 0,
        End: marks.length - 1,
      };
      const to = event.key === "Escape" ? undefined : steps[event.key];
      if (to === undefined && event.key !== "Escape") return;
      event.preventDefault();
      choose(drawing, to === undefined ? undefined : marks[(to + marks.length) % marks.length]);
    },
    [choose],
  );
  const onPointerDown = useCallback(
    (event: PointerEvent) => {
      if (event.pointerType === "mouse") return; // it has the browser's own tooltips
      const drawing = event.currentTarget as Element;
      const mark = (event.target as Element).closest(":has(> title)");
      choose(drawing, mark === null || mark.tagName === "svg" ? undefined : mark);
    },
    [choose],
  );
  return { said, onKeyDown, onPointerDown };
}
