// "What does the table leave out?": the two applications of AMGT, run from any start beside what the paper says.
import { announcer, button, clamp, el, handle, key, logSlider, view } from "./controls.js";
import { application, fate, study } from "./quadratic_model.js";
import { drawGround, drawModes, drawPath, newPlane, newTime } from "./quadratic_views.js";
import { stage } from "./stage.js";
import { number } from "./theme.js";

const DECADES = [-20, 10];
const NUMBERS = [1, 2];

export function amgtTable(root, spec) {
  const { steps, etas: ETA, x: X, y: Y, papers } = spec;
  const chosen = { number: spec.application, eta: spec.eta, start: [...spec.start], steps };
  let problem = application(chosen.number);
  let now;
  let ink; // of the page's theme
  let stale = true; // the landscape has to be drawn again

  const land = newPlane();
  const time = newTime();
  const paper = () => papers[chosen.number];
  const choose = (change) => { Object.assign(chosen, change); request(); };
  const moveTo = (...w) => choose({ start: [clamp(w[0], X), clamp(w[1], Y)].map((v) => Math.round(v * 20) / 20 + 0) });
  const beside = () => [paper().start[0], paper().start[1] * (1 - 2 ** -53)];
  const sayStart = ([x, y]) => `(${number(x)}, ${number(y)}${y === beside()[1] ? " − 1 ulp" : ""})`;
  const steep = () => problem.lam[1];
  const best = () => 2 / (problem.lam[0] + steep());
  const limits = () => [
    { value: 1 / steep(), text: "1/L" }, { value: best(), text: "" }, { value: 2 / steep(), text: "2/L" },
  ];

  const start = handle(land, { role: "button", "aria-roledescription": "draggable point" }, {
    dragged: (px, py) => moveTo(land.atX(px), land.atY(py)),
    stepped: (right, up, far) => moveTo(...[right, up].map((d, i) => chosen.start[i] + d * (far ? 0.5 : 0.05))),
  });
  const eta = logSlider({
    name: "Step size η", min: ETA[0], max: ETA[1], positions: 400, ticks: limits,
    say: number, changed: (v) => choose({ eta: v }),
  });
  const apps = NUMBERS.map((n) => button(`Application ${n}`, () => {
    [problem, stale] = [application(n), true];
    choose({ number: n, eta: papers[n].rows[0][0], start: [...papers[n].start] });
  }));
  const own = button("", () => choose({ start: [...paper().start] }));
  const buttons = el("div", { class: "ck-buttons" }, ...apps, own,
    button("one ulp beside it", () => choose({ start: beside() })),
    button("start at (1, 0)", () => moveTo(1, 0)),
    button("η = 2/(L + μ)", () => choose({ eta: best() })));

  const body = el("tbody");
  const table = el("table", { class: "ck-steps" },
    el("thead", {}, el("tr", {}, ...["step η", "the paper says", "worst start", "this start"].map((text) =>
      el("th", { scope: "col" }, text)))), body);
  let [rows, filled] = [[], 0];
  function fillTable() {
    filled = chosen.number;
    rows = paper().rows.map(([step, says]) => {
      const pick = button(number(step), () => choose({ eta: step }));
      pick.setAttribute("aria-label", `η = ${number(step)}`);
      const here = el("td");
      const worst = fate(factorsAt(step), [1, 1]).brief;
      const row = el("tr", {}, el("th", { scope: "row" }, pick), el("td", {}, says), el("td", {}, worst), here);
      return { step, says, row, pick, here };
    });
    body.replaceChildren(...rows.map(({ row }) => row));
  }
  const factorsAt = (step) => problem.lam.map((x) => 1 - step * x);

  const size = el("b");
  const words = el("span");
  const against = el("span");
  const strip = el("p", { class: "ck-regime", "aria-hidden": "true" }, size, words, against); // heard says it aloud
  strip.style.minHeight = "6.3em"; // four lines: what is below must not jump
  const heard = announcer();
  const facts = el("span");

  const ui = el("div", { class: "ck-ui", role: "group", "aria-label": spec.title },
    el("p", { class: "ck-head" }, spec.title), strip, heard.root,
    el("div", { class: "ck-views" },
      view("land", "In the plane: drag the start", land.root, facts),
      view("ray", "Size of each mode", time.root,
        key("measured", "flat"), key("text", "steep"), key("bound", "worst case")),
      view("time", "Choose a step of the paper", table),
      el("div", { class: "ck-controls" }, eta.root, buttons)));

  /** The same in words. */
  function tell() {
    const modes = now.modes.map((u) => u[0]);
    const row = rows.find(({ step }) => step === chosen.eta);
    size.textContent = `η = ${number(chosen.eta)} from ${sayStart(chosen.start)}: ${now.brief}`;
    words.textContent = now.words;
    against.textContent = row ? `The paper says: ${row.says}. The worst start: ${fate(now.factors, [1, 1]).brief}.` : "";
    strip.classList.toggle("ck-warning", !now.falls);
    for (const { step, here, pick } of rows) {
      here.textContent = fate(factorsAt(step), modes).brief;
      pick.setAttribute("aria-pressed", step === chosen.eta);
    }
    apps.forEach((app, i) => app.setAttribute("aria-pressed", NUMBERS[i] === chosen.number));
    own.textContent = `the paper's start ${sayStart(paper().start)}`;
    facts.textContent = `Curvatures ${problem.lam.map(number).join(" and ")}, best step ${number(best())}, `
      + `limit ${number(2 / steep())}.`;
    heard.say(`${size.textContent}. ${words.textContent} ${against.textContent}`);
    start.root.setAttribute("aria-label", `Start ${sayStart(chosen.start)}. Arrow keys move it, with Shift further.`);
    eta.set(chosen.eta);
  }

  const { request, remove } = stage(root, ui, {
    plots: [land, time],
    resized(latest) {
      [ink, stale] = [latest, true];
      land.show(...X, ...Y);
    },
    draw() {
      now = study(problem, chosen);
      if (filled !== chosen.number) fillTable();
      if (stale) drawGround(land, problem.f, problem.Q, [X, Y], ink);
      stale = false;
      drawPath(land, now.path, start, ink);
      drawModes(time, now, DECADES, ink);
      tell();
    },
  });
  return remove;
}
