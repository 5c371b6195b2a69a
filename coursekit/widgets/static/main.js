// The module's doors: `mount` for one explorable, `mountAll` for a page, a default export for JupyterLab.
import { amgtTable } from "./amgt_table.js";
import { conditionNumber } from "./condition_number.js";
import { descentLemma } from "./descent_lemma.js";
import { run } from "./engine.js";
import { STYLE } from "./generated.js";
import { momentum } from "./momentum.js";
import { plInequality } from "./pl_inequality.js";

export { run };

const KINDS = { amgt_table: amgtTable, condition_number: conditionNumber, descent_lemma: descentLemma, momentum,
  pl_inequality: plInequality };

/** Draw the explorable `spec` into an element; the static figure in it steps aside. Gives a function that removes it. */
export function mount(element, spec, model) {
  style(element.getRootNode());
  const remove = KINDS[spec.kind](element, spec, model);
  const still = element.querySelector(":scope > .ck-fallback");
  if (still) still.hidden = true;
  return remove;
}

/** Mount every explorable of the page that is not mounted yet. One that fails leaves its figure standing. */
export function mountAll() {
  for (const element of document.querySelectorAll("[data-ck]:not([data-ck-mounted])")) {
    element.dataset.ckMounted = "";
    try {
      mount(element, JSON.parse(element.querySelector("script[type='application/json']").textContent));
    } catch (error) {
      console.error("coursekit explorable:", error);
    }
  }
}

function style(root) {
  const place = root.head ?? root;
  if (place.querySelector("style.ck-style")) return;
  const sheet = document.createElement("style");
  sheet.className = "ck-style";
  sheet.textContent = STYLE;
  place.append(sheet);
}

/** anywidget's door. */
export default { render: ({ model, el }) => mount(el, model.get("spec"), model) };

mountAll(); // a module script runs when the page has been parsed
