// "How large may the step be?": gradient descent on a quadratic, on the landscape, along its first ray, and in time.
import { levelLine, levels, sample, shade } from "./contours.js";
import { announcer, button, clamp, el, handle, key, logSlider, view } from "./controls.js";
import { study } from "./descent_model.js";
import { bracket, disc, label, line, Plot, stroke } from "./plot.js";
import { stage } from "./stage.js";
import { inks, isDark, number, power } from "./theme.js";
import { yours } from "./yours.js";

const REACH = 3; // the ray is shown up to s = 3/L
const DECADES = [-8, 3]; // the loss is shown from 1e-8 to 1e3

export function descentLemma(root, spec, model) {
  const { steps, kappas: KAPPA, etas: ETA, x: X, y: Y } = spec;
  const chosen = { kappa: spec.kappa, eta: spec.eta, start: [...spec.start], steps };
  let now = study(chosen);
  let ink = inks(isDark());
  let grid = null; // the sampled landscape; null when kappa has changed

  const land = new Plot({ ratio: 0.75 });
  const ray = new Plot({ ratio: 0.75, margin: { left: 10, right: 10, top: 14, bottom: 30 } });
  const time = new Plot({ ratio: 0.62, least: 200, margin: { left: 40, right: 12, top: 10, bottom: 28 } });

  const mine = yours(spec, model, () => request());
  const choose = (change) => { Object.assign(chosen, change); if ("kappa" in change) grid = null; request(); };
  const moveTo = (x, y) => choose({ start: [clamp(x, X), clamp(y, Y)].map((v) => Math.round(v * 100) / 100 + 0) });
  const stepBy = (eta) => choose({ eta: clamp(eta, [ETA[0], Math.min(ETA[1], REACH / chosen.kappa)]) });

  const start = handle(land, { role: "button", "aria-roledescription": "draggable point" }, {
    // Near an axis the point snaps onto it: a start with no steep component can be reached by hand.
    dragged: (px, py) => moveTo(...[land.atX(px), land.atY(py)].map((v) => (Math.abs(v) < 0.03 ? 0 : v))),
    stepped: (right, up, far) => moveTo(...[right, up].map((d, i) => chosen.start[i] + d * (far ? 0.25 : 0.05))),
  });
  const mark = handle(ray, {
    role: "slider", "aria-label": "Step size along the ray", "aria-valuemin": ETA[0], "aria-valuemax": ETA[1],
  }, {
    dragged: (px) => {
      const reach = ray.atX(px);
      const limit = [1, 2].find((k) => Math.abs(ray.x(k) - px) < 5); // 1/L and 2/L are reached exactly
      stepBy((limit ?? reach) / now.L);
    },
    stepped: (right, up, far) => {
      const grain = far ? 5 : 20; // of 1/L: whole multiples, so that 1/L and 2/L are among them
      stepBy((Math.round(chosen.eta * now.L * grain) + right + up) / grain / now.L);
    },
  });
  const sayEta = (v) => `${number(v)} = ${number(v * chosen.kappa)}/L`;
  const limits = () => [1, 2].map((k) => ({ value: k / chosen.kappa, text: `${k}/L` }));
  const eta = logSlider({
    name: "Step size η", min: ETA[0], max: ETA[1], positions: 320, ticks: limits,
    say: sayEta, changed: (v) => choose({ eta: v }),
  });
  const kappa = logSlider({
    name: "Curvatures 1 and L", min: KAPPA[0], max: KAPPA[1], positions: 200,
    say: (v) => `L = κ = ${number(v)}`, changed: (v) => choose({ kappa: v }),
  });
  const buttons = el("div", { class: "ck-buttons" },
    ...[1, 2].map((k) => button(`η = ${k}/L`, () => choose({ eta: clamp(k / chosen.kappa, ETA) }))),
    button("start on the flat axis", () => moveTo(chosen.start[0] || spec.start[0], 0)),
    button("reset the start", () => choose({ start: [...spec.start] })));

  const size = el("b");
  const words = el("span");
  const strip = el("p", { class: "ck-regime", "aria-hidden": "true" }, size, words); // heard says it aloud
  const heard = announcer();
  const promised = el("b");
  const achieved = el("b");
  const later = el("span");

  const ui = el("div", { class: "ck-ui", role: "group", "aria-label": spec.title },
    el("p", { class: "ck-head" }, spec.title), strip, heard.root, ...(mine ? [mine.root] : []),
    el("div", { class: "ck-views" },
      view("land", "On the landscape: drag the start w₀", land.root,
        key("measured", "gradient descent"), key("muted", "level of f(w₀)"), ...(mine ? [key("text", "your run, in rings")] : [])),
      view("ray", "Along the first ray: drag the step s = η", ray.root,
        key("bound", "lemma: f ", promised), key("measured", "in fact: f ", achieved)),
      el("div", { class: "ck-controls" }, eta.root, kappa.root, buttons),
      view("time", `${steps} steps in a row`, time.root, later)));

  function drawGround() {
    grid ??= sample(now.f, X, Y);
    const g = land.ground;
    land.clear(g);
    shade(g, land, grid, 0, ink.color.measured);
    g.strokeStyle = ink.color.muted;
    g.globalAlpha = 0.45;
    g.lineWidth = 1;
    for (const level of levels(grid, 0)) g.stroke(levelLine(grid, level, land));
    g.globalAlpha = 1;
  }

  function drawLandscape() {
    const { figure: g } = land;
    const { measured, limit, text, muted, ground } = ink.color;
    const [x, y] = [(w) => land.x(w[0]), (w) => land.y(w[1])];
    land.clear(g);
    g.lineWidth = 1.5;
    g.strokeStyle = muted;
    g.stroke(levelLine(grid, now.loss[0], land));
    const [from, to] = [chosen.start, now.onRay(REACH / now.L)];
    stroke(g, x(from), y(from), x(to), y(to), { color: text });
    const length = Math.hypot(x(to) - x(from), y(to) - y(from)) || 1;
    const across = [(y(from) - y(to)) / length, (x(to) - x(from)) / length];
    for (const k of [1, 2]) {
      const at = now.onRay(k / now.L);
      const [cx, cy] = [x(at), y(at)];
      stroke(g, cx - 6 * across[0], cy - 6 * across[1], cx + 6 * across[0], cy + 6 * across[1], { color: limit, width: 2 });
      if (length < 75) continue; // on a short ray the labels would cover each other
      label(g, `${k}/L`, cx + 18 * across[0], cy + 18 * across[1], { color: limit, halo: ground, align: "center" });
    }
    for (const d of [-4, 4]) stroke(g, land.x(0) - 4, land.y(0) - d, land.x(0) + 4, land.y(0) + d, { color: text });
    const point = (t) => [land.x(now.path[2 * t]), land.y(now.path[2 * t + 1])];
    line(g, steps + 1, (t) => point(t)[0], (t) => point(t)[1], { color: measured });
    for (let t = 1; t <= steps; t++) disc(g, ...point(t), t === 1 ? 5 : 2.5, measured);
    mine?.draw(land, chosen, text);
    label(g, "w₀", x(from) + 13, y(from) - 13, { color: text, halo: ground, symbol: true });
    label(g, "w₁", point(1)[0] + 9, point(1)[1] - 11, { color: measured, halo: ground, symbol: true });
    start.place(x(from), y(from));
  }

  function drawRay() {
    const { figure: g } = ray;
    const { color, dash } = ink;
    const { L, loss } = now;
    const gain = (loss[0] - now.lemma(1 / L)) || 1; // the most that the lemma promises
    const count = 81;
    const s = (i) => (REACH * i) / (count - 1);
    let lowest = now.lemma(1 / L);
    for (let i = 0; i < count; i++) lowest = Math.min(lowest, now.ray(s(i) / L));
    const rise = Math.max(gain, 0.35 * (loss[0] - lowest));
    ray.show(0, REACH, lowest - 0.12 * (loss[0] - lowest) - 0.05 * gain, loss[0] + rise);
    ray.clear(g);
    const [top, bottom] = [ray.margin.top, ray.height - ray.margin.bottom];
    stroke(g, ray.x(0), bottom, ray.x(REACH), bottom, { color: color.muted });
    stroke(g, ray.x(0), ray.y(loss[0]), ray.x(REACH), ray.y(loss[0]), { color: color.muted, dash: dash.limit });
    for (const k of [1, 2]) {
      stroke(g, ray.x(k), top, ray.x(k), bottom + 5, { color: color.limit, width: 1.5, dash: dash.limit });
      label(g, `${k}/L`, ray.x(k), bottom + 16, { color: color.limit, halo: color.ground, align: "center" });
    }
    label(g, "0", ray.x(0), bottom + 16, { color: color.muted, halo: color.ground });
    label(g, "s", ray.x(REACH), bottom + 16, { color: color.muted, halo: color.ground, align: "right", symbol: true });
    const reach = Math.min(chosen.eta * L, REACH);
    const [px, f0] = [ray.x(reach), ray.y(loss[0])];
    const [low, high] = [ray.y(now.ray(reach / L)), ray.y(now.lemma(reach / L))];
    const visible = chosen.eta * L < REACH + 1e-9;
    ray.inside(g, () => {
      line(g, count, (i) => ray.x(s(i)), (i) => ray.y(now.ray(s(i) / L)), { color: color.measured, width: 2.5 });
      line(g, count, (i) => ray.x(s(i)), (i) => ray.y(now.lemma(s(i) / L)), { color: color.bound, dash: dash.bound });
      if (!visible) return;
      const beside = px + (px < ray.x(0) + 20 ? 14 : -14);
      stroke(g, px, high, beside, high, { color: color.bound });
      bracket(g, beside, f0, high, { color: color.bound });
      bracket(g, px, f0, low, { color: color.measured });
    });
    mark.place(px, clamp(low, [top, bottom]));
    if (!visible) {
      const beyond = { color: color.text, halo: color.ground, align: "right" };
      label(g, "η lies beyond 3/L →", px - 16, clamp(low, [top, bottom]), beyond);
    }
    label(g, "f(w₀)", ray.x(REACH), f0 - 10, { color: color.text, halo: color.ground, align: "right", symbol: true });
  }

  function drawTime() {
    const { figure: g } = time;
    const { color, dash } = ink;
    time.show(0, steps, ...DECADES);
    time.clear(g);
    for (let e = DECADES[0] + 2; e <= DECADES[1]; e += 3) {
      stroke(g, time.x(0), time.y(e), time.x(steps), time.y(e), { color: color.grid });
      label(g, power(e), time.x(0) - 6, time.y(e), { color: color.muted, halo: color.ground, align: "right" });
    }
    const bottom = time.height - time.margin.bottom;
    for (let t = 0; t <= steps; t += 10) {
      label(g, t ? String(t) : "step 0", time.x(t), bottom + 14, { color: color.muted, halo: color.ground, align: "center" });
    }
    const height = (values) => (t) => time.y(Math.log10(Math.max(values[t], 1e-300)));
    time.inside(g, () => {
      line(g, steps + 1, time.x, height(now.loss), { color: color.measured, width: 2.5 });
      line(g, steps + 1, time.x, height(now.bound), { color: color.bound, dash: dash.bound });
    });
    const corner = { color: color.text, halo: color.ground, align: "right", symbol: true };
    label(g, "f(wₜ)", time.x(steps), time.margin.top + 10, corner);
  }

  /** The same in words. */
  function tell() {
    const { regime, promised: sure, achieved: real, loss, bound } = now;
    size.textContent = `η = ${sayEta(chosen.eta)}`;
    words.textContent = regime.text;
    strip.classList.toggle("ck-warning", !regime.falls);
    promised.textContent = sure > 0 ? `falls by ≥ ${number(sure)}` : `may rise by ${number(-sure)}`;
    achieved.textContent = real >= 0 ? `falls by ${number(real)}` : `rises by ${number(-real)}`;
    later.textContent = `f reaches ${number(loss[steps])}. ` + (sure > 0
      ? `The lemma, applied at every step, guarantees f ≤ ${number(bound[steps])}.`
      : "The lemma still holds, but its bound no longer falls: it promises nothing.");
    heard.say(`Step size ${sayEta(chosen.eta)}. ${regime.text} First step: the lemma says f ${promised.textContent}; `
      + `f ${achieved.textContent}. ${later.textContent}`);
    start.root.setAttribute("aria-label", `Start w₀ = (${chosen.start.map(number).join(", ")}). `
      + "Arrow keys move it, with Shift further.");
    mark.root.setAttribute("aria-valuenow", chosen.eta);
    mark.root.setAttribute("aria-valuetext", sayEta(chosen.eta));
    eta.set(chosen.eta);
    kappa.set(chosen.kappa);
  }

  const { request, remove } = stage(root, ui, {
    plots: [land, ray, time],
    resized(latest) {
      [ink, grid] = [latest, null];
      land.show(...X, ...Y);
    },
    draw() {
      now = study(chosen);
      if (!grid) drawGround();
      drawLandscape();
      drawRay();
      drawTime();
      tell();
    },
  });
  return () => { mine?.remove(); remove(); };
}
