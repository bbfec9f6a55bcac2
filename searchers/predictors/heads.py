"""What learns from rows of numbers, whatever encoding made them: scikit-learn's regressors, each with a deviation.

Rows and values are standardised by those learned from. A head answers a function of further rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .predictor import Floats

Rows = npt.NDArray[np.float32]
Head = Callable[[Floats, Floats, np.random.Generator], Callable[[Floats], tuple[Floats, Floats]]]
"""(rows (n, d), values (n,), rng) -> (rows (m, d) -> mean and deviation, (m,) each)."""

TREES = 200
MEMBERS = 5
TUNED_ON = 300  # rows by which a Gaussian process finds its parameters; then it takes all


def ridge(rows: Floats, values: Floats, rng: np.random.Generator) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Bayesian ridge regression (MacKay, 1992): weights and noise by evidence."""
    from sklearn.linear_model import BayesianRidge

    fitted = BayesianRidge().fit(rows, values)

    def predict(asked: Floats) -> tuple[Floats, Floats]:
        mean, deviation = fitted.predict(asked, return_std=True)
        return mean, deviation

    return predict


def gaussian_process(
    rows: Floats, values: Floats, rng: np.random.Generator
) -> Callable[[Floats], tuple[Floats, Floats]]:
    """A Gaussian process with one length scale (squared exponential), scale and noise by marginal likelihood."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    typical = float(np.sqrt(rows.shape[1]))  # of a distance between standardised rows
    shape = RBF(typical, (1e-2 * typical, 1e2 * typical))
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * shape + WhiteKernel(0.1, (1e-4, 1.0))
    some = rng.permutation(len(rows))[:TUNED_ON]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # at a bound: then the bound is the answer
        tuned = GaussianProcessRegressor(kernel).fit(rows[some], values[some])
    fitted = GaussianProcessRegressor(tuned.kernel_, optimizer=None).fit(rows, values)

    def predict(asked: Floats) -> tuple[Floats, Floats]:
        mean, deviation = fitted.predict(asked, return_std=True)
        return mean, deviation

    return predict


def random_forest(rows: Floats, values: Floats, rng: np.random.Generator) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Random forest (Breiman, 2001); the variance over trees, brought up to what is seen out of bag."""
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        TREES, max_features=1 / 3, oob_score=True, random_state=int(rng.integers(2**31))
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some rows may be in every bag
        forest.fit(rows, values)
    out_of_bag = np.nan_to_num(values - forest.oob_prediction_)

    def over_trees(asked: Floats) -> tuple[Floats, Floats]:
        single = asked.astype(np.float32)  # what trees hold; each tree's own `predict` checks its input anew
        answers = np.stack([tree.tree_.predict(single)[:, 0] for tree in forest.estimators_])
        return answers.mean(axis=0), answers.var(axis=0)

    rest = _unexplained(out_of_bag, over_trees(rows)[1])

    def predict(asked: Floats) -> tuple[Floats, Floats]:
        mean, variance = over_trees(asked)
        return mean, np.sqrt(variance + rest)

    return predict


def perceptrons(rows: Floats, values: Floats, rng: np.random.Generator) -> Callable[[Floats], tuple[Floats, Floats]]:
    """An ensemble of multi-layer perceptrons (two layers of 64), each without a fifth of the distinct rows.

    The variance over them is brought up to what each is off where it did not learn.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    _, which = np.unique(rows, axis=0, return_inverse=True)  # twins look alike: none is learned and held out
    which = which.ravel()
    fold = rng.permutation(int(which.max()) + 1)[which] % MEMBERS
    members, residuals = [], np.zeros(len(rows))
    for number in range(MEMBERS):
        held = fold == number
        learned = ~held if (~held).any() else held
        member = MLPRegressor(
            hidden_layer_sizes=(64, 64), batch_size=int(min(64, learned.sum())), learning_rate_init=5e-3, max_iter=200,
            alpha=1e-3, random_state=int(rng.integers(2**31)),
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 200 epochs, converged or not
            member.fit(rows[learned], values[learned])
        if held.any():
            residuals[held] = values[held] - member.predict(rows[held])
        members.append(member)

    def over_members(asked: Floats) -> tuple[Floats, Floats]:
        answers = np.stack([member.predict(asked) for member in members])
        return answers.mean(axis=0), answers.var(axis=0)

    rest = _unexplained(residuals, over_members(rows)[1])

    def predict(asked: Floats) -> tuple[Floats, Floats]:
        mean, variance = over_members(asked)
        return mean, np.sqrt(variance + rest)

    return predict


def _unexplained(residuals: Floats, variance: Floats) -> float:
    """The part of the mean squared error on rows that were not learned which the ensemble's variance leaves over."""
    seen = float(np.mean(residuals**2))
    return max(seen - float(variance.mean()), 1e-3 * seen, 1e-12)


HEADS: dict[str, Head] = {
    "ridge": ridge,
    "gp": gaussian_process,
    "random-forest": random_forest,
    "mlp": perceptrons,
}
