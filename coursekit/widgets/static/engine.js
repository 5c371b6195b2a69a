// Runs a generated rule on a generated problem: the loop that `coursekit.descend` is in Python.
import { PROBLEMS, RULES } from "./generated.js";

/** The points w_0, ..., w_steps of one run, one after another in a Float64Array of (steps + 1) * dim numbers. */
export function run(problem, rule, params, hyper, start, steps) {
  const { dim, grad } = PROBLEMS[problem];
  const { state, defaults, scalars, peaks, sums, update } = RULES[rule];
  const [tops, totals] = [Object.entries(peaks), Object.entries(sums)];
  const h = { ...defaults, ...hyper };
  const path = new Float64Array((steps + 1) * dim);
  path.set(start);
  const w = [...start];
  const memory = w.map(() => state.map(() => 0)); // every state starts at zero, one per coordinate
  for (let t = 1; t <= steps; t++) {
    const g = grad(w, params);
    const c = scalars(t, h);
    const over = (part, h) => w.map((x, i) => part(x, g[i], memory[i], h));
    const seen = tops.length ? { ...h } : h; // a sum finds the peaks in its h
    for (const [name, part] of tops) c[name] = seen[name] = Math.max(...over(part, h));
    for (const [name, part] of totals) c[name] = over(part, seen).reduce((a, b) => a + b);
    for (let i = 0; i < dim; i++) {
      const [delta, next] = update(w[i], g[i], memory[i], c, h);
      w[i] += delta;
      memory[i] = next;
    }
    path.set(w, t * dim);
  }
  return path;
}

/** What `read(w)` says at each point of a run, say the value of the problem. */
export function along(path, dim, read) {
  return Float64Array.from({ length: path.length / dim }, (_, t) => read(path.subarray(t * dim, (t + 1) * dim)));
}

export const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
