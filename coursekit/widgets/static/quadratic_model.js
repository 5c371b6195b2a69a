// Gradient descent on quadratics of two variables, seen in the eigenvectors of the Hessian.
import { along, dot, run } from "./engine.js";
import { PROBLEMS } from "./generated.js";

const same = (a, b) => Math.abs(a - b) < 1e-9;

/** The quadratic with curvatures (1, kappa) along `flat`, a unit vector, and across it. Its start is in eigen-coordinates. */
export function tilted(kappa, flat) {
  const p = { lam: [1, kappa], w_star: [0, 0] };
  const Q = [flat, [-flat[1], flat[0]]];
  const { value } = PROBLEMS.Quadratic;
  return {
    lam: p.lam, Q,
    f: (w) => value(Q.map((q) => dot(q, w)), p),
    // Gradient descent does not notice a rotation: it runs in the eigenvectors, and the path is turned into the plane.
    run(start, eta, steps) {
      const u = run("Quadratic", "gradient_descent", p, { eta }, start, steps);
      return {
        path: u.map((x, i) => (i % 2 ? u[i - 1] * Q[0][1] + x * Q[1][1] : x * Q[0][0] + u[i + 1] * Q[1][0])),
        modes: [0, 1].map((i) => along(u, 2, (at) => at[i])),
      };
    },
  };
}

/** Application 1 or 2 of AMGT, less its minimum 2; the Hessian is read off the generated gradient. */
export function application(number) {
  const p = { a: number === 1 ? 2 : 1, b: 2 };
  const { value, grad } = PROBLEMS.Application;
  const [[a, b], [, c]] = [grad([1, 0], p), grad([0, 1], p)]; // its gradient at 0 is 0
  const [mean, spread] = [(a + c) / 2, Math.hypot((a - c) / 2, b)];
  const steep = a >= c ? [mean + spread - c, b] : [b, mean + spread - a];
  const s = steep.map((x) => x / Math.hypot(...steep));
  const Q = [[-s[1], s[0]], s];
  return {
    lam: [mean - spread, mean + spread], Q,
    f: (w) => value(w, p) - 2,
    run(start, eta, steps) {
      const path = run("Application", "gradient_descent", p, { eta }, start, steps);
      return { path, modes: Q.map((q) => along(path, 2, (w) => dot(q, w))) };
    },
  };
}

/** All numbers of the views; `modes[i]` is the i-th eigen-coordinate over time, flat before steep. */
export function study(problem, { eta, start, steps }) {
  const { path, modes } = problem.run(start, eta, steps);
  const factors = problem.lam.map((x) => 1 - eta * x);
  const rho = Math.max(...factors.map(Math.abs));
  const distance = along(path, 2, (w) => Math.hypot(...w));
  const bound = Float64Array.from(distance, (_, t) => distance[0] * rho ** t);
  return { path, modes, factors, rho, distance, bound, ...fate(factors, modes.map((u) => u[0])) };
}

/** What a run does whose modes have these factors and start like this, in words; `falls`: it goes to the minimum. */
export function fate(factors, start) {
  const size = Math.hypot(...start);
  if (!size) return { falls: true, brief: "stands still", words: "This start is the minimum: nothing moves." };
  const moving = [0, 1].filter((i) => start[i]);
  const slowest = (modes) => Math.max(...modes.map((i) => Math.abs(factors[i])));
  const [rate, early] = [slowest(moving), slowest(moving.filter((i) => Math.abs(start[i]) > 1e-9 * size))];
  const forever = same(rate, 1);
  const hidden = !forever && rate > 1 && early < 1;
  const times = (x) => `×${+x.toPrecision(4)} a step`;
  const brief = hidden ? `converges at first, ${times(early)}, then diverges, ${times(rate)}`
    : same(rate, 0) ? "arrives in one step"
    : forever ? "neither converges nor diverges"
    : `${rate < 1 ? "converges" : "diverges"}, ${times(rate)}`;
  return { falls: rate < 1 && !forever, brief, words: words(...factors, moving, hidden) };
}

function words(flat, steep, moving, hidden) {
  if (hidden) return "Converges at first. But the start has a trace of the steep mode, which grows until it is all there is.";
  if (moving.length === 1) {
    const factor = [flat, steep][moving[0]];
    const which = `This start has only the ${["flat", "steep"][moving[0]]} mode`;
    if (same(factor, 0)) return `${which}: done in one step.`;
    if (same(Math.abs(factor), 1)) return `${which}: it jumps between two points forever.`;
    if (Math.abs(factor) > 1) return `${which}, and η is too large for it: diverges.`;
    return `${which}: a straight line to the minimum${factor < 0 ? ", from side to side" : ""}. The other mode does not matter.`;
  }
  if (same(steep, 0)) {
    return same(flat, 0) ? "One curvature: η = 1/L arrives in one step, as Newton's method does."
      : "η = 1/L: the steep mode is done in one step. Then a crawl along the floor.";
  }
  if (same(steep, -1)) return "η = 2/L: the steep mode jumps from side to side forever.";
  if (steep < -1) return "Diverges: the steep mode changes side and grows (η > 2/L).";
  if (steep > 0) return "A crawl without zig-zag: no mode changes side (η < 1/L).";
  if (same(flat, -steep)) return "Zig-zag at the best fixed step, 2/(L + μ): both modes shrink at the same rate.";
  return flat > -steep
    ? "Zig-zag: the steep mode changes side at every step. The flat one is still the slower."
    : "Zig-zag: the steep mode is now the slower one. A longer step makes it worse.";
}
