"""What a scoring run knows, as arrays over its architectures: every score, the baselines beside them, the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...bench.errors import MissingFile
from ...bench.spaces import SPACES, Ids, Space
from ...bench.spaces import space as space_called
from ...proxies.score_run import ERROR, OWN, SECONDS, ScoreRun
from ..statistics import SEED, Floats

Bools = npt.NDArray[np.bool_]

BASELINES = ("params", "flops", "depth", "random", "latency")
ADDED = ("params", "flops", "random")  # to every report, where the space has a formula
METRICS = {
    "test_accuracy": "test accuracy",
    "valid_accuracy": "validation accuracy",
    "valtest_accuracy": "accuracy on validation and test images",
    "recorded_valid_accuracy": "validation accuracy as recorded beside the scores",
}
RECORDED = "recorded_valid_accuracy"
CHEAP = ("valid_accuracy", "test_accuracy", "valtest_accuracy")  # what a short training is judged by, the first known
COST = "search_seconds"


@dataclass(frozen=True, eq=False)
class Scored:
    """One score of every architecture; higher is better, NaN is none.

    ``values`` (n_arch,) is the mean over seeds (NaN where one of them failed), ``by_seed`` (n_seed, n_arch) each of
    them. ``kind`` is "proxy", "combination", "baseline" or "training". ``seconds`` and ``own_seconds`` are means of
    one architecture, alone and beside the signals that proxies share; NaN is unknown. ``networks`` were scored,
    ``failed`` of them with an error.
    """

    name: str
    kind: str
    values: Floats
    by_seed: Floats
    seconds: float = float("nan")
    own_seconds: float = float("nan")
    networks: int = 0
    failed: int = 0
    per_class: bool = False
    errors: tuple[str, ...] = ()
    about: tuple[str, ...] = ()

    @property
    def reference(self) -> bool:
        """Whether it is something to compare proxies with."""
        return self.kind in ("baseline", "training")


@dataclass(frozen=True, eq=False)
class Truth:
    """Accuracy of every architecture after full training [percent], (n_arch,), mean over runs; NaN: not measured.

    ``budget`` is its length in epochs, 0 where nobody says.
    ``runs`` holds single runs by seed, ``short`` what shorter trainings say by their epochs, ``seconds`` the mean
    training time by epochs.
    """

    dataset: str
    metric: str
    budget: int
    values: Floats
    runs: dict[str, Floats]
    short: dict[int, tuple[str, Floats]]
    seconds: dict[int, float]

    @property
    def key(self) -> str:
        """A name for switches and tables."""
        return f"{self.dataset}:{self.metric}"

    @property
    def words(self) -> str:
        """What it is called on the page."""
        return f"{self.dataset}, {METRICS[self.metric]}"

    @property
    def trained(self) -> str:
        """The same with the length of training."""
        return f"{self.words} after {self.budget} epochs" if self.budget else self.words

    def trainings(self) -> list[Scored]:
        """Shorter trainings as scores."""
        return [
            Scored(f"{epochs} epochs", "training", values, values[None], seconds=self.seconds.get(epochs, np.nan),
                   networks=int((~np.isnan(values)).sum()), about=(f"{METRICS[metric]} after {epochs} epochs",))
            for epochs, (metric, values) in self.short.items()
        ]  # fmt: skip

    def pairs(self) -> list[tuple[Floats, Floats]]:
        """Single runs two by two: what a repetition of the full training knows of another one."""
        return list(combinations(self.runs.values(), 2))


@dataclass(frozen=True, eq=False)
class Evidence:
    """A scoring run as arrays over its ``ids`` (n_arch,); ``classes`` names the isomorphism class of each."""

    config: dict[str, Any]
    ids: Ids
    classes: Ids
    texts: tuple[str, ...]
    seeds: tuple[int, ...]
    scored: tuple[Scored, ...]
    truths: tuple[Truth, ...]
    missing: int  # architectures and seeds without a score so far

    @property
    def main(self) -> Truth:
        """The truth that the page begins with: of the data set whose images were scored, else the first."""
        images = (self.config.get("images") or {}).get("name")
        return next((truth for truth in self.truths if truth.dataset == images), self.truths[0])

    @property
    def firsts(self) -> dict[str, Truth]:
        """The first truth of every data set, that of the main one in front."""
        found = {self.main.dataset: self.main}
        for truth in self.truths:
            found.setdefault(truth.dataset, truth)
        return found

    @property
    def first_of_class(self) -> Bools:
        """One architecture of every class, (n_arch,)."""
        chosen = np.zeros(len(self.ids), dtype=bool)
        chosen[np.unique(self.classes, return_index=True)[1]] = True
        return chosen

    def named(self, name: str) -> Scored | None:
        """The score called so."""
        return next((each for each in self.scored if each.name == name), None)

    def sizes(self) -> list[Scored]:
        """Parameters and FLOPs, as far as the space has formulas."""
        return [each for name in ("params", "flops") if (each := self.named(name)) is not None]


def evidence(run: ScoreRun) -> Evidence:
    """The arrays of a run.

    Raises:
        MissingFile: no part is finished, or there is no ground truth to compare with.
        BadFile: a part is damaged.
    """
    frame, asked, config = run.frame(), run.architectures(), run.config
    truths = [truth for name in config["datasets"] for truth in _truths(run.truth(name), name)]
    if not truths:
        raise MissingFile(
            f"{run.folder} was scored on a bare space: there is no ground truth to correlate scores with; "
            "`nasgauge score BENCHMARK` keeps that of a benchmark"
        )
    ids = asked["id"].to_numpy(np.int64)
    seeds = tuple(sorted(int(seed) for seed in frame["seed"].unique()))
    place = pd.Series(np.arange(len(ids)), index=ids)
    rows = place[frame["id"]].to_numpy()
    columns = np.searchsorted(seeds, frame["seed"].to_numpy())
    there = np.zeros((len(seeds), len(ids)), dtype=bool)
    there[columns, rows] = True
    described = {each["name"]: each for each in (*config["proxies"], *config["combinations"])}
    scored = [_scored(name, frame, described[name], there, (columns, rows)) for name in run.proxies]
    space = _space(config)
    scored += _baselines(space, ids, {each.name for each in scored})
    texts = tuple(space.text(int(arch)) for arch in ids) if space is not None else ("",) * len(ids)
    return Evidence(
        config, ids, asked["class"].to_numpy(np.int64), texts, seeds, tuple(_in_order(scored)), tuple(truths),
        len(ids) * len(run.seeds) - len(frame),
    )  # fmt: skip


def _scored(
    name: str, frame: pd.DataFrame, fields: dict[str, Any], there: Bools, at: tuple[npt.NDArray[np.intp], ...]
) -> Scored:
    """One proxy or combination of the run."""
    by_seed = np.full(there.shape, np.nan)
    by_seed[at] = frame[name].to_numpy(np.float64)
    count = there.sum(axis=0)
    with np.errstate(invalid="ignore"):
        total = np.where(there, by_seed, 0.0).sum(axis=0)
        values = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    per_class = bool(fields.get("per_class", False))
    networks = frame.drop_duplicates(["class", "seed"]) if per_class else frame
    errors = networks[name + ERROR].dropna() if name + ERROR in frame else pd.Series(dtype=object)
    kind = "combination" if "law" in fields else "baseline" if name.split(":")[0] in BASELINES else "proxy"
    return Scored(
        name, kind, values, by_seed, _mean(networks, name + SECONDS), _mean(networks, name + OWN), len(networks),
        len(errors), per_class, tuple(str(each) for each in errors.value_counts().index[:3]), _about(fields),
    )  # fmt: skip


def _mean(frame: pd.DataFrame, column: str) -> float:
    return float(frame[column].mean()) if column in frame else float("nan")


def _about(fields: dict[str, Any]) -> tuple[str, ...]:
    """Source, direction and needs of a proxy, in words."""
    if "law" in fields:
        return (fields["cites"], f"{fields['law'].replace('_', ' ')} of {', '.join(fields['parts'])}")
    direction = "higher is better" if fields["direction"] == "higher" else "lower is better, negated here"
    needs = ", ".join(fields["needs"]) or "neither images nor labels"
    if fields["kind"] == "column":
        return (fields["cites"], direction)
    mirrored = "one network a class" if fields["per_class"] else "one network an architecture"
    return (fields["cites"], f"{direction}; needs {needs}; {mirrored}")


def _baselines(space: Space | None, ids: Ids, known: set[str]) -> list[Scored]:
    """Parameters, FLOPs and random numbers, where the run did not score them."""
    found: dict[str, tuple[Floats, str]] = {
        "random": (np.random.default_rng([SEED, len(ids)]).random(len(ids)), "a number that knows nothing")
    }
    for name, method in (("params", "params"), ("flops", "flops")):
        if space is not None and getattr(type(space), method) is not getattr(Space, method):
            millions = np.asarray(getattr(space, method)(ids), dtype=np.float64) / 1e6
            found[name] = millions, "counted, in millions"
    return [
        Scored(name, "baseline", found[name][0], found[name][0][None], about=(found[name][1],))
        for name in ADDED if name in found and name not in known
    ]  # fmt: skip


def _in_order(scored: Sequence[Scored]) -> list[Scored]:
    """Proxies first, then combinations, then baselines."""
    kinds = ("proxy", "combination", "baseline")
    return sorted(scored, key=lambda each: kinds.index(each.kind))


def _space(config: dict[str, Any]) -> Space | None:
    """The run's space, None for one of somebody's own that is not registered here."""
    name = config["benchmark"]["space"]
    if name not in SPACES:
        return None
    space = space_called(name)
    return space if space.size == config["benchmark"]["architectures"] else None


def _truths(frame: pd.DataFrame, dataset: str) -> list[Truth]:
    """What a truth file holds: each metric after its longest training; validation and test apart where both exist."""
    columns: dict[str, dict[int, dict[str, Floats]]] = {}
    for column in (name for name in frame if "@" in str(name)):
        metric, _, rest = str(column).partition("@")
        budget, _, seed = rest.partition(":")
        columns.setdefault(metric, {}).setdefault(int(budget), {})[seed] = frame[column].to_numpy(np.float64)
    seconds = {
        budget: float(np.nanmean(known[""])) for budget, known in columns.get(COST, {}).items()
        if not np.isnan(known[""]).all()
    }  # fmt: skip
    full = max((max(known) for metric, known in columns.items() if metric in METRICS), default=0)
    found: list[Truth] = []
    for metric in METRICS:
        values = columns.get(metric, {}).get(full, {}).get("")
        if values is None or np.isnan(values).all() or (metric == "valtest_accuracy" and found):
            continue
        runs = {seed: known for seed, known in columns[metric][full].items() if seed and not np.isnan(known).all()}
        short: dict[int, tuple[str, Floats]] = {}
        for epochs in sorted({budget for cheap in CHEAP for budget in columns.get(cheap, {}) if budget < full}):
            judge = next(cheap for cheap in CHEAP if epochs in columns.get(cheap, {}))
            if not np.isnan(columns[judge][epochs][""]).all():
                short[epochs] = judge, columns[judge][epochs][""]
        found.append(Truth(dataset, metric, full, values, runs, short, seconds))
    return found
