// A plot: two stacked canvases (a ground that is kept, a figure that is redrawn), axes in the reader's units.

const FONT_SIZE = "12px ";
const SYMBOL = 'italic 14px "STIX Two Text", "Latin Modern Math", Cambria, Georgia, serif';

export class Plot {
  /** `margin` in pixels: {left, right, top, bottom}; `ratio` is height / width, at least `least` pixels high. */
  constructor({ ratio, least = 0, margin }) {
    this.ratio = ratio;
    this.least = least;
    this.margin = { left: 0, right: 0, top: 0, bottom: 0, ...margin };
    this.root = document.createElement("div");
    this.root.className = "ck-plot";
    [this.ground, this.figure] = [0, 1].map(() => {
      const canvas = this.root.appendChild(document.createElement("canvas"));
      canvas.setAttribute("aria-hidden", "true");
      return canvas.getContext("2d");
    });
  }

  /** Follow the page's width and the screen's density. */
  resize() {
    this.width = this.root.clientWidth;
    this.height = Math.max(this.least, Math.round(this.width * this.ratio));
    this.root.style.height = this.height + "px";
    const density = Math.min(devicePixelRatio || 1, 3);
    for (const g of [this.ground, this.figure]) {
      g.canvas.width = this.width * density;
      g.canvas.height = this.height * density;
      g.setTransform(density, 0, 0, density, 0, 0);
    }
  }

  /** What the frame shows: x from x0 to x1, y from y0 (bottom) to y1 (top). */
  show(x0, x1, y0, y1) {
    const { left, right, top, bottom } = this.margin;
    this.x = (x) => left + ((x - x0) / (x1 - x0)) * (this.width - left - right);
    this.y = (y) => this.height - bottom - ((y - y0) / (y1 - y0)) * (this.height - top - bottom);
    this.atX = (px) => x0 + ((px - left) / (this.width - left - right)) * (x1 - x0);
    this.atY = (py) => y0 + ((this.height - bottom - py) / (this.height - top - bottom)) * (y1 - y0);
  }

  clear(g) {
    g.clearRect(0, 0, this.width, this.height);
  }

  /** Draw with the frame as a window: what falls outside is not seen. */
  inside(g, draw) {
    const { left, right, top, bottom } = this.margin;
    g.save();
    g.beginPath();
    g.rect(left, top, this.width - left - right, this.height - top - bottom);
    g.clip();
    draw();
    g.restore();
  }
}

/** A line through points given by `x(i)`, `y(i)` in pixels; it ends where a coordinate is not finite. */
export function line(g, count, x, y, { color, width = 2, dash = [] }) {
  pen(g, color, width, dash);
  g.beginPath();
  for (let i = 0; i < count; i++) {
    const [px, py] = [x(i), y(i)];
    if (!(Math.abs(px) < 1e7 && Math.abs(py) < 1e7)) break;
    if (i) g.lineTo(px, py);
    else g.moveTo(px, py);
  }
  g.stroke();
}

/** A straight stroke from (x0, y0) to (x1, y1), in pixels. */
export function stroke(g, x0, y0, x1, y1, { color, width = 1, dash = [] }) {
  pen(g, color, width, dash);
  g.beginPath();
  g.moveTo(x0, y0);
  g.lineTo(x1, y1);
  g.stroke();
}

/** A vertical measure from y0 to y1 with a cap at both ends: a length that is meant to be compared. */
export function bracket(g, x, y0, y1, ink) {
  stroke(g, x, y0, x, y1, { width: 3, ...ink });
  for (const y of [y0, y1]) stroke(g, x - 4, y, x + 4, y, { width: 2, ...ink });
}

export function disc(g, x, y, radius, color) {
  g.fillStyle = color;
  g.beginPath();
  g.arc(x, y, radius, 0, 2 * Math.PI);
  g.fill();
}

/** A label with a halo in the ground's colour, so that lines may pass under it. */
export function label(g, text, x, y, { color, halo, align = "left", base = "middle", symbol = false }) {
  g.font = symbol ? SYMBOL : FONT_SIZE + (g.canvas.ckFamily ??= getComputedStyle(g.canvas).fontFamily);
  g.textAlign = align;
  g.textBaseline = base;
  pen(g, halo, 4, []);
  g.strokeText(text, x, y);
  g.fillStyle = color;
  g.fillText(text, x, y);
}

function pen(g, color, width, dash) {
  g.strokeStyle = color;
  g.lineWidth = width;
  g.setLineDash(dash);
  g.lineJoin = "round";
}
