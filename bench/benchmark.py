"""A space and its tables: one query API for every benchmark, with split rules that refuse what they cannot answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, overload

import numpy as np
import numpy.typing as npt

from .clock import Clock
from .describe import describe
from .errors import BadValue, NotMeasured, UnknownName
from .formulas import Formulas
from .index import Index
from .levels import WHOLE, Levels, Seed
from .objective import Objective
from .optimum import Optimum, best_of
from .runs import check_seed, draw, mean_over_runs, pick_seed
from .spaces import Architecture, Architectures, Graph, Space
from .spaces.listing import Listing, space_of, texts_of
from .table import Entry, Table

if TYPE_CHECKING:
    from .surrogate import Surrogate

Floats = npt.NDArray[np.float64]
ONE = (str, Graph, int, np.integer)


@dataclass(frozen=True)
class Cost:
    """Simulated seconds of training and one validation pass, (n,) even for one architecture, and how far to trust them.

    ``provenance`` is measured, estimated or simulated; ``words`` say what was trained and evaluated.
    """

    seconds: Floats
    provenance: str
    words: str


class Benchmark:
    """What is known about the architectures of one space, from one or more tables.

    >>> bench = nasgauge.open("nats-tss")                                          # doctest: +SKIP
    >>> bench.query([0, 1, 2], "test_accuracy", dataset="cifar100")                # doctest: +SKIP
    array([52.91333333, 70.29333333, 69.01333333])

    A benchmark pickles as the paths of its tables.

    Raises:
        BadValue: tables of different spaces, or of another size than their space.
    """

    def __init__(self, *tables: Table, of_space: Space | None = None) -> None:
        if not tables:
            raise BadValue("a benchmark needs at least one table")
        self.tables = tables
        self._of_space = of_space
        self.space = of_space or space_of(tables[0].info)
        self.name = "+".join(str(table.info["name"]) for table in tables)
        for table in tables:
            listed = isinstance(self.space, Listing) and self.space.texts != texts_of(table.info)
            if table.info["space"] != self.space.name or table.info["architectures"] != self.space.size or listed:
                raise BadValue(
                    f"{table.path} is a table of {table.info['architectures']} architectures of space "
                    f"{table.info['space']!r}; it cannot be asked about {self.space!r}"
                )
        measured = dict.fromkeys(entry.dataset for table in tables for entry in table.entries if entry.dataset)
        self.index = Index(self.name, [*tables, Formulas(self.space, measured)])
        self._answers: dict[tuple[object, ...], Floats] = {}

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets, in the tables' order."""
        return self.index.datasets

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of everything that can be asked of some data set."""
        return self.index.metrics

    def budgets(self, dataset: str, metric: str = "valid_accuracy") -> tuple[int, ...]:
        """Training lengths (epochs of the whole run) for which ``metric`` exists, ascending."""
        return self.index.budgets(metric, dataset)

    def seeds(self, arch: Architecture, metric: str, *, dataset: str, budget: int | None = None) -> tuple[int, ...]:
        """Seeds of the runs of one architecture that have ``metric``; NotMeasured where only means are known."""
        entry = self.index.find(metric, dataset, budget, ("runs",))
        known = ~np.isnan(self._whole(metric, dataset, budget, "all")[self.space.id(arch)])
        return tuple(seed for seed, there in zip(entry.seeds or (), known, strict=True) if there)

    def describe(self) -> str:
        """The split table, the gaps, the provenance and the sources, in words."""
        return describe(self.tables, self.space, self.index)

    @overload
    def query(  # type: ignore[overload-overlap]
        self, archs: Architecture, metric: str, *, dataset: str | None = ..., budget: int | None = ...,
        epoch: int | None = ..., seed: int | Literal["mean"] | np.random.Generator = ...,
    ) -> float: ...  # fmt: skip
    @overload
    def query(
        self, archs: Architectures, metric: str, *, dataset: str | None = ..., budget: int | None = ...,
        epoch: int | None = ..., seed: Seed = ...,
    ) -> Floats: ...  # fmt: skip
    def query(
        self,
        archs: Architectures,
        metric: str,
        *,
        dataset: str | None = None,
        budget: int | None = None,
        epoch: int | None = None,
        seed: Seed = "mean",
    ) -> float | Floats:
        """Values of ``metric``: a number for one architecture, an array for several, NaN where nobody measured it.

        Args:
            archs: ids, official strings or graphs; one or many.
            metric: ``valid_accuracy``, ``test_accuracy``, ``train_accuracy``, ``valtest_accuracy`` [percent],
                ``*_loss``, ``train_seconds``, ``params_millions``, ``flops_millions``, ``latency_ms:DEVICE``, ...
            dataset: may be left out where the metric exists for one data set only.
            budget: length of the training run in epochs; default: the longest. A 12-epoch run is not epoch 12 of a
                200-epoch run.
            epoch: a checkpoint inside the run, 1 .. budget; default: its end.
            seed: ``"mean"`` over all runs, one seed (NaN where that run does not exist), ``"all"`` (adds an axis), or
                a Generator, which draws one existing run for each architecture.

        Raises:
            UnknownName: no such metric or data set.
            NotMeasured: both exist, but not this combination; the message lists what does.
            BadArchitecture: an architecture outside the space.
            BadValue: a seed of another kind, or several values where one belongs.
        """
        try:
            whole = self._answers.get((metric, dataset, budget, epoch, seed))
        except TypeError:  # not hashable
            raise BadValue(
                f"metric={metric!r}, dataset={dataset!r}, budget={budget!r}, epoch={epoch!r}, seed={seed!r}; each is "
                "one value: ask once for each of several"
            ) from None
        if whole is not None and type(archs) is int and 0 <= archs < len(whole) and type(seed) in (str, int):
            return whole.item(archs) if whole.ndim == 1 else whole[archs]
        ids = self.space.ids(archs)
        check_seed(seed)  # also of a cached answer: 888.0 equals 888
        if epoch is not None:
            values = self._at_epoch(ids, metric, dataset, budget, epoch, seed)
        elif isinstance(seed, np.random.Generator):
            values = draw(self._whole(metric, dataset, budget, "all")[ids], seed)
        else:
            values = self._whole(metric, dataset, budget, seed)[ids]
        if not isinstance(archs, ONE):
            return values
        return float(values[0]) if values.ndim == 1 else cast(Floats, values[0])

    def known(
        self,
        archs: Architectures,
        metric: str,
        *,
        dataset: str | None = None,
        budget: int | None = None,
        epoch: int | None = None,
        seed: int | Literal["mean", "all"] = "mean",
    ) -> npt.NDArray[np.bool_]:
        """The mask that goes with `query`, an array even for one architecture: true where somebody measured it."""
        ids = self.space.ids(archs)
        return ~np.isnan(self.query(ids, metric, dataset=dataset, budget=budget, epoch=epoch, seed=seed))

    def cost(self, archs: Architectures, *, dataset: str | None = None, budget: int | None = None) -> Cost:
        """Simulated seconds to train for ``budget`` epochs and validate once: the run that yields valid_accuracy."""
        entry = self.index.find("search_seconds", dataset, budget, ("mean", "runs"))
        words = "; ".join(part for part in (entry.trained_on, entry.evaluated_on) if part)
        return Cost(
            self._whole("search_seconds", dataset, budget, "mean")[self.space.ids(archs)], entry.provenance, words
        )

    def optimum(
        self,
        dataset: str,
        metric: str = "test_accuracy",
        *,
        budget: int | None = None,
        rule: Literal["mean", "single"] = "mean",
    ) -> Optimum:
        """The best value of ``metric``: of the means over runs, or (``rule="single"``) of all single runs.

        The best accuracy is the largest; the best loss, seconds, parameters, FLOPs, latency or energy the smallest.
        Ties go to the smallest id. Architectures without a value do not take part.
        """
        if rule not in ("mean", "single"):
            raise UnknownName.of("rule", rule, ("mean", "single"))
        values = self._whole(metric, dataset, budget, "mean" if rule == "mean" else "all")
        found = best_of(values, metric, dataset, self.index.find(metric, dataset, budget, WHOLE).budget, rule)
        if found is None:
            raise NotMeasured(f"{self.name}: no architecture has {metric!r} on {dataset!r}")
        return found

    def objective(
        self,
        dataset: str | None = None,
        *,
        seconds: float | None = None,
        queries: int | None = None,
        budget: int | None = None,
        budgets: Sequence[int] = (),
        seed: int | Literal["mean"] | np.random.Generator = "mean",
        count_last: bool = True,
        resume: bool = False,
        cost: str | None = None,
        limit: tuple[str, float] | None = None,
    ) -> Objective:
        """What a searcher may know: validation accuracy at ``budget`` epochs and its cost, on a fresh clock.

        Args:
            dataset: where to search; may be left out where only one data set has validation accuracies.
            seconds, queries: where the clock ends; at least one of them.
            budget: epochs of the training run of a bare id; default: the longest.
            budgets: further lengths of training runs that a `Trial` may ask for.
            seed: ``"mean"``, one seed, or a Generator that draws one existing run for every evaluation.
            count_last: whether the evaluation that crosses the budget counts (the official protocol: it does).
            resume: charge a longer training of one run only what it adds to the shorter one; default: in full.
            cost: a second objective told with every evaluation, a property of the architecture that is better small:
                ``flops_millions``, ``params_millions``, ``latency_ms:DEVICE``, ``energy_mj:DEVICE``.
            limit: such a property and the largest value allowed; an architecture above it (or without a value) is
                known to be out before it is trained: it costs 0 s, its value is NaN, and it counts as an evaluation.

        Raises:
            UnknownName, NotMeasured: the validation accuracy, its cost or the property is not in the tables.
            BadValue: no end of the search, a limit that nothing meets, or (without ``count_last``) a budget of
                seconds in which not one evaluation fits.
        """
        clock = Clock(seconds, queries, count_last=count_last)
        levels = Levels(self.space, self.index, self._whole)
        return levels.objective(dataset, clock, budget, budgets, seed, resume, cost, limit)

    def static(self, metric: str, dataset: str | None) -> Floats:
        """A property of every architecture that needs no training, (n_arch,): parameters, FLOPs, latency, energy.

        Raises:
            UnknownName, NotMeasured: not in these tables.
            BadValue: ``metric`` comes from training.
        """
        return Levels(self.space, self.index, self._whole).static(metric, dataset)

    def within(self, limit: tuple[str, float], dataset: str | None) -> npt.NDArray[np.bool_]:
        """Which architectures have at most so much of a property, (n_arch,); an unknown value has not.

        Raises:
            UnknownName, NotMeasured: the property is not in these tables.
            BadValue: no architecture meets the limit.
        """
        return Levels(self.space, self.index, self._whole).within(*limit, dataset)

    def surrogate(self, fit_on: Architectures | None = None, *, seed: int = 0) -> Surrogate:
        """Predictions for the whole space, learned from what is measured of ``fit_on`` (default: of all)."""
        from .surrogate import Surrogate

        return Surrogate(self, fit_on, seed=seed)

    def _whole(self, metric: str, dataset: str | None, budget: int | None, seed: Seed) -> Floats:
        """The answer for every architecture, read once: (n_arch,), or (n_arch, n_seed) for seed="all"."""
        check_seed(seed)
        key = (metric, dataset, budget, None, seed)
        if key in self._answers:
            return self._answers[key]
        if seed == "mean":
            entry = self.index.find(metric, dataset, budget, WHOLE)
            values = self._numbers(entry)
            values = mean_over_runs(values) if entry.kind == "runs" else values
        elif seed == "all":
            values = self._numbers(self.index.find(metric, dataset, budget, ("runs",)))
        else:
            entry = self.index.find(metric, dataset, budget, ("runs",))
            values = pick_seed(self._numbers(entry), entry.seeds, cast(int, seed))
        values = np.ascontiguousarray(values)
        values.flags.writeable = False
        self._answers[key] = values
        return values

    def _numbers(self, entry: Entry) -> Floats:
        return np.asarray(self.index.store(entry).read(entry.path), dtype=np.float64)

    def _at_epoch(
        self, ids: npt.NDArray[np.int64], metric: str, dataset: str | None, budget: int | None, epoch: int, seed: Seed
    ) -> Floats:
        end = self.index.find(metric, dataset, budget, WHOLE)
        if end.budget is None:
            raise NotMeasured(f"{metric!r} is a property of the architecture and has no epochs; {epoch!r} given")
        entry = self.index.curve(end) or end
        checkpoints = entry.epochs or (end.budget,)
        if epoch not in checkpoints:
            shown = ", ".join(map(str, checkpoints)) if len(checkpoints) < 12 else f"1 to {checkpoints[-1]}"
            raise NotMeasured(
                f"{self.name} has {metric!r} on {entry.dataset!r} of the {entry.budget}-epoch run at epoch {shown}; "
                f"{epoch!r} given"
            )
        if epoch == end.budget:
            return self.query(ids, metric, dataset=dataset, budget=budget, seed=seed)
        table = cast(Table, self.index.store(entry))
        curves = table.read_curves(entry.path, ids)
        runs = np.asarray(curves[:, :, checkpoints.index(epoch)], dtype=np.float64)
        if isinstance(seed, np.random.Generator):
            return draw(runs, seed)
        if seed == "all":
            return runs
        return mean_over_runs(runs) if seed == "mean" else pick_seed(runs, entry.seeds, seed)

    def __getstate__(self) -> dict[str, object]:
        return {"tables": self.tables, "of_space": self._of_space}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(*state["tables"], of_space=state["of_space"])  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"<benchmark {self.name!r}: {self.space.size:,} architectures, data sets {', '.join(self.datasets)}>"
