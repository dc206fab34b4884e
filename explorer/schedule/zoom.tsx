import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

interface ZoomProps {
  readonly label: string;
  /** The width of the frame; the drawing is at least as wide. */
  readonly least: number;
  /** Draws at a width. */
  readonly draw: (width: number) => string;
  readonly file: string;
}

const mostZoom = 32;
const step = 1.5;

/**
 * A drawing in a frame that scrolls: the wheel zooms about the pointer, dragging and arrow keys pan, + and - zoom, 0 shows
 * all. It is drawn anew for every width, so its labels stay legible.
 */
export function Zoomable({ label, least, draw, file }: ZoomProps) {
  const frame = useRef<HTMLElement>(null);
  const [zoom, setZoom] = useState(1);
  // The place in the drawing, from 0 to 1, that stays where it is in the frame.
  const held = useRef({ place: 0, offset: 0 });
  const width = Math.round(least * zoom);
  const now = useRef(zoom);
  now.current = zoom;

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

  // A wheel that zooms must not scroll the page, which a passive listener cannot prevent; one that cannot zoom must.
  useEffect(() => {
    const view = frame.current;
    const turn = (event: WheelEvent) => {
      if (event.shiftKey || event.deltaY === 0) return;
      if (event.deltaY > 0 ? now.current <= 1 : now.current >= mostZoom) return;
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
  return (
    <>
      <div class="exports">
        <button type="button" onClick={() => zoomAbout(step)} disabled={zoom >= mostZoom}>
          Zoom in
        </button>
        <button type="button" onClick={() => zoomAbout(1 / step)} disabled={zoom <= 1}>
          Zoom out
        </button>
        <button type="button" onClick={() => zoomAbout(1 / mostZoom)} disabled={zoom <= 1}>
          Show all
        </button>
      </div>
      <section
        ref={frame}
        class="chart natural"
        data-chart={file}
        aria-label={`${label}; arrow keys pan, plus and minus zoom`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        onPointerMove={drag}
        onKeyDown={press}
        dangerouslySetInnerHTML={{ __html: draw(width) }}
      />
    </>
  );
}
