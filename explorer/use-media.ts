import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { dark, light, type Theme } from "../src/report/theme.js";

/** The colours of charts that go with the visitor's colour scheme. */
export function useTheme(): Theme {
  const [query] = useState(() => matchMedia("(prefers-color-scheme: dark)"));
  const [isDark, set] = useState(query.matches);
  useEffect(() => {
    const follow = () => set(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [query]);
  return isDark ? dark : light;
}

/** The width of an element in whole steps of 20 CSS pixels, so that charts are laid out for it; null before it is known. */
export function useWidth(element: { readonly current: HTMLElement | null }): number | null {
  const [width, set] = useState<number | null>(null);
  // Before the first painting: a drawing that comes later would push what is below it down.
  useLayoutEffect(() => {
    if (element.current === null) return;
    const take = (pixels: number) => set(Math.max(240, Math.floor(pixels / 20) * 20));
    const { paddingLeft, paddingRight } = getComputedStyle(element.current);
    take(element.current.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight));
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) take(entry.contentRect.width);
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
