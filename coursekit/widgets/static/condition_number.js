// "Why does gradient descent zig-zag?": the path on a tilted quadratic, the factor of each mode, and the modes in time.
import { announcer, button, clamp, el, handle, key, logSlider, view } from "./controls.js";
import { disc, label, line, Plot, stroke } from "./plot.js";
import { study, tilted } from "./quadratic_model.js";
import { drawGround, drawModes, drawPath, newPlane, newTime } from "./quadratic_views.js";
import { stage } from "./stage.js";
import { number } from "./theme.js";
import { yours } from "./yours.js";

const DECADES = [-8, 2];

export function conditionNumber(root, spec, model) {
  const { steps, kappas: KAPPA, reaches: REACH, flat, x: X, y: Y, u: U } = spec;
  const chosen = { kappa: spec.kappa, reach: spec.reach, start: [...spec.start], steps };
  let problem = tilted(chosen.kappa, flat);
  let now;
  let ink; // of the page's theme
  let stale = true; // the landscape has to be drawn again

  const land = newPlane();
  const rate = new Plot({ ratio: 0.75, margin: { left: 34, right: 12, top: 14, bottom: 30 } });
  const time = newTime();

  const mine = yours(spec, model, () => request());
  const choose = (change) => {
    Object.assign(chosen, change);
    if ("kappa" in change) [problem, stale] = [tilted(chosen.kappa, flat), true];
    request();
  };
  const moveTo = (...u) => choose({ start: u.map((v, i) => Math.round(clamp(v, [-U[i], U[i]]) * 100) / 100 + 0) });
  const best = () => (2 * chosen.kappa) / (chosen.kappa + 1); // 2/(L + mu), in units of 1/L
  const limits = () => [{ value: 1, text: "1/L" }, { value: best(), text: "" }, { value: 2, text: "2/L" }];
  const sayStep = (v) => {
    const name = Math.abs(v - best()) < 1e-9 && chosen.kappa > 1 ? "2/(L + μ) = " : "";
    return `${name}${v.toPrecision(4).replace(/\.?0+$/, "")}/L`;
  };

  const start = handle(land, { role: "button", "aria-roledescription": "draggable point" }, {
    // Near an eigenvector the point snaps onto it: a start without one of the modes can be reached by hand.
    dragged: (px, py) => moveTo(...problem.Q.map((q) => q[0] * land.atX(px) + q[1] * land.atY(py))
      .map((v) => (Math.abs(v) < 0.04 ? 0 : v))),
    stepped: (right, up, far) => moveTo(...[right, up].map((d, i) => chosen.start[i] + d * (far ? 0.25 : 0.05))),
  });
  const mark = handle(rate, {
    role: "slider", "aria-label": "Step size on the V", "aria-valuemin": REACH[0], "aria-valuemax": REACH[1],
  }, {
    dragged: (px) => {
      const near = limits().find(({ value }) => Math.abs(rate.x(value) - px) < 4);
      choose({ reach: clamp(near ? near.value : rate.atX(px), REACH) });
    },
    stepped: (right, up, far) => {
      const grain = far ? 5 : 20;
      choose({ reach: clamp((Math.round(chosen.reach * grain) + right + up) / grain, REACH) });
    },
  });
  const step = logSlider({
    name: "Step size η", min: REACH[0], max: REACH[1], positions: 400, ticks: limits,
    say: sayStep, changed: (reach) => choose({ reach }),
  });
  const kappa = logSlider({
    name: "Condition number κ = L/μ", min: KAPPA[0], max: KAPPA[1], positions: 200,
    say: (v) => `κ = ${number(v)}`, changed: (v) => choose({ kappa: v }),
  });
  const buttons = el("div", { class: "ck-buttons" },
    button("η = 1/L", () => choose({ reach: 1 })),
    button("η = 2/(L + μ)", () => choose({ reach: best() })),
    button("start on the flat axis", () => moveTo(chosen.start[0] || spec.start[0], 0)),
    button("reset the start", () => choose({ start: [...spec.start] })));

  const size = el("b");
  const words = el("span");
  const strip = el("p", { class: "ck-regime", "aria-hidden": "true" }, size, words); // heard says it aloud
  const heard = announcer();
  const [flatFactor, steepFactor, later] = [el("b"), el("b"), el("span")];

  const ui = el("div", { class: "ck-ui", role: "group", "aria-label": spec.title },
    el("p", { class: "ck-head" }, spec.title), strip, heard.root, ...(mine ? [mine.root] : []),
    el("div", { class: "ck-views" },
      view("land", "In the plane: drag the start w₀", land.root,
        key("measured", "gradient descent"), key("bound", "one Newton step"), ...(mine ? [key("text", "your run, in rings")] : [])),
      view("ray", "Factor per step: drag the step η", rate.root,
        key("measured", "flat mode ", flatFactor), key("text", "steep mode ", steepFactor)),
      el("div", { class: "ck-controls" }, step.root, kappa.root, buttons),
      view("time", "Size of each mode", time.root, key("bound", "worst case ρᵗ‖w₀‖"), later)));

  function drawRate() {
    const { figure: g } = rate;
    const { color, dash } = ink;
    rate.show(0, REACH[1], 0, 1.3);
    rate.clear(g);
    const [top, bottom] = [rate.margin.top, rate.height - rate.margin.bottom];
    const muted = { color: color.muted, halo: color.ground };
    for (const y of [0, 1]) {
      stroke(g, rate.x(0), rate.y(y), rate.x(REACH[1]), rate.y(y), { color: color.muted });
      label(g, String(y), rate.x(0) - 6, rate.y(y), { ...muted, align: "right" });
    }
    for (const { value, text } of limits()) {
      stroke(g, rate.x(value), top, rate.x(value), bottom + 5, { color: color.limit, width: 1.5, dash: dash.limit });
      label(g, text, rate.x(value), bottom + 16, { color: color.limit, halo: color.ground, align: "center" });
    }
    label(g, "η", rate.x(REACH[1]), bottom + 16, { ...muted, align: "right", symbol: true });
    const at = (i) => (REACH[1] * i) / 100;
    const share = [1 / chosen.kappa, 1];
    const factor = (i, reach) => rate.y(Math.abs(1 - reach * share[i]));
    rate.inside(g, () => {
      const worst = (i) => Math.min(factor(0, at(i)), factor(1, at(i)));
      line(g, 101, (i) => rate.x(at(i)), worst, { color: color.bound, width: 6, dash: [] });
      line(g, 101, (i) => rate.x(at(i)), (i) => factor(0, at(i)), { color: color.measured, width: 2.5 });
      line(g, 101, (i) => rate.x(at(i)), (i) => factor(1, at(i)), { color: color.text, width: 2 });
      disc(g, rate.x(chosen.reach), factor(0, chosen.reach), 5, color.measured);
      disc(g, rate.x(chosen.reach), factor(1, chosen.reach), 5, color.text);
    });
    label(g, "ρ, the larger one", rate.x(0) + 8, top + 4, { color: color.bound, halo: color.ground });
    mark.place(rate.x(chosen.reach), clamp(rate.y(now.rho), [top, bottom]));
  }

  /** The same in words. */
  function tell() {
    const { falls, rho, factors, distance } = now;
    size.textContent = `η = ${sayStep(chosen.reach)}`;
    words.textContent = now.words;
    strip.classList.toggle("ck-warning", !falls);
    [flatFactor.textContent, steepFactor.textContent] = factors.map((x) => "×" + number(x));
    const arrived = distance.findIndex((d) => d <= 1e-3 * distance[0]);
    const far = arrived < 0 ? `not within ${steps} steps` : `after ${arrived} step${arrived === 1 ? "" : "s"}`;
    const worst = rho < 1 ? `from the worst start after ${Math.ceil(Math.log(1e-3) / Math.log(rho) - 1e-9) || 1}` : "from the worst start never";
    later.textContent = `A thousandth of the distance is left ${far}, ${worst}.`;
    heard.say(`Step size ${sayStep(chosen.reach)}. ${now.words} Factor of the flat mode ${flatFactor.textContent}, `
      + `of the steep mode ${steepFactor.textContent}. ${later.textContent}`);
    start.root.setAttribute("aria-label", `Start w₀: flat coordinate ${number(chosen.start[0])}, steep `
      + `coordinate ${number(chosen.start[1])}. Arrow keys move it along the eigenvectors, with Shift further.`);
    mark.root.setAttribute("aria-valuenow", chosen.reach);
    mark.root.setAttribute("aria-valuetext", sayStep(chosen.reach));
    step.set(chosen.reach);
    kappa.set(chosen.kappa);
  }

  const { request, remove } = stage(root, ui, {
    plots: [land, rate, time],
    resized(latest) {
      [ink, stale] = [latest, true];
      land.show(...X, ...Y);
    },
    draw() {
      now = study(problem, { ...chosen, eta: chosen.reach / chosen.kappa });
      if (stale) drawGround(land, problem.f, problem.Q, [X, Y], ink);
      stale = false;
      drawPath(land, now.path, start, ink, true);
      mine?.draw(land, chosen, ink.color.text);
      drawRate();
      drawModes(time, now, DECADES, ink);
      tell();
    },
  });
  return () => { mine?.remove(); remove(); };
}
