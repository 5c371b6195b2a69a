// What "How large may the step be?" shows: a run on the quadratic with curvatures (1, kappa), and the lemma along it.
import { along, dot, run } from "./engine.js";
import { PROBLEMS } from "./generated.js";

const { value, grad } = PROBLEMS.Quadratic;
const same = (a, b) => Math.abs(a - b) < 1e-9;

/** All numbers of the views, from what the reader chose. */
export function study({ kappa, eta, start, steps }) {
  const p = { lam: [1, kappa], w_star: [0, 0] };
  const L = kappa;
  const path = run("Quadratic", "gradient_descent", p, { eta }, start, steps);
  const loss = along(path, 2, (w) => value(w, p));
  const squares = along(path, 2, (w) => dot(grad(w, p), grad(w, p)));
  const promise = (s, square) => s * (1 - (s * L) / 2) * square; // the descent lemma: f falls by this much at least
  const bound = new Float64Array(steps + 1).fill(loss[0]);
  for (let t = 1; t <= steps; t++) bound[t] = bound[t - 1] - promise(eta, squares[t - 1]);
  const g = grad(start, p);
  const onRay = (s) => start.map((x, i) => x - s * g[i]);
  return {
    L, path, loss, bound, onRay,
    f: (w) => value(w, p),
    ray: (s) => value(onRay(s), p),
    lemma: (s) => loss[0] - promise(s, squares[0]),
    promised: promise(eta, squares[0]),
    achieved: loss[0] - loss[1],
    regime: regime(eta, p.lam, start),
  };
}

/** The regime in words, for this step, these curvatures and this start; `falls` says whether f falls to its minimum. */
export function regime(eta, curvatures, start) {
  const L = Math.max(...curvatures);
  const reach = eta * L;
  const moving = curvatures.filter((_, i) => start[i] !== 0);
  if (moving.length === 0) {
    return { falls: true, text: "This start is the minimum: the gradient is zero and nothing moves." };
  }
  if (reach < 1 || same(reach, 1)) {
    return { falls: true, text: "Monotone: every coordinate shrinks without changing sign (η ≤ 1/L)." };
  }
  if (!moving.includes(L)) {
    const zone = same(reach, 2) ? "η = 2/L" : reach > 2 ? "η > 2/L" : "1/L < η < 2/L";
    const slow = eta * Math.max(...moving);
    const falls = slow < 2 && !same(slow, 2);
    const fate = falls ? "f falls all the same" : "but η is too large for the flat direction as well, and f does not fall";
    return { falls, text: `${zone}, but this start has no component along the steep direction: ${fate}.` };
  }
  if (same(reach, 2)) {
    return {
      falls: false,
      text: "η = 2/L exactly: the steep coordinate jumps back and forth and f stops falling along it.",
    };
  }
  return reach < 2
    ? { falls: true, text: "The steep coordinate changes sign at every step, f still falls (1/L < η < 2/L)." }
    : { falls: false, text: "Diverges: η > 2/L; the lemma promises nothing." };
}
