// What a reader can take hold of: sliders on a log scale, points on a plot, buttons, all by keyboard too; and the
// frame of a view.

let serial = 0;

/** An element: `el("p", {class: "x", onclick: f}, child, "text")`. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** x, or the nearer end where it lies outside. */
export const clamp = (x, [low, high]) => Math.min(high, Math.max(low, x));

export const button = (text, onclick) => el("button", { type: "button", onclick }, text);

/** An entry of a legend: a stroke in the ink of a role, and what it is. */
export const key = (role, ...text) => el("span", { class: "ck-key" }, el("i", { class: "ck-ink-" + role }), ...text);

/** One view of an explorable, in an area of the stylesheet's grid: its title, a plot or table, and what stands below. */
export const view = (area, title, body, ...below) => el("section", { class: "ck-view ck-" + area },
  el("p", { class: "ck-title" }, title), body, ...(below.length ? [el("p", { class: "ck-below" }, ...below)] : []));

/**
 * A slider on a log scale. `ticks()` gives {value, text} pairs: each has a mark, and the slider's nearest position
 * means that value exactly. `say(value)` is shown beside the slider and read aloud.
 */
export function logSlider({ name, min, max, positions, ticks = () => [], say, changed }) {
  const id = `ck-slider-${++serial}`;
  const share = (value) => Math.log(value / min) / Math.log(max / min);
  const positionOf = (value) => Math.round(positions * Math.min(1, Math.max(0, share(value))));
  const shown = ticks().map(({ text }) => el("span", { "aria-hidden": "true" }, text));
  // Not an <output>: that would be a live region and speak at every position; the slider itself says its value.
  const output = el("span", { class: "ck-value", "aria-hidden": "true" });
  const input = el("input", {
    id, type: "range", min: 0, max: positions, step: 1,
    oninput: () => {
      const at = +input.value;
      const tick = ticks().find(({ value }) => value >= min && value <= max && positionOf(value) === at);
      changed(tick ? tick.value : min * (max / min) ** (at / positions));
    },
  });
  const root = el("div", { class: "ck-slider" },
    el("label", { for: id }, name), output, el("div", { class: "ck-track" }, input, ...shown));
  return {
    root,
    set(value) {
      input.value = positionOf(value);
      output.textContent = say(value);
      input.setAttribute("aria-valuetext", say(value));
      ticks().forEach((tick, i) => {
        shown[i].hidden = tick.value < min || tick.value > max;
        shown[i].style.setProperty("--at", share(tick.value));
      });
    },
  };
}

/**
 * A point that is dragged on a plot, or moved with the arrow keys. `dragged(x, y)` gets pixels of the plot,
 * `stepped(right, up, far)` the direction of a key and whether Shift asks for a large step. A mouse may also press
 * anywhere on the plot; a finger may not, because there it scrolls the page.
 */
export function handle(plot, attributes, { dragged, stepped }) {
  const grip = el("div", { class: "ck-handle", tabindex: 0, ...attributes });
  const place = [0, 0];
  plot.root.append(grip);
  const follow = (element, event, offset) => {
    const box = plot.root.getBoundingClientRect();
    const move = (e) => dragged(e.clientX - box.left - offset[0], e.clientY - box.top - offset[1]);
    element.setPointerCapture(event.pointerId);
    element.onpointermove = move;
    element.onpointerup = element.onpointercancel = () => { element.onpointermove = null; };
    move(event);
  };
  grip.addEventListener("pointerdown", (event) => {
    event.stopPropagation(); // the plot would otherwise take hold as well
    const box = plot.root.getBoundingClientRect();
    follow(grip, event, [event.clientX - box.left - place[0], event.clientY - box.top - place[1]]);
  });
  plot.root.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    event.preventDefault();
    grip.focus({ preventScroll: true });
    follow(plot.root, event, [0, 0]);
  });
  grip.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    stepped(...way, event.shiftKey);
  });
  return {
    root: grip,
    place(x, y) {
      [place[0], place[1]] = [x, y];
      grip.style.transform = `translate(${x}px, ${y}px)`;
    },
  };
}

/** A live region: says its text once it has stood still for a moment, so that a drag is not a flood of words. */
export function announcer() {
  const heard = el("p", { class: "ck-heard", role: "status" });
  let timer = 0;
  return {
    root: heard,
    say(text) {
      clearTimeout(timer);
      timer = setTimeout(() => { if (heard.textContent !== text) heard.textContent = text; }, 400);
    },
  };
}
