// What the theme leaves out. Whatever scrolls sideways can be reached and named from the keyboard; formulas keep to
// their lines; folded proofs are printed.

const SCROLLERS = [
  ['mjx-container[display="true"]', "Equation"],
  ["mjx-container.ck-wide", "Formula"],
  [".pst-scrollable-table-container", "Table"],
  [".bd-article div.highlight pre", "Code"],
  [".bd-article div.cell_output", "Output"],
];

function markScrollers() {
  for (const [selector, name] of SCROLLERS) {
    for (const element of document.querySelectorAll(selector)) {
      const scrolls = element.scrollWidth > element.clientWidth + 1;
      if (scrolls && !element.dataset.ckScrolls) {
        element.dataset.ckScrolls = "true";
        element.tabIndex = 0;
        element.setAttribute("role", "group");
        element.setAttribute("aria-label", `${name}, scrolls sideways`);
      } else if (!scrolls && element.dataset.ckScrolls) {
        delete element.dataset.ckScrolls;
        for (const name of ["tabindex", "role", "aria-label"]) element.removeAttribute(name);
      }
    }
  }
}

// A formula inside a line is wider than the line: it scrolls where it stands.
function tameInline() {
  for (const formula of document.querySelectorAll('mjx-container:not([display="true"])')) {
    formula.classList.remove("ck-wide");
    const block = formula.closest("p, li, td, th, dd, dt, figcaption, h1, h2, h3, h4");
    if (block && formula.offsetWidth > block.clientWidth) formula.classList.add("ck-wide");
  }
}

// A line may not break between a formula and the punctuation mark that follows it.
function keepPunctuation() {
  for (const formula of document.querySelectorAll('span.math > mjx-container:not([display="true"])')) {
    const span = formula.parentElement;
    const mark = span.nextSibling?.nodeType === Node.TEXT_NODE && span.nextSibling.data.match(/^[.,;:!?)\]’”-]+/);
    if (!mark) continue;
    const pair = document.createElement("span");
    pair.className = "ck-nowrap";
    span.nextSibling.data = span.nextSibling.data.slice(mark[0].length);
    span.replaceWith(pair);
    pair.append(span, mark[0]);
  }
}

function layOut() {
  tameInline();
  markScrollers();
}

async function start() {
  await document.fonts?.ready;
  await window.MathJax?.startup?.promise; // undefined on pages without mathematics
  keepPunctuation();
  new ResizeObserver(layOut).observe(document.body);
}

// Paper cannot be clicked: what is folded is printed unfolded.
const folds = () => document.querySelectorAll(".bd-article details:not([open])");
let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...folds()];
  for (const fold of opened) fold.open = true;
});
window.addEventListener("afterprint", () => {
  for (const fold of opened) fold.open = false;
});

window.addEventListener("load", start);
