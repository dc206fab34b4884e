import { type ComponentChild, toChildArray } from "preact";
import { useEffect, useState } from "preact/hooks";

interface GraduallyProps {
  /** What the cards show is known. */
  readonly begins: boolean;
  /** Told when all of them are there. */
  readonly onAll: () => void;
  readonly children: readonly ComponentChild[];
}

/** Brings its cards one after the other, each after a painting, so that none of them holds up the page. Once there they are drawn together. */
export function Gradually({ begins, onAll, children }: GraduallyProps) {
  const [there, set] = useState(0);
  const isAll = there >= children.length;
  useEffect(() => {
    if (isAll) onAll();
  }, [isAll]);
  useEffect(() => {
    if (!begins || isAll) return;
    return afterPainting(() => set(there + countOf(children, there)));
  }, [begins, there, isAll]);
  return <>{children.slice(0, there)}</>;
}

/** So many children make one card more: those that show nothing cost nothing. */
function countOf(children: readonly ComponentChild[], from: number): number {
  const empty = children.slice(from).findIndex(child => toChildArray(child).length > 0);
  return empty < 0 ? children.length - from : empty + 1;
}

/** A frame is not painted while the page is out of sight: the work goes on there all the same. */
const patienceMilliseconds = 200;

/** @returns what calls the work off */
function afterPainting(work: () => void): () => void {
  let timer = setTimeout(work, patienceMilliseconds);
  const frame = requestAnimationFrame(() => {
    clearTimeout(timer);
    timer = setTimeout(work);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
