// The run of the reader's own function, as rings over a plane. The kernel computes it when the reader has let go.
import { el } from "./controls.js";

const PAUSE = 150; // ms without a change: the reader has let go

/** The overlay of `spec.yours`, or null; `redraw` is called when the kernel, behind `model`, has answered. */
export function yours(spec, model, redraw) {
  if (!spec.yours) return null;
  let latest = spec.yours;
  let timer = 0;
  const root = el("p", { class: "ck-yours", role: "status" }, latest.says);
  const answered = () => {
    latest = model.get("yours");
    redraw();
  };
  model?.on("change:yours", answered);

  /** Draw it if it belongs to what is chosen; else ask for it. */
  function draw(plot, chosen, color) {
    const names = Object.keys(latest.of);
    clearTimeout(timer);
    if (names.every((name) => String(latest.of[name]) === String(chosen[name]))) {
      const g = plot.figure;
      root.textContent = latest.says;
      g.strokeStyle = color;
      g.lineWidth = 1.5;
      g.setLineDash([]);
      for (const [x, y] of latest.path) {
        g.beginPath();
        g.arc(plot.x(x), plot.y(y), 6, 0, 2 * Math.PI);
        g.stroke();
      }
    } else if (model) {
      root.textContent = "Your run: …";
      timer = setTimeout(() => {
        model.set("chosen", Object.fromEntries(names.map((name) => [name, chosen[name]])));
        model.save_changes();
      }, PAUSE);
    } else {
      root.textContent = "Your run needs the kernel: run the cell again.";
    }
  }
  const remove = () => { clearTimeout(timer); model?.off("change:yours", answered); };
  return { root, draw, remove };
}
