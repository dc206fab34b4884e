import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

interface ZoomProps {
  readonly label: string;
  /** The width of the frame; the drawing is at least as wide. */
  readonly least: number;
  /** Draws at a width. */
  readonly draw: (width: number) => string;
  /** Pixels of the drawing to the left and right of what is zoomed into: names, which stay in view. */
  readonly margins: { readonly left: number; readonly right: number };
  readonly file: string;
}

const mostZoom = 32;
const step = 1.5;
/** The height of a drawing's title, which begins in the left margin and scrolls away with the rest. */
const titleHeight = 64;
/** The height of the strip that shows the whole. */
const stripHeight = 56;

/**
 * A drawing in a frame that scrolls: dragging and arrow keys pan, + and - zoom, 0 shows all, and so do the buttons; the wheel
 * zooms about the pointer with Ctrl or once the button says so, and scrolls the page otherwise. It is drawn anew for every
 * width, so its labels stay legible. What is in the left margin stays in view, and a strip below shows where one is.
 */
export function Zoomable({ label, least, draw, margins, file }: ZoomProps) {
  const frame = useRef<HTMLElement>(null);
  const [zoom, setZoom] = useState(1);
  const [byWheel, setByWheel] = useState(false);
  const [scroll, setScroll] = useState(0);
  // The place in the drawing, from 0 to 1, that stays where it is in the frame.
  const held = useRef({ place: 0, offset: 0 });
  const width = Math.round(least * zoom);
  const now = useRef({ zoom, byWheel });
  now.current = { zoom, byWheel };

  const zoomAbout = (factor: number, offset?: number) => {
    const view = frame.current;
    if (view === null) return;
    const at = offset ?? view.clientWidth / 2;
    held.current = { place: (view.scrollLeft + at) / view.scrollWidth, offset: at };
    setZoom(before => Math.min(mostZoom, Math.max(1, before * factor)));
  };
  useLayoutEffect(() => {
    const view = frame.current;
    if (view !== null) view.scrollLeft = held.current.place * view.scrollWidth - held.current.offset;
  }, [width]);

  // A wheel that zooms must not scroll the page or zoom all of it, which a passive listener cannot prevent.
  useEffect(() => {
    const view = frame.current;
    const turn = (event: WheelEvent) => {
      const zooms = event.ctrlKey || event.metaKey || now.current.byWheel;
      if (!zooms || event.deltaY === 0) return;
      event.preventDefault();
      zoomAbout(event.deltaY < 0 ? step : 1 / step, event.clientX - (view?.getBoundingClientRect().left ?? 0));
    };
    view?.addEventListener("wheel", turn, { passive: false });
    return () => view?.removeEventListener("wheel", turn);
  }, []);

  const drag = (event: PointerEvent) => {
    if (event.pointerType !== "mouse" || event.buttons !== 1 || frame.current === null) return;
    frame.current.scrollLeft -= event.movementX;
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "+" || event.key === "=") zoomAbout(step);
    else if (event.key === "-") zoomAbout(1 / step);
    else if (event.key === "0") zoomAbout(1 / mostZoom);
  };
  const drawing = useMemo(() => draw(width), [draw, width]);
  const whole = useMemo(() => draw(least), [draw, least]);
  const isZoomed = zoom > 1;
  return (
    <>
      <div class="exports">
        <button type="button" onClick={() => zoomAbout(step)} disabled={zoom >= mostZoom}>
          Zoom in
        </button>
        <button type="button" onClick={() => zoomAbout(1 / step)} disabled={!isZoomed}>
          Zoom out
        </button>
        <button type="button" onClick={() => zoomAbout(1 / mostZoom)} disabled={!isZoomed}>
          Show all
        </button>
        <button type="button" aria-pressed={byWheel} onClick={() => setByWheel(!byWheel)}>
          Wheel zooms
        </button>
      </div>
      <div class="zoomable">
        <section
          ref={frame}
          class="chart natural"
          data-chart={file}
          aria-label={`${label}; arrow keys pan, plus and minus zoom`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
          tabIndex={0}
          onPointerMove={drag}
          onKeyDown={press}
          onScroll={event => setScroll(event.currentTarget.scrollLeft)}
          dangerouslySetInnerHTML={{ __html: drawing }}
        />
        {isZoomed && (
          <>
            <div
              class="names natural"
              aria-hidden="true"
              style={{ width: `${margins.left - 12}px`, top: `calc(0.5rem + ${titleHeight}px)` }}
            >
              <div style={{ marginTop: `-${titleHeight}px` }} dangerouslySetInnerHTML={{ __html: whole }} />
            </div>
            <Strip whole={whole} {...{ least, width, scroll, margins }} seen={frame.current?.clientWidth ?? least} />
          </>
        )}
      </div>
    </>
  );
}

interface StripProps extends Pick<ZoomProps, "least" | "margins"> {
  readonly whole: string;
  readonly width: number;
  readonly scroll: number;
  /** Pixels of the frame. */
  readonly seen: number;
}

/** The whole drawing in small, with a window about the part that the frame shows. */
function Strip({ whole, least, width, scroll, seen, margins: { left, right } }: StripProps) {
  // Margins keep their width when the rest is zoomed.
  const shareAt = (pixel: number): number => {
    const place = (pixel - left) / (width - left - right);
    return Math.min(1, Math.max(0, (left + Math.min(1, Math.max(0, place)) * (least - left - right)) / least));
  };
  const [from, to] = [shareAt(scroll), shareAt(scroll + seen)];
  const squeezed = whole.replace(/<svg /, '<svg preserveAspectRatio="none" ');
  return (
    <div class="strip" aria-hidden="true" style={{ height: `${stripHeight}px` }}>
      <div dangerouslySetInnerHTML={{ __html: squeezed }} />
      <span style={{ left: `${100 * from}%`, width: `${100 * (to - from)}%` }} />
    </div>
  );
}
