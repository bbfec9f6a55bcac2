"""Predictors by name: Gaussian processes of every distance, the learned surrogate, ENCODING+HEAD."""

from __future__ import annotations

from ...bench.errors import BadValue, UnknownName
from ...bench.spaces import Space
from ..bayes.distances import DISTANCES
from ..bayes.fitting import PAPER
from .encoded import Encoded
from .gaussian import GaussianProcess
from .heads import HEADS
from .learned import LearnedSurrogate
from .predictor import Predictor

SHORT = {
    "tree-wasserstein": "tw-gp",
    "tree-wasserstein-2": "tw-2-gp",
    "paths": "path-gp",
    "weisfeiler-lehman": "wl-gp",
}
"""Distances whose Gaussian process is not called by their own name and "-gp"."""
PUBLISHED = ":published"


def predictors(space: Space) -> list[str]:
    """The names of all predictors of a space."""
    from ...proxies.encodings import encodings

    processes = list(_processes())
    trees = [f"{name}{PUBLISHED}" for name in processes if name.startswith("tw-")]
    encoded = [f"{encoding}+{head}" for encoding in encodings(space, vectors=True) for head in HEADS]
    return ["surrogate", *processes, *trees, *encoded]


def predictor(name: str | Predictor, space: Space, *, timed: bool = False) -> Predictor:
    """The predictor of that name; a predictor is answered as it is.

    ==================  ===========================================================================================
    surrogate           the learned surrogate: two ensembles of trees
    DISTANCE-gp         a Gaussian process: tw-gp, tw-2-gp, hamming-gp, path-gp, nasbot-gp, wl-gp, ...
    tw-gp:published     the same with the bounds of the paper, which are for searching; also tw-2-gp:published
    ENCODING+HEAD       ridge, gp, random-forest or mlp on an encoding of `proxies.encodings`, such as path+ridge
    ==================  ===========================================================================================

    Args:
        timed: whether what is predicted depends on operations that no path uses, as training times do.

    Raises:
        UnknownName: no such predictor, or not for this space; the message lists what there is.
        BadValue: neither a name nor a predictor.
    """
    if not isinstance(name, str):
        if not isinstance(getattr(name, "name", None), str) or not callable(getattr(name, "fit", None)):
            raise BadValue(f"predictor {name!r}; legal: a name such as 'tw-gp', or an object with name and fit")
        return name
    if name == "surrogate":
        return LearnedSurrogate(dead=timed)
    processes = _processes()
    if name in processes:
        return GaussianProcess(name, DISTANCES[processes[name]])
    plain = name.removesuffix(PUBLISHED)
    if plain != name and plain in processes and plain.startswith("tw-"):
        return GaussianProcess(name, DISTANCES[processes[plain]], PAPER)
    legal = predictors(space)
    if name not in legal:
        raise UnknownName.of(f"predictor of space {space.name!r}", name, legal)
    encoding, _, head = name.rpartition("+")
    return Encoded(encoding, head)


def _processes() -> dict[str, str]:
    """Name of the Gaussian process of every distance -> name of the distance."""
    return {SHORT.get(distance, f"{distance}-gp"): distance for distance in DISTANCES}
