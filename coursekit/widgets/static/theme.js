// The book's colours on a light or a dark page, and numbers as a reader writes them.
import { PALETTE } from "./generated.js";

/** Is the page dark? The book says so on <html>, JupyterLab on <body>; otherwise the reader's system decides. */
export function isDark() {
  const book = document.documentElement.dataset.theme;
  if (book) return book === "dark";
  const lab = document.body.dataset.jpThemeLight;
  if (lab) return lab === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Calls `changed` whenever the page turns light or dark; gives a function that stops watching. */
export function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", changed);
  return () => { observer.disconnect(); system.removeEventListener("change", changed); };
}

/** The inks of one theme: `{color: {role: "#..."}, dash: {role: [...]}}`. */
export function inks(dark) {
  const of = (read) => Object.fromEntries(Object.entries(PALETTE).map(([role, ink]) => [role, read(ink)]));
  return { color: of((ink) => (dark ? ink.dark : ink.light)), dash: of((ink) => ink.dash) };
}

/** Give the inks to the stylesheet as --ck-<role>. */
export function paint(element, { color }) {
  for (const role in color) element.style.setProperty("--ck-" + role, color[role]);
}

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 10⁻⁵ for -5. */
export const power = (e) => "10" + (e < 0 ? "⁻" : "") + [...String(Math.abs(e))].map((d) => SUPERSCRIPT[d]).join("");

/** Three significant digits, with a true minus sign, and powers of ten in place of an E. */
export function number(x) {
  if (!Number.isFinite(x)) return "∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const [mantissa, exponent] = size.toExponential(2).split("e");
  const text = size >= 1e4 || size < 1e-3 ? `${mantissa}·${power(+exponent)}` : String(+size.toPrecision(3));
  return (x < 0 ? "−" : "") + text;
}
