import { useEffect, useReducer, useRef } from "preact/hooks";

/** Further below or above what is seen than this share of it, nobody sees a change at once. */
const nearby = "25%";

/** How long a change out of sight may wait for the page to have nothing better to do. */
const patienceMilliseconds = 100;

/** @returns what calls the work off */
function whenIdle(work: () => void): () => void {
  if (typeof requestIdleCallback !== "function") {
    const timer = setTimeout(work, patienceMilliseconds);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(work, { timeout: patienceMilliseconds });
  return () => cancelIdleCallback(handle);
}

/**
 * The value at once where the element is in sight or near it, and a moment later elsewhere: a slider moves what is seen, and what is
 * not seen does not hold it up.
 */
export function useWhenNear<T>(element: { readonly current: HTMLElement | null }, value: T): T {
  const isNear = useRef(true);
  const shown = useRef(value);
  const newest = useRef(value);
  const [, again] = useReducer((n: number, _: undefined) => n + 1, 0);
  newest.current = value;
  if (isNear.current) shown.current = value;
  useEffect(() => {
    if (element.current === null) return;
    const observer = new IntersectionObserver(
      entries => {
        isNear.current = entries.at(-1)?.isIntersecting === true;
        if (isNear.current && shown.current !== newest.current) again(undefined);
      },
      { rootMargin: nearby },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  useEffect(() => {
    if (shown.current === value) return;
    return whenIdle(() => {
      shown.current = newest.current;
      again(undefined);
    });
  }, [value]);
  return shown.current;
}
