// "What does momentum do to a mode?": the map of (η L, β), the roots in the unit disc, and two modes in time.
import { levelLine, sample } from "./contours.js";
import { announcer, button, clamp, el, handle, key, logSlider, view } from "./controls.js";
import { best, mode, study } from "./momentum_model.js";
import { disc, label, line, Plot, stroke } from "./plot.js";
import { stage } from "./stage.js";
import { inks, isDark, number } from "./theme.js";

const LEVELS = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95];
const METHODS = { heavy_ball: "heavy ball", nesterov: "Nesterov" };
const MODES = ["measured", "text"]; // the inks of the flat and of the steep mode

export function momentum(root, spec) {
  const { steps, kappas: KAPPA, reaches: REACH, betas: BETA } = spec;
  const chosen = { method: spec.method, kappa: spec.kappa, reach: spec.reach, beta: spec.beta, steps };
  let now;
  let ink = inks(isDark());
  let stale = true; // the map has to be drawn again

  const map = new Plot({ ratio: 0.75, margin: { left: 34, right: 8, top: 10, bottom: 34 } });
  const plane = new Plot({ ratio: 0.75 });
  const time = new Plot({ ratio: 0.62, least: 200, margin: { left: 34, right: 12, top: 10, bottom: 28 } });
  plane.root.style.cursor = "default"; // nothing to take hold of

  const choose = (change) => {
    Object.assign(chosen, change);
    stale ||= "method" in change;
    request();
  };
  const moveTo = (reach, beta) => choose({
    reach: clamp(Math.round(reach * 100) / 100, REACH), beta: clamp(Math.round(beta * 1000) / 1000, BETA),
  });

  const grip = handle(map, { role: "button", "aria-roledescription": "draggable point" }, {
    dragged: (px, py) => moveTo(map.atX(px), map.atY(py)),
    stepped: (right, up, far) => moveTo(chosen.reach + right * (far ? 0.25 : 0.05), chosen.beta + up * (far ? 0.1 : 0.01)),
  });
  const limits = () => [{ value: 1, text: "1/L" }, { value: 2, text: "2/L" }];
  const sayStep = (v) => `${number(v)}/L`;
  const sayBeta = (beta) => String(+beta.toFixed(3));
  const step = logSlider({
    name: "Step size η", min: REACH[0], max: REACH[1], positions: 400, ticks: limits,
    say: sayStep, changed: (reach) => choose({ reach }),
  });
  // On the scale of 1/(1 - β), the number of steps that the memory reaches back.
  const memory = logSlider({
    name: "Momentum β", min: 1, max: 1 / (1 - BETA[1]), positions: 300,
    say: (m) => `β = ${sayBeta(1 - 1 / m)}`, changed: (m) => choose({ beta: 1 - 1 / m }),
  });
  const kappa = logSlider({
    name: "Condition number κ", min: KAPPA[0], max: KAPPA[1], positions: 200,
    say: (v) => `κ = ${number(v)}`, changed: (v) => choose({ kappa: v }),
  });
  const kinds = Object.entries(METHODS).map(([method, name]) => [method, button(name, () => choose({ method }))]);
  const buttons = el("div", { class: "ck-buttons" },
    ...kinds.map(([, b]) => b),
    button("best for this κ", () => choose(best(chosen.method, chosen.kappa))),
    button("no memory, β = 0", () => choose({ beta: 0 })));

  const where = el("b");
  const words = el("span");
  const strip = el("p", { class: "ck-regime", "aria-hidden": "true" }, where, words); // heard says it aloud
  const heard = announcer();
  const factors = MODES.map(() => el("b"));
  const later = el("span");

  const ui = el("div", { class: "ck-ui", role: "group", "aria-label": spec.title },
    el("p", { class: "ck-head" }, spec.title), strip, heard.root,
    el("div", { class: "ck-views" },
      view("land", "The map: drag the steep mode", map.root,
        key("limit", "edge of stability"), key("solid", "edge of the complex region")),
      view("ray", "Roots in the unit disc", plane.root,
        key("measured", "flat mode ", factors[0]), key("text", "steep mode ", factors[1])),
      el("div", { class: "ck-controls" }, step.root, memory.root, kappa.root, buttons),
      view("time", "The two modes in time", time.root, later)));

  function drawMap() {
    const { ground: g } = map;
    const { color, dash } = ink;
    map.clear(g);
    const modes = [];
    const grid = sample(([x, beta]) => {
      modes.push(mode(chosen.method, x, beta));
      return modes.at(-1).r;
    }, [0, REACH[1]], [0, 1], 140, 80);
    const lines = (level, read) => levelLine({ ...grid, values: Float64Array.from(modes, read) }, level, map);
    const [left, right, top, bottom] = [map.x(0), map.x(REACH[1]), map.y(1), map.y(0)];
    map.inside(g, () => {
      g.setLineDash([]);
      g.strokeStyle = color.muted;
      g.lineWidth = 1;
      g.globalAlpha = 0.6;
      for (const level of LEVELS) g.stroke(levelLine(grid, level, map));
      g.globalAlpha = 1;
      g.lineWidth = 2;
      g.strokeStyle = color.bound;
      g.stroke(lines(0, ({ D }) => D));
      g.strokeStyle = color.limit;
      g.lineWidth = 2.5;
      g.setLineDash(dash.limit);
      g.stroke(lines(0, ({ s, p }) => 1 + s + p)); // a root at -1
    });
    g.setLineDash([]);
    stroke(g, left, bottom, right, bottom, { color: color.muted });
    stroke(g, left, bottom, left, top, { color: color.muted });
    const muted = { color: color.muted, halo: color.ground };
    for (let x = 0; x <= REACH[1]; x++) label(g, String(x), map.x(x), bottom + 13, { ...muted, align: "center" });
    for (const beta of [0, 0.5, 1]) label(g, String(beta), left - 6, map.y(beta), { ...muted, align: "right" });
    label(g, "ηλ", right, bottom + 26, { ...muted, align: "right", symbol: true });
    label(g, "β", left - 6, map.y(0.75), { ...muted, align: "right", symbol: true });
    const nesterov = chosen.method === "nesterov"; // its level lines stand upright, so there is room for fewer labels
    for (const r of nesterov ? [0.5, 0.7, 0.9] : LEVELS.slice(0, 5)) {
      const at = nesterov ? [1 - r * r / 0.92, 0.92] : [1 + r * r, r * r];
      label(g, String(r), map.x(at[0]), map.y(at[1]), { ...muted, align: "center" });
    }
    label(g, "unstable", map.x(3.6), map.y(nesterov ? 0.5 : 0.2), { color: color.limit, halo: color.ground, align: "center" });
  }

  function drawChoice() {
    const { figure: g } = map;
    map.clear(g);
    const y = map.y(chosen.beta);
    const [flat, steep] = now.modes.map(({ x }) => map.x(x));
    stroke(g, flat, y, steep, y, { color: ink.color.measured, width: 4 });
    disc(g, flat, y, 6, ink.color.measured);
    grip.place(steep, y);
  }

  function drawRoots() {
    const { figure: g } = plane;
    const { color, dash } = ink;
    plane.clear(g);
    const muted = { color: color.muted, halo: color.ground };
    const circle = (radius, style) => {
      line(g, 97, (i) => plane.x(radius * Math.cos((i * Math.PI) / 48)), (i) => plane.y(radius * Math.sin((i * Math.PI) / 48)), style);
    };
    stroke(g, plane.x(-1.5), plane.y(0), plane.x(1.5), plane.y(0), { color: color.grid });
    stroke(g, plane.x(0), plane.y(-1.1), plane.x(0), plane.y(1.1), { color: color.grid });
    circle(1, { color: color.limit, dash: dash.limit });
    if (chosen.method === "heavy_ball" && chosen.beta > 0) {
      circle(Math.sqrt(chosen.beta), { color: color.bound, dash: dash.bound, width: 1.3 });
      label(g, "√β", plane.x(0) + 5, plane.y(Math.sqrt(chosen.beta)) + 12, { color: color.bound, halo: color.ground, symbol: true });
    }
    for (const x of [-1, 1]) label(g, x < 0 ? "−1" : "1", plane.x(x * 1.04), plane.y(0) + 14, { ...muted, align: x < 0 ? "right" : "left" });
    now.modes.forEach(({ roots }, i) => {
      for (const [re, im] of roots) {
        const at = [plane.x(clamp(re, [-1.44, 1.44])), plane.y(im)];
        disc(g, ...at, i ? 5 : 7, color[MODES[i]]);
        if (Math.abs(re) > 1.44) label(g, `← ${number(re)}`, at[0] - 4, at[1] - 15, { color: color[MODES[i]], halo: color.ground });
      }
    });
  }

  function drawTime() {
    const { figure: g } = time;
    const { color, dash } = ink;
    time.show(0, steps, -1.25, 1.25);
    time.clear(g);
    const muted = { color: color.muted, halo: color.ground };
    for (const y of [-1, 0, 1]) {
      stroke(g, time.x(0), time.y(y), time.x(steps), time.y(y), { color: y ? color.grid : color.muted });
      label(g, String(y).replace("-", "−"), time.x(0) - 6, time.y(y), { ...muted, align: "right" });
    }
    for (let t = 0; t <= steps; t += 20) {
      label(g, t ? String(t) : "step 0", time.x(t), time.height - time.margin.bottom + 14, { ...muted, align: "center" });
    }
    time.inside(g, () => now.u.forEach((u, i) => {
      line(g, steps + 1, time.x, (t) => time.y(u[t]), { color: color[MODES[i]], width: i ? 1.5 : 2.5, dash: i ? dash.bound : [] });
    }));
  }

  /** The same in words. */
  function tell() {
    const { modes, distance } = now;
    where.textContent = `${METHODS[chosen.method]}, η = ${sayStep(chosen.reach)}, β = ${sayBeta(chosen.beta)}`;
    words.textContent = now.words;
    strip.classList.toggle("ck-warning", !now.falls);
    modes.forEach(({ r, x }, i) => {
      factors[i].textContent = `×${number(r)} a step (×${number(Math.abs(1 - x))} without memory)`;
    });
    const last = distance.findLastIndex((d) => !(d <= 1e-3 * distance[0])) + 1;
    later.textContent = last > steps ? `More than a thousandth of the distance is left after ${steps} steps.`
      : `Below a thousandth of the distance from step ${last} on.`;
    heard.say(`${where.textContent}. ${now.words} Flat mode ${factors[0].textContent}, steep mode `
      + `${factors[1].textContent}. ${later.textContent}`);
    grip.root.setAttribute("aria-label", `Steep mode at η L = ${number(chosen.reach)}, β = ${sayBeta(chosen.beta)}. `
      + "Arrow keys move it, with Shift further.");
    for (const [method, b] of kinds) b.setAttribute("aria-pressed", method === chosen.method);
    step.set(chosen.reach);
    memory.set(1 / (1 - chosen.beta));
    kappa.set(chosen.kappa);
  }

  const { request, remove } = stage(root, ui, {
    plots: [map, plane, time],
    resized(latest) {
      [ink, stale] = [latest, true];
      map.show(0, REACH[1], 0, 1);
      plane.show(-1.6, 1.6, -1.2, 1.2);
    },
    draw() {
      now = study(chosen);
      if (stale) drawMap();
      stale = false;
      drawChoice();
      drawRoots();
      drawTime();
      tell();
    },
  });
  return remove;
}
