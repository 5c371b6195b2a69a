// What "Where does PL hold?" shows: gradient descent on w² + 3 sin² w, and both sides of the PL inequality there.
import { along, run } from "./engine.js";
import { PROBLEMS } from "./generated.js";

const problem = () => PROBLEMS.PLSine; // asked for when it is used: a bundle may leave it out
const same = (a, b) => Math.abs(a - b) < 1e-9;

export const f = (w) => problem().value([w], {});
export const half = (w) => problem().grad([w], {})[0] ** 2 / 2; // ½ f'(w)²; f* is 0

/** All numbers of the views, from what the reader chose; L is the problem's, mu may be any. */
export function study({ mu, eta, start, steps }, L, [low, high]) {
  const path = run("PLSine", "gradient_descent", {}, { eta }, [start], steps);
  const loss = along(path, 1, (w) => f(w[0]));
  const factor = 1 - eta * mu * (2 - eta * L);
  const bound = loss.map((_, t) => factor ** t * loss[0]);
  // Above, by more than the rounding of the powers; and not where both have vanished.
  const broken = loss.findIndex((now, t) => now > bound[t] * (1 + 1e-9) + 1e-15 * loss[0]);
  return { path, loss, bound, factor, broken, gaps: violated(mu, low, high), met: metViolation(path, mu) };
}

/** The intervals of [low, high] on which ½ f'² < mu f, each [from, to]. */
export function violated(mu, low, high, cells = 2400) {
  const found = [];
  for (let i = 0; i <= cells; i++) {
    const w = low + ((high - low) * i) / cells;
    if (half(w) >= mu * f(w)) continue;
    const last = found.at(-1);
    if (last && last[2] === i - 1) [last[1], last[2]] = [w, i];
    else found.push([w, w, i]);
  }
  return found.map(([from, to]) => [from, to]);
}

const metViolation = (path, mu) => path.findIndex((w) => half(w) < mu * f(w) * (1 - 1e-12));

/** The regime in words: the inequality, the step, and what both say of this run; `sure` if the theorem speaks. */
export function regime({ mu, eta }, L, { gaps, met, broken }, say) {
  const reach = eta * L;
  const right = gaps.filter(([from]) => from > 0);
  const where = right.map(([from, to]) => `${say(from)} and ${say(to)}`).join(", and between ");
  const holds = gaps.length === 0;
  const first = holds
    ? "PL holds everywhere with this μ."
    : `PL is violated for |w| between ${where}${met >= 0 ? `, and step ${met} is there` : ", but this run does not step there"}.`;
  const step = same(reach, 2) || reach > 2
    ? "η ≥ 2/L: the bound does not fall and promises nothing."
    : broken >= 0
      ? `The bound is broken at step ${broken}. No theorem promised it.`
      : holds
        ? "The loss stays below the bound, as the theorem says."
        : met >= 0
          ? "The loss happens to stay below the bound."
          : "PL at the points of the run is enough: the loss stays below the bound.";
  return { sure: (holds || met < 0) && reach < 2 && !same(reach, 2), text: `${first} ${step}` };
}
