// What momentum does to the modes of a quadratic. The recursion is read off the generated rule, not written again.
import { along, run } from "./engine.js";

const ROUND = { lam: [1, 1], w_star: [0, 0] }; // two equal modes, of which one is looked at
const same = (a, b) => Math.abs(a - b) < 1e-9;

/**
 * A mode with η λ = x: u(t+1) = s u(t) - p u(t-1), where two steps of the rule from u(0) = 1 give s and p, because
 * u(1) = s - β. Its discriminant D, and the larger modulus r of the roots of z² - s z + p.
 */
export function mode(method, x, beta) {
  const [, , first, , second] = run("Quadratic", method, ROUND, { eta: x, beta }, [1, 0], 2);
  const s = first + beta;
  const p = s * first - second;
  const D = s * s - 4 * p;
  const equal = Math.abs(D) < 1e-9;
  const r = D < 0 || equal ? Math.sqrt(Math.max(p, 0)) : (Math.abs(s) + Math.sqrt(D)) / 2;
  return { s, p, D, equal, r, roots: roots(s, equal ? 0 : D) };
}

/** The two roots as points [re, im] of the plane. */
function roots(s, D) {
  const half = Math.sqrt(Math.abs(D)) / 2;
  return D < 0 ? [[s / 2, half], [s / 2, -half]] : [[s / 2 + half, 0], [s / 2 - half, 0]];
}

/** The best parameters on quadratics with curvatures from L/kappa to L: η L and β. */
export function best(method, kappa) {
  const root = Math.sqrt(kappa);
  const rho = (root - 1) / (root + 1);
  return method === "nesterov" ? { reach: 1, beta: rho } : { reach: 4 / (1 + 1 / root) ** 2, beta: rho * rho };
}

/** All numbers of the views: both modes, flat before steep, their coordinates in time, and the distance. */
export function study({ method, kappa, reach, beta, steps }) {
  const p = { lam: [1, kappa], w_star: [0, 0] };
  const path = run("Quadratic", method, p, { eta: reach / kappa, beta }, [1, 1], steps);
  const modes = [reach / kappa, reach].map((x) => ({ x, ...mode(method, x, beta) }));
  return {
    modes,
    u: [0, 1].map((i) => along(path, 2, (w) => w[i])),
    distance: along(path, 2, (w) => Math.hypot(...w)),
    ...fate(modes, beta),
  };
}

/** The regime in words; `falls`: both modes decay. */
export function fate(modes, beta) {
  const [flat, steep] = modes;
  const falls = modes.every(({ r }) => r < 1 && !same(r, 1));
  if (beta > 0 && flat.equal && steep.equal && same(flat.r, steep.r)) {
    return { falls, words: "The best there is: each mode has a double root, on the edge of the complex region, and both decay equally fast." };
  }
  const text = says(flat) === says(steep) ? `Each mode ${says(steep)}.` : `The flat mode ${says(flat)}, the steep mode ${says(steep)}.`;
  return { falls, words: falls ? text : `No convergence. ${text}` };
}

function says({ s, D, equal, r }) {
  if (same(r, 0)) return "is done within two steps";
  if (same(r, 1)) return "stays as large as it is";
  if (r > 1) return "jumps from side to side and grows (a root outside)";
  if (equal) return s > 0 ? "is at the border between gliding and swinging (a double root)" : "is at the border between swinging and jumping (a double root)";
  if (D < 0) return "swings (complex roots)";
  return s > 0 ? "glides down (real roots)" : "jumps from side to side and shrinks (real roots)";
}
