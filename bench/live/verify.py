"""Verification: train some architectures outside the table that has them, with the recipe that it was made with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..benchmark import Benchmark
from ..errors import BadArchitecture, BadValue, NotMeasured, UnknownName
from ..spaces import Ids, Space
from .liveness import constant_edges
from .macro import Macro, StackMacro, macro_of
from .recipe import TrainingRecipe, recipe_of

if TYPE_CHECKING:
    import os

    import torch

    from .batches import Batches
    from .training import History

METRICS = ("valid_accuracy", "test_accuracy", "valtest_accuracy")


@dataclass(frozen=True)
class Plan:
    """What is trained and compared: ``metric`` [percent] after ``budget`` epochs, on ``dataset`` as the table knows it.

    ``macro`` None is the space's own skeleton. ``own`` tables were built here: their networks are pruned, those of
    the published tables are what the official implementation computes.
    """

    ids: tuple[int, ...]
    dataset: str
    metric: str
    budget: int
    recipe: TrainingRecipe
    macro: Macro | StackMacro | None
    seeds: tuple[int, ...]
    own: bool

    def to_json(self) -> dict[str, Any]:
        """Every field, as run.json keeps it."""
        fields = asdict(self)
        return {**fields, "ids": list(self.ids), "seeds": list(self.seeds)}

    def prune(self, space: Space, arch: int) -> bool:
        """Whether dead branches are left out: always, unless that changes what the official network computes."""
        if self.own or space.name != "topology":
            return True
        return not constant_edges(space.operations(arch)).any()


def plan_of(
    bench: Benchmark,
    archs: Ids,
    *,
    dataset: str | None = None,
    metric: str | None = None,
    budget: int | None = None,
    changes: dict[str, Any] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
) -> Plan:
    """The plan for architectures of a table.

    Args:
        dataset: may be left out where the table has only one.
        metric: default: ``valid_accuracy`` where the table has it at that budget, else ``test_accuracy``.
        budget: the table's training length; default: the shortest.
        changes: fields of the recipe that shall differ from the benchmark's.

    Raises:
        BadArchitecture: no architecture, or one twice.
        UnknownName, NotMeasured: the table lacks what is to be compared, or no recipe is known for it.
    """
    if not len(archs):
        raise BadArchitecture("no architecture to train; give ids or texts, or the size of a stratified sample")
    if len(set(archs.tolist())) < len(archs):
        raise BadArchitecture(f"an architecture is given twice: {', '.join(map(str, archs.tolist()))}")
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise BadValue(f"seeds={list(seeds)}; legal: distinct numbers from 0 on, at least one")
    dataset, metric, budget = question(bench, dataset, metric, budget)
    extra = statement(bench)
    recipe = TrainingRecipe(**extra["recipe"]) if extra else recipe_of(bench.space.name, budget)
    macro = macro_of(extra["macro"]) if extra else None
    ids = tuple(archs.tolist())
    return Plan(ids, dataset, metric, budget, recipe.but(**(changes or {})), macro, tuple(seeds), bool(extra))


def statement(bench: Benchmark) -> dict[str, Any]:
    """What a table that was built here says of its making (skeleton, recipe, images); empty for all others."""
    return next((table.info["extra"] for table in bench.tables if "recipe" in table.info["extra"]), {})


def question(bench: Benchmark, dataset: str | None, metric: str | None, budget: int | None) -> tuple[str, str, int]:
    """Data set, metric and training length to compare at, with the defaults of `plan_of`."""
    if metric is not None and metric not in METRICS:
        raise UnknownName.of("metric to verify", metric, METRICS)
    wanted = METRICS if metric is None else (metric,)
    name = bench.index.dataset(dataset, next((each for each in wanted if each in bench.metrics), wanted[0]))
    assert name is not None  # accuracies belong to a data set
    if budget is None:
        lengths = [length for each in wanted if each in bench.metrics for length in bench.index.budgets(each, name)]
        budget = min(lengths, default=None)
    for each in wanted:
        if each in bench.metrics and bench.index.has(each, name, budget) and budget is not None:
            return name, each, budget
    raise NotMeasured(
        f"{bench.name} has no {' or '.join(wanted)} on {name!r} after {budget} epochs to compare with; it has "
        + "; ".join(f"{each} after {bench.index.budgets(each, name)}" for each in METRICS if each in bench.metrics)
    )


def stratified(values: npt.NDArray[np.float64], count: int, rng: np.random.Generator) -> Ids:
    """``count`` ids, one drawn uniformly from each of ``count`` equally large strata by rank of ``values``, ascending.

    Architectures whose value is NaN take no part; ties are ordered at random.
    """
    known = np.flatnonzero(~np.isnan(values))
    if not 1 <= count <= len(known):
        raise BadValue(f"a stratified sample of {count}; legal: 1 to {len(known):,}, the architectures with a value")
    known = rng.permutation(known)
    ranked = known[np.argsort(values[known], kind="stable")]
    return np.array([rng.choice(stratum) for stratum in np.array_split(ranked, count)], dtype=np.int64)


def tabulated(bench: Benchmark, plan: Plan) -> list[dict[str, Any]]:
    """What the table says about every architecture of a plan, as run.json keeps it.

    ``id``; ``text``; ``mean`` [percent]; ``runs`` {seed: percent} of the single runs it knows; ``curve`` {epoch:
    percent, mean over runs} where it has any.
    """
    where = {"dataset": plan.dataset, "budget": plan.budget}
    ids = np.array(plan.ids)
    means = bench.query(ids, plan.metric, **where)  # type: ignore[arg-type, call-overload]
    seeds, runs = _runs(bench, plan, ids)
    epochs, curves = _curves(bench, plan, ids)
    return [
        {
            "id": arch,
            "text": bench.space.text(arch),
            "mean": _number(means[row]),
            "runs": {str(s): float(v) for s, v in zip(seeds, runs[row], strict=True) if not np.isnan(v)},
            "curve": {str(e): float(v) for e, v in zip(epochs, curves[row], strict=True) if not np.isnan(v)},
        }
        for row, arch in enumerate(plan.ids)
    ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _runs(bench: Benchmark, plan: Plan, ids: Ids) -> tuple[tuple[int, ...], npt.NDArray[np.float64]]:
    """Seeds and values of single runs, (n_arch, n_seed); no seeds where the table knows only means."""
    try:
        entry = bench.index.find(plan.metric, plan.dataset, plan.budget, ("runs",))
    except NotMeasured:
        return (), np.empty((len(ids), 0))
    values = bench.query(ids, plan.metric, dataset=plan.dataset, budget=plan.budget, seed="all")
    return tuple(entry.seeds or ()), np.asarray(values)


def _curves(bench: Benchmark, plan: Plan, ids: Ids) -> tuple[tuple[int, ...], npt.NDArray[np.float64]]:
    """Epochs and means over runs, (n_arch, n_epoch); no epochs where the table has no curves."""
    try:
        epochs = tuple(bench.index.find(plan.metric, plan.dataset, plan.budget, ("curves",)).epochs or ())
    except NotMeasured:
        return (), np.empty((len(ids), 0))
    columns = [bench.query(ids, plan.metric, dataset=plan.dataset, budget=plan.budget, epoch=epoch) for epoch in epochs]
    return epochs, np.stack(columns, axis=1)


def train_one(
    plan: Plan,
    space: Space,
    arch: int,
    seed: int,
    batches: Batches,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    compiled: bool = False,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
) -> History:
    """Train one architecture of a plan with one seed, of weights and of order."""
    from .training import train

    network = network_of(plan, space, arch, seed, batches.images.classes)
    return train(network, batches, plan.recipe, seed, checkpoint=checkpoint, compiled=compiled, on_epoch=on_epoch)


def network_of(plan: Plan, space: Space, arch: int, seed: int, classes: int) -> torch.nn.Module:
    """The network of one architecture of a plan with the weights of one seed."""
    return space.network(arch, classes, macro=plan.macro, prune=plan.prune(space, arch), seed=seed)
