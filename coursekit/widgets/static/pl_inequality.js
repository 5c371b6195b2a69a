// "Where does PL hold?": gradient descent on a function with waves, both sides of PL on it, and the rate.
import { announcer, button, clamp, el, handle, key, logSlider, view } from "./controls.js";
import { f, half, regime, study } from "./pl_model.js";
import { disc, label, line, Plot, stroke } from "./plot.js";
import { stage } from "./stage.js";
import { inks, isDark, number, power } from "./theme.js";

const SIDES = [-2.5, 2.5]; // powers of ten at which both sides of the inequality are shown
const DECADES = [-10, 2]; // and those of the loss
const GRIP = 4; // the dashed curve is held at this w
const COUNT = 401;

export function plInequality(root, spec) {
  const { steps, L, largest, mus: MU, etas: ETA, x: X } = spec;
  const TOP = f(X[1]) * 1.08;
  const chosen = { mu: spec.mu, eta: spec.eta, start: spec.start, steps };
  let now = study(chosen, L, X);
  let ink = inks(isDark());

  const margin = { left: 40, right: 12, top: 12, bottom: 28 };
  const graph = new Plot({ ratio: 0.75, margin });
  const sides = new Plot({ ratio: 0.75, margin });
  const time = new Plot({ ratio: 0.62, least: 200, margin });

  const choose = (change) => { Object.assign(chosen, change); request(); };
  const moveTo = (w) => choose({ start: Math.round(clamp(w, X) * 100) / 100 + 0 });
  const lift = (mu) => choose({ mu: clamp(mu, MU) });

  const start = handle(graph, {
    role: "slider", "aria-label": "Start w₀", "aria-valuemin": X[0], "aria-valuemax": X[1],
  }, {
    dragged: (px) => moveTo(graph.atX(px)),
    stepped: (right, up, far) => moveTo(chosen.start + (right + up) * (far ? 0.5 : 0.05)),
  });
  const grip = handle(sides, {
    class: "ck-handle ck-of-bound", role: "slider", "aria-label": "PL constant mu, on the curve", "aria-valuemin": MU[0], "aria-valuemax": MU[1],
  }, {
    dragged: (px, py) => {
      const mu = 10 ** sides.atY(py) / f(GRIP);
      lift(Math.abs(Math.log(mu / largest)) < 0.06 ? largest : mu); // the largest constant is reached exactly
    },
    stepped: (right, up, far) => lift(chosen.mu * (far ? 1.5 : 1.05) ** (right + up)),
  });
  const sayMu = (v) => (v === largest ? `${largest}, the largest possible` : number(v));
  const sayEta = (v) => `${number(v)} = ${number(v * L)}/L`;
  const eta = logSlider({
    name: "Step size η", min: ETA[0], max: ETA[1], positions: 300, say: sayEta, changed: (v) => choose({ eta: v }),
    ticks: () => [1, 2].map((k) => ({ value: k / L, text: `${k}/L` })),
  });
  const mu = logSlider({
    name: "PL constant μ", min: MU[0], max: MU[1], positions: 300, say: sayMu, changed: lift,
    ticks: () => [{ value: 1 / 32, text: "1/32" }, { value: largest, text: "largest" }, { value: L, text: "L" }],
  });
  const buttons = el("div", { class: "ck-buttons" },
    button("μ = 1/32", () => lift(1 / 32)),
    button("largest μ", () => lift(largest)),
    button("reset", () => choose({ mu: spec.mu, eta: spec.eta, start: spec.start })));

  const size = el("b");
  const words = el("span");
  const strip = el("p", { class: "ck-regime", "aria-hidden": "true" }, size, words); // heard says it aloud
  const heard = announcer();
  const ends = el("span");

  const ui = el("div", { class: "ck-ui", role: "group", "aria-label": spec.title },
    el("p", { class: "ck-head" }, spec.title), strip, heard.root,
    el("div", { class: "ck-views" },
      view("land", "f and the iterates: drag the start w₀", graph.root, key("muted", "f"), key("measured", "gradient descent")),
      view("ray", "The inequality: drag the dashed curve", sides.root, key("measured", "½ f′²"), key("bound", "μ (f − f*)")),
      el("div", { class: "ck-controls" }, eta.root, mu.root, buttons),
      view("time", `${steps} steps, and the bound`, time.root, ends)));

  /** Axes with labels at these values. */
  function frame(plot, g, across, up, say) {
    const muted = { color: ink.color.muted, halo: ink.color.ground };
    for (const y of up) {
      stroke(g, plot.x(across[0]), plot.y(y), plot.x(across.at(-1)), plot.y(y), { color: ink.color.grid });
      label(g, say(y), plot.margin.left - 6, plot.y(y), { ...muted, align: "right" });
    }
    for (const x of across) {
      label(g, number(x), plot.x(x), plot.height - plot.margin.bottom + 14, { ...muted, align: "center" });
    }
  }
  const across = (i) => X[0] + ((X[1] - X[0]) * i) / (COUNT - 1);
  const ticks = () => [-6, -4, -2, 0, 2, 4, 6].filter((x) => x >= X[0] && x <= X[1]);

  /** Where the inequality is violated, as bands over the whole height. */
  function bands(plot, g) {
    g.fillStyle = ink.color.bound;
    g.globalAlpha = 0.16;
    for (const [from, to] of now.gaps) {
      g.fillRect(plot.x(from) - 1, plot.margin.top, plot.x(to) - plot.x(from) + 2, plot.height - plot.margin.top - plot.margin.bottom);
    }
    g.globalAlpha = 1;
  }

  function drawGraph() {
    const { figure: g } = graph;
    const { color } = ink;
    graph.show(...X, -0.06 * TOP, TOP);
    graph.clear(g);
    frame(graph, g, ticks(), [0, 10, 20, 30], String);
    bands(graph, g);
    const at = (w) => [graph.x(w), graph.y(f(w))];
    graph.inside(g, () => {
      line(g, COUNT, (i) => graph.x(across(i)), (i) => graph.y(f(across(i))), { color: color.muted });
      line(g, steps + 1, (t) => at(now.path[t])[0], (t) => at(now.path[t])[1], { color: color.measured, width: 1.3 });
      for (let t = 1; t <= steps; t++) disc(g, ...at(now.path[t]), 3.2, color.measured);
    });
    const [x, y] = at(chosen.start);
    label(g, "w₀", x + (chosen.start > 0 ? -18 : 18), y - 12, { color: color.text, halo: color.ground, align: "center", symbol: true });
    start.place(x, y);
  }

  function drawSides() {
    const { figure: g } = sides;
    const { color, dash } = ink;
    sides.show(...X, ...SIDES);
    sides.clear(g);
    frame(sides, g, ticks(), [-2, -1, 0, 1, 2], power);
    bands(sides, g);
    const height = (y) => sides.y(Math.log10(Math.max(y, 1e-9)));
    sides.inside(g, () => {
      line(g, COUNT, (i) => sides.x(across(i)), (i) => height(half(across(i))), { color: color.measured, width: 2.5 });
      line(g, COUNT, (i) => sides.x(across(i)), (i) => height(chosen.mu * f(across(i))), { color: color.bound, dash: dash.bound });
      now.path.forEach((w) => disc(g, sides.x(w), height(half(w)), 3.2, color.measured));
    });
    grip.place(sides.x(GRIP), height(chosen.mu * f(GRIP)));
  }

  function drawTime() {
    const { figure: g } = time;
    const { color, dash } = ink;
    time.show(0, steps, ...DECADES);
    time.clear(g);
    frame(time, g, [0, 10, 20, 30, 40].filter((t) => t <= steps), [-9, -6, -3, 0], power);
    const height = (values) => (t) => time.y(Math.log10(Math.max(values[t], 1e-300)));
    time.inside(g, () => {
      line(g, steps + 1, time.x, height(now.bound), { color: color.bound, dash: dash.bound });
      line(g, steps + 1, time.x, height(now.loss), { color: color.measured, width: 2.5 });
    });
    label(g, "step t", time.x(steps), time.height - time.margin.bottom - 10, { color: color.muted, halo: color.ground, align: "right" });
  }

  /** The same in words. */
  function tell() {
    const { sure, text } = regime(chosen, L, now, number);
    size.textContent = `η = ${sayEta(chosen.eta)}, μ = ${sayMu(chosen.mu)}`;
    words.textContent = text;
    strip.classList.toggle("ck-warning", !sure);
    ends.textContent = `f goes from ${number(now.loss[0])} to ${number(now.loss[steps])}. `
      + `The bound's factor is ${number(now.factor)} a step: it ends at ${number(now.bound[steps])}.`;
    heard.say(`${size.textContent}. ${text} ${ends.textContent}`);
    start.root.setAttribute("aria-valuenow", chosen.start);
    start.root.setAttribute("aria-valuetext", `w₀ = ${number(chosen.start)}`);
    grip.root.setAttribute("aria-valuenow", chosen.mu);
    grip.root.setAttribute("aria-valuetext", `μ = ${sayMu(chosen.mu)}`);
    eta.set(chosen.eta);
    mu.set(chosen.mu);
  }

  const { request, remove } = stage(root, ui, {
    plots: [graph, sides, time],
    resized(latest) {
      ink = latest;
    },
    draw() {
      now = study(chosen, L, X);
      drawGraph();
      drawSides();
      drawTime();
      tell();
    },
  });
  return remove;
}
