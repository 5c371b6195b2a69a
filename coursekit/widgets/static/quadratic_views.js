// What the explorables on quadratics share: the path in the plane, and its modes on a logarithmic axis.
import { levelLine, levels, sample, shade } from "./contours.js";
import { disc, label, line, Plot, stroke } from "./plot.js";
import { power } from "./theme.js";

const pixel = (plot, w) => [plot.x(w[0]), plot.y(w[1])];

export const newPlane = () => new Plot({ ratio: 0.75 });
export function newTime() {
  const plot = new Plot({ ratio: 0.62, least: 200, margin: { left: 44, right: 12, top: 10, bottom: 28 } });
  plot.root.style.cursor = "default"; // nothing here to take hold of
  return plot;
}

/** The landscape of `f`, and the directions of the eigenvectors through the minimum. */
export function drawGround(plot, f, Q, [X, Y], { color }) {
  const grid = sample(f, X, Y);
  const g = plot.ground;
  plot.clear(g);
  shade(g, plot, grid, 0, color.measured);
  g.strokeStyle = color.muted;
  g.globalAlpha = 0.45;
  g.lineWidth = 1;
  for (const level of levels(grid, 0)) g.stroke(levelLine(grid, level, plot));
  g.globalAlpha = 1;
  Q.forEach((q, i) => {
    const ends = [-10, 10].map((s) => pixel(plot, [s * q[0], s * q[1]]));
    stroke(g, ...ends[0], ...ends[1], { color: color.limit, width: 1.2, dash: [2, 4] });
    const reach = Math.min(Math.abs(X[1] / q[0]), Math.abs(Y[1] / q[1])) * 0.85;
    const at = pixel(plot, [reach * q[0] * (i ? 1 : -1), reach * q[1] * (i ? 1 : -1)]);
    label(g, i ? "steep" : "flat", ...at, { color: color.limit, halo: color.ground, align: "center" });
  });
}

/** The path, its start (where `start` is placed), the minimum, and Newton's one step if wished. */
export function drawPath(plot, path, start, { color, dash }, newton = false) {
  const { figure: g } = plot;
  plot.clear(g);
  const at = (t) => pixel(plot, path.subarray(2 * t, 2 * t + 2));
  if (newton) stroke(g, ...at(0), ...pixel(plot, [0, 0]), { color: color.bound, width: 2, dash: dash.bound });
  for (const d of [-4, 4]) stroke(g, plot.x(0) - 4, plot.y(0) - d, plot.x(0) + 4, plot.y(0) + d, { color: color.text });
  const count = path.length / 2;
  line(g, count, (t) => at(t)[0], (t) => at(t)[1], { color: color.measured });
  for (let t = 1; t < count; t++) disc(g, ...at(t), 2.8, color.measured);
  const [x, y] = at(0);
  label(g, "w₀", x + 13, y - 13, { color: color.text, halo: color.ground, symbol: true });
  start.place(x, y);
}

/** |u_i(t)| of both modes and ρᵗ‖w₀‖, from 10^decades[0] to 10^decades[1]. */
export function drawModes(plot, { modes, bound }, decades, { color, dash }) {
  const { figure: g } = plot;
  const steps = bound.length - 1;
  const muted = { color: color.muted, halo: color.ground };
  plot.show(0, steps, ...decades);
  plot.clear(g);
  const apart = decades[1] - decades[0] > 12 ? 6 : 3;
  for (let e = Math.ceil(decades[0] / apart) * apart; e <= decades[1]; e += apart) {
    stroke(g, plot.x(0), plot.y(e), plot.x(steps), plot.y(e), { color: color.grid });
    label(g, power(e), plot.x(0) - 6, plot.y(e), { ...muted, align: "right" });
  }
  for (let t = 0; t <= steps; t += 10) {
    label(g, t ? String(t) : "step 0", plot.x(t), plot.height - plot.margin.bottom + 14, { ...muted, align: "center" });
  }
  const height = (values) => (t) => plot.y(Math.log10(Math.max(Math.abs(values[t]), 1e-300)));
  plot.inside(g, () => {
    line(g, steps + 1, plot.x, height(modes[0]), { color: color.measured, width: 2.5 });
    line(g, steps + 1, plot.x, height(modes[1]), { color: color.text, width: 1.5 });
    for (let t = 0; t <= steps; t++) disc(g, plot.x(t), height(modes[1])(t), 2.5, color.text);
    line(g, steps + 1, plot.x, height(bound), { color: color.bound, dash: dash.bound, width: 1.5 });
  });
}
