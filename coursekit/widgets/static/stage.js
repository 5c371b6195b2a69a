// The life of an explorable on its page: drawn at most once a frame, following the page's width and theme.
import { inks, isDark, paint, watchTheme } from "./theme.js";

/** Put `ui` into `root`. `resized(ink)` comes after a new width or theme, `draw()` when `request` was called. */
export function stage(root, ui, { plots, resized, draw }) {
  let pending = 0;
  function frame() {
    const began = performance.now();
    pending = 0;
    draw();
    ui.dispatchEvent(new CustomEvent("ck-drawn", { bubbles: true, detail: { ms: performance.now() - began } }));
  }
  function request() {
    pending ||= requestAnimationFrame(frame);
  }
  function refresh() {
    const ink = inks(isDark());
    paint(ui, ink);
    for (const plot of plots) plot.resize();
    resized(ink);
    request();
  }
  root.append(ui);
  const shape = new ResizeObserver(refresh);
  shape.observe(ui);
  const unwatch = watchTheme(refresh);
  refresh();
  return {
    request,
    remove: () => { shape.disconnect(); unwatch(); cancelAnimationFrame(pending); ui.remove(); },
  };
}
