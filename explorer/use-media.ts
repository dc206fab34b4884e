import { useEffect, useState } from "preact/hooks";
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
  useEffect(() => {
    if (element.current === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) set(Math.max(240, Math.floor(entry.contentRect.width / 20) * 20));
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
