"""Any sampler of Optuna (Akiba et al., KDD 2019) as a searcher; needs the extra ``nasgauge[optuna]``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bench.errors import BadValue, MissingPackage, UnknownName
from ..bench.objective import Evaluation
from ..bench.spaces import Space
from .searcher import Recipe
from .slots import Rows, Slots

if TYPE_CHECKING:
    import optuna
    from optuna.trial import Trial

NUMERIC_ONLY = ("CmaEsSampler", "QMCSampler")  # samplers that draw categories at random instead of modelling them
ATTEMPTS = 1_000  # illegal rows in a row before a legal one is drawn uniformly


class OptunaSearch:
    """Asks an Optuna study, one parameter for every slot of the space (`Slots`), and tells it the validation accuracy.

    Parameters are categorical; `NUMERIC_ONLY` samplers see the choices as integers. On cells101 an illegal row is told
    to the study as accuracy 0 and the next one is asked, at no cost (as nas_benchmarks treats them); a sampler that
    insists on illegal rows gets a uniform legal one after `ATTEMPTS`. NaN is told as a failed trial. Studies keep no
    memory of what they asked: an architecture may come up again. A sampler that runs out of rows ends the search.

    Args:
        sampler: name of a class of ``optuna.samplers``.
        options: further keywords of that class.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, sampler: str = "TPESampler", **options: Any
    ) -> None:  # fmt: skip
        study = _optuna().create_study
        self._slots = Slots(space, unpruned_limit=True)
        self._rng = rng
        self._numeric = sampler in NUMERIC_ONLY
        self._trials: dict[int, list[Trial]] = {}  # asked and not yet told
        self._ended = False
        with _quiet():
            made = _sampler(sampler, self._distributions(), int(rng.integers(2**32)), options)
            self._study: optuna.Study = study(direction="maximize", sampler=made)

    def ask(self, n: int = 1) -> Sequence[int]:
        asked: list[int] = []
        with _quiet():
            while len(asked) < n and (arch := self._next()) is not None:
                asked.append(arch)
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        from optuna.trial import TrialState, create_trial

        with _quiet():
            for told in evaluations:
                failed = told.value != told.value
                waiting = self._trials.get(told.id)
                if waiting:
                    trial = waiting.pop(0)
                    self._finish(trial, None if failed else told.value)
                elif not failed:
                    row = self._slots.rows([told.id])[0]
                    finished = create_trial(
                        state=TrialState.COMPLETE, value=told.value, distributions=self._distributions(),
                        params={str(slot): int(choice) for slot, choice in enumerate(row)},
                    )  # fmt: skip
                    self._study.add_trial(finished)

    def _next(self) -> int | None:
        for _ in range(ATTEMPTS):
            if self._ended:
                return None
            trial = self._study.ask(self._distributions())
            row: Rows = np.array([trial.params[str(slot)] for slot in range(len(self._slots.levels))], dtype=np.int8)
            arch = self._slots.id(row)
            if arch >= 0:
                self._trials.setdefault(arch, []).append(trial)
                return arch
            self._finish(trial, 0.0)
        return self._slots.id(self._slots.draw_legal(1, self._rng)[0])

    def _finish(self, trial: Trial, value: float | None) -> None:
        from optuna.trial import TrialState

        try:
            self._study.tell(trial, value, state=TrialState.FAIL if value is None else TrialState.COMPLETE)
        except RuntimeError:  # how samplers that list a space say, outside of `optimize`, that they are through
            self._ended = True

    def _distributions(self) -> dict[str, optuna.distributions.BaseDistribution]:
        from optuna.distributions import CategoricalDistribution, IntDistribution

        counts = self._slots.levels.tolist()
        if self._numeric:
            return {str(slot): IntDistribution(0, count - 1) for slot, count in enumerate(counts)}
        return {str(slot): CategoricalDistribution(tuple(range(count))) for slot, count in enumerate(counts)}


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingPackage(
            f"this searcher is a sampler of Optuna, which cannot be imported ({error}); pip install nasgauge[optuna]"
        ) from error
    return optuna


def _sampler(name: str, distributions: dict[str, Any], seed: int, options: dict[str, Any]) -> Any:
    import inspect

    samplers = _optuna().samplers
    legal = [each for each in samplers.__all__ if inspect.isclass(getattr(samplers, each)) and "Base" not in each]
    if name not in legal:
        raise UnknownName.of("sampler of Optuna", name, legal)
    keywords = inspect.signature(getattr(samplers, name)).parameters
    if name == "GridSampler":
        options = {"search_space": {slot: list(each.choices) for slot, each in distributions.items()}, **options}
    for option in options:
        if option not in keywords:
            raise UnknownName.of(f"setting of Optuna's {name}", option, keywords)
    try:
        return getattr(samplers, name)(**options, **({"seed": seed} if "seed" in keywords else {}))
    except (TypeError, ValueError, ImportError) as error:
        raise BadValue(f"Optuna's {name} cannot be built with {options}: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna without the notes it writes on every study, and without its warnings of what is experimental."""
    optuna = _optuna()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def optuna_search(sampler: str = "TPESampler", *, label: str = "", **options: Any) -> Recipe:
    """A sampler of Optuna by the name of its class, with the keywords of its constructor as settings.

    On the command line: ``optuna:TPESampler``, ``optuna:GPSampler`` (needs torch), ``optuna:NSGAIISampler``, ...
    """
    return Recipe("optuna", OptunaSearch, {"sampler": sampler, **options}, label or f"optuna:{sampler}")
