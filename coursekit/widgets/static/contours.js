// The landscape of any value(w): a grid of values, its shading, and its level lines by marching squares.

/** Values of f at the corners of nx by ny cells over [x0, x1] x [y0, y1]. */
export function sample(f, [x0, x1], [y0, y1], nx = 96, ny = 72) {
  const values = new Float64Array((nx + 1) * (ny + 1));
  const w = [0, 0];
  for (let j = 0, k = 0; j <= ny; j++) {
    w[1] = y0 + ((y1 - y0) * j) / ny;
    for (let i = 0; i <= nx; i++, k++) {
      w[0] = x0 + ((x1 - x0) * i) / nx;
      values[k] = f(w);
    }
  }
  return { values, nx, ny, x0, y0, dx: (x1 - x0) / nx, dy: (y1 - y0) / ny };
}

/** Levels above `floor` in equal ratios, from the grid's largest value down. */
export function levels({ values }, floor, count = 12, ratio = 2.2) {
  const top = values.reduce((a, b) => Math.max(a, b)) - floor;
  return Array.from({ length: count }, (_, i) => floor + top * ratio ** -(i + 0.5));
}

// Which edges of a cell a level crosses, by which corners lie above it (bit 0: lower left, then counter-clockwise).
// Edges: 0 below, 1 right, 2 above, 3 left. A saddle cell (5, 10) gets both its lines.
const CROSSED = [[], [3, 0], [0, 1], [3, 1], [1, 2], [3, 2, 0, 1], [0, 2], [3, 2],
  [2, 3], [2, 0], [0, 3, 1, 2], [2, 1], [1, 3], [1, 0], [0, 3], []];

/** The level line f = level as one Path2D, in the pixels of `plot`. */
export function levelLine({ values, nx, ny, x0, y0, dx, dy }, level, plot) {
  const path = new Path2D();
  const [left, bottom] = [plot.x(x0), plot.y(y0)];
  const [stepX, stepY] = [plot.x(x0 + dx) - left, plot.y(y0 + dy) - bottom];
  const corner = [0, 0, 0, 0];
  const at = [[0, 0], [0, 0]];
  const cross = (point, edge, i, j) => {
    const [a, b] = [corner[edge], corner[(edge + 1) % 4]];
    const part = (level - a) / (b - a);
    const u = edge === 0 ? part : edge === 1 ? 1 : edge === 2 ? 1 - part : 0;
    const v = edge === 0 ? 0 : edge === 1 ? part : edge === 2 ? 1 : 1 - part;
    point[0] = left + (i + u) * stepX;
    point[1] = bottom + (j + v) * stepY;
  };
  for (let j = 0; j < ny; j++) {
    for (let i = 0; i < nx; i++) {
      const k = j * (nx + 1) + i;
      corner[0] = values[k];
      corner[1] = values[k + 1];
      corner[2] = values[k + nx + 2];
      corner[3] = values[k + nx + 1];
      const above = (corner[0] > level) | ((corner[1] > level) << 1)
        | ((corner[2] > level) << 2) | ((corner[3] > level) << 3);
      const edges = CROSSED[above];
      for (let e = 0; e < edges.length; e += 2) {
        cross(at[0], edges[e], i, j);
        cross(at[1], edges[e + 1], i, j);
        path.moveTo(at[0][0], at[0][1]);
        path.lineTo(at[1][0], at[1][1]);
      }
    }
  }
  return path;
}

/** Fill the plot's ground with `color`, the stronger the lower the value: depth by logarithm above `floor`. */
export function shade(g, plot, { values, nx, ny, x0, y0, dx, dy }, floor, color) {
  const [low, high] = [1e-3, values.reduce((a, b) => Math.max(a, b)) - floor];
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  const image = new ImageData(nx + 1, ny + 1);
  for (let j = ny, k = 0; j >= 0; j--) { // an image begins at its top
    for (let i = 0; i <= nx; i++, k += 4) {
      const value = values[j * (nx + 1) + i] - floor;
      image.data[k] = red;
      image.data[k + 1] = green;
      image.data[k + 2] = blue;
      image.data[k + 3] = (70 * Math.log(high / Math.max(value, low * high))) / Math.log(1 / low);
    }
  }
  const small = new OffscreenCanvas(nx + 1, ny + 1);
  small.getContext("2d").putImageData(image, 0, 0);
  const [left, right] = [plot.x(x0 - dx / 2), plot.x(x0 + (nx + 0.5) * dx)];
  const [top, bottom] = [plot.y(y0 + (ny + 0.5) * dy), plot.y(y0 - dy / 2)];
  g.imageSmoothingEnabled = true;
  g.imageSmoothingQuality = "high";
  g.drawImage(small, left, top, right - left, bottom - top);
}
