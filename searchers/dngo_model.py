"""Deep networks for global optimization (Snoek et al., ICML 2015): Bayesian linear regression on what a network learns.

With the network that CATE's code has (Yan et al., ICML 2021): one hidden layer, hyper-parameters by maximum evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BETAS, EPSILON, DECAY = (0.9, 0.999), 1e-8, 0.01  # of AdamW, as in torch
EXPONENTS = 20.0  # log alpha and log noise lie between minus and plus this


@dataclass(frozen=True)
class Training:
    """How the network is trained: tanh layer of ``units``, AdamW at ``rate``, ``epochs`` over batches of ``batch``.

    The loss is the mean of (e^p - 1) / (weight - 1) (p - y)^2 over a batch: errors of what is predicted to be good
    count more.

    Deviations: the released code multiplies each weight by the summed error of the batch, and leaves the last
    incomplete batch out.
    """

    units: int = 128
    epochs: int = 30
    batch: int = 10
    rate: float = 0.01
    weight: float = 5.0


class Network:
    """inputs -> tanh (units) -> sigmoid (1), in numpy; first weights as torch draws them for linear layers."""

    def __init__(self, features: int, training: Training, rng: np.random.Generator) -> None:
        self._training = training
        self._rng = rng
        shapes = (features, (features, training.units)), (features, (training.units,)), \
                 (training.units, (training.units, 1)), (training.units, (1,))  # fmt: skip
        self.parameters = [rng.uniform(-1, 1, shape) / math.sqrt(fan_in) for fan_in, shape in shapes]

    def hidden(self, rows: Floats) -> Floats:
        """What the last layer sees, (n, units)."""
        return np.tanh(rows @ self.parameters[0] + self.parameters[1])

    def predict(self, rows: Floats) -> Floats:
        """(n,), between 0 and 1."""
        return _sigmoid(self.hidden(rows) @ self.parameters[2] + self.parameters[3])[:, 0]

    def slopes(self, rows: Floats, values: Floats) -> list[Floats]:
        """Gradient of the loss on one batch, an array for each of the parameters."""
        hidden = self.hidden(rows)
        answer = _sigmoid(hidden @ self.parameters[2] + self.parameters[3])[:, 0]
        error, grown = answer - values, np.exp(answer)
        outer = (grown * error**2 + 2 * (grown - 1) * error) / (self._training.weight - 1) / len(rows)
        outer = (outer * answer * (1 - answer))[:, None]
        inner = outer @ self.parameters[2].T * (1 - hidden**2)
        return [rows.T @ inner, inner.sum(axis=0), hidden.T @ outer, outer.sum(axis=0)]

    def fit(self, rows: Floats, values: Floats) -> None:
        """Train on all of ``rows`` (n, features) and ``values`` (n,)."""
        plan, (beta, gamma) = self._training, BETAS
        means, squares = ([np.zeros_like(each) for each in self.parameters] for _ in range(2))
        step = 0
        for _ in range(plan.epochs):
            order = self._rng.permutation(len(rows))
            for first in range(0, len(rows), plan.batch):
                step += 1
                chosen = order[first : first + plan.batch]
                rate = plan.rate * math.sqrt(1 - gamma**step) / (1 - beta**step)
                floor = EPSILON * math.sqrt(1 - gamma**step)
                slopes = self.slopes(rows[chosen], values[chosen])
                for parameter, slope, mean, square in zip(self.parameters, slopes, means, squares, strict=True):
                    mean += (1 - beta) * (slope - mean)
                    square += (1 - gamma) * (slope**2 - square)
                    parameter *= 1 - plan.rate * DECAY
                    parameter -= rate * mean / (np.sqrt(square) + floor)


class BayesianLinear:
    """Weights ~ N(0, 1/alpha), noise ~ N(0, 1/beta); both by maximum evidence (Bishop 2006, section 3.5).

    The evidence is maximised by Nelder and Mead's method from log alpha 0 and log noise -3, where pybnn's prior
    has its middle. Deviation: pybnn's evidence takes the root of the squared error.
    """

    def __init__(self, basis: Floats, values: Floats) -> None:
        from scipy.optimize import minimize

        left, singular, right = np.linalg.svd(basis, full_matrices=False)
        along = left.T @ values
        rest = max(float(values @ values - along @ along), 0.0)
        self._count, self._width = basis.shape

        def surprise(exponents: Floats) -> float:
            return -self._evidence(exponents, singular, along, rest)

        bounds = [(-EXPONENTS, EXPONENTS)] * 2
        best = minimize(surprise, np.array([0.0, -3.0]), method="Nelder-Mead", bounds=bounds).x
        self.alpha, self.noise = float(np.exp(best[0])), float(np.exp(best[1]))
        shrunk = singular**2 / self.noise + self.alpha
        self.weights = right.T @ (singular * along / self.noise / shrunk)
        self._right, self._variances = right, 1 / shrunk

    def _evidence(self, exponents: Floats, singular: Floats, along: Floats, rest: float) -> float:
        """Log evidence of (log alpha, log noise), in the coordinates of the singular vectors."""
        log_alpha, log_noise = exponents
        alpha, beta = math.exp(log_alpha), math.exp(-log_noise)
        curvature = beta * singular**2 + alpha
        squared_error = rest + float(np.sum(np.square(alpha * along / curvature)))
        squared_weights = float(np.sum(np.square(beta * singular * along / curvature)))
        determinant = float(np.log(curvature).sum()) + (self._width - len(singular)) * log_alpha
        constant = self._width * log_alpha - self._count * (log_noise + math.log(2 * math.pi))
        return (constant - beta * squared_error - alpha * squared_weights - determinant) / 2

    def predict(self, basis: Floats) -> tuple[Floats, Floats]:
        """Mean and variance, the noise included, (n,) each."""
        inside = basis @ self._right.T
        outside = np.maximum(np.square(basis).sum(axis=1) - np.square(inside).sum(axis=1), 0)
        return basis @ self.weights, self.noise + np.square(inside) @ self._variances + outside / self.alpha


class Dngo:
    """The network with its last layer replaced, fitted to rows (n, d) and values (n,) between 0 and 1.

    Rows are standardised and divided by the root of d, so that they are as long as one number is large; the regression
    has an intercept and sees standardised values, as in Snoek et al. The released code of CATE does neither
    (``released``): its tanh units saturate on one-hot rows, and a prior around zero fights with accuracies far from it.
    """

    def __init__(
        self, rows: npt.ArrayLike, values: Floats, training: Training, rng: np.random.Generator, *,
        released: bool = False,
    ) -> None:  # fmt: skip
        inputs = np.asarray(rows, dtype=np.float64)
        self._centre, spread = inputs.mean(axis=0), inputs.std(axis=0)
        varied = spread > 1e-9
        length = 1.0 if released else math.sqrt(max(int(varied.sum()), 1))
        self._width = np.where(varied, spread * length, 1.0)
        self.network = Network(inputs.shape[1], training, rng)
        inputs = (inputs - self._centre) / self._width
        self.network.fit(inputs, values)
        basis = self.network.hidden(inputs)
        self._middle = np.zeros(basis.shape[1]) if released else basis.mean(axis=0)
        self._mean, self._spread = (0.0, 1.0) if released else (float(values.mean()), float(values.std()) or 1.0)
        self.linear = BayesianLinear(basis - self._middle, (values - self._mean) / self._spread)

    def predict(self, rows: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Mean and variance of what further rows reach, (n,) each."""
        basis = self.network.hidden((np.asarray(rows) - self._centre) / self._width)
        mean, variance = self.linear.predict(basis - self._middle)
        return self._mean + self._spread * mean, self._spread**2 * variance


def log_expected_improvement(mean: Floats, variance: Floats, best: float) -> Floats:
    """log E max(f - best, 0) of f ~ N(mean, variance), (n,); exact far below ``best`` too, where E itself is 0.

    With u = (mean - best) / deviation it is log deviation + log(phi(u) + u Phi(u)); below -1 the sum in the logarithm
    is phi(u) (1 + u sqrt(pi / 2) erfcx(-u / sqrt 2)), and far below phi(u) / u^2.
    """
    from scipy.special import erfcx, ndtr

    deviation = np.sqrt(variance)
    u = (mean - best) / deviation
    log_density = -(u**2) / 2 - math.log(2 * math.pi) / 2
    near, far = u > -1, u < -1e3
    above = np.log(np.where(near, np.exp(log_density) + u * ndtr(u), 1.0))
    middle = np.where(near | far, -2.0, u)
    below = np.log1p(middle * math.sqrt(math.pi / 2) * erfcx(-middle / math.sqrt(2)))
    tail = np.where(far, -2 * np.log(np.where(far, -u, 1.0)), below)
    return np.log(deviation) + np.where(near, above, log_density + tail)


def released_expected_improvement(mean: Floats, variance: Floats, best: float) -> Floats:
    """v (u Phi(u) + 1 + phi(u)) with u = (mean - best) / v: the released code's, v being the variance."""
    from scipy.special import ndtr

    u = (mean - best) / variance
    return variance * (u * ndtr(u) + 1 + np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi))


def _sigmoid(values: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(values / 2))
