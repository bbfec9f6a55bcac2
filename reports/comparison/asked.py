"""What a comparison was asked and on what: run.json of kind "compare" as checked, frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...bench.errors import BadFile

SPLITS = ("test", "valid")


@dataclass(frozen=True)
class Optimum:
    """The best number of the table for one split [percent], by the rule in words."""

    id: int
    value: float
    rule: str


@dataclass(frozen=True)
class Task:
    """One data set: what the searchers were told, what is reported, what an evaluation costs.

    ``optimum`` and ``mean_of_space`` have a key for each of `SPLITS`; ``missing`` counts the architectures without a
    number, by split, and under "search" those without the one that searchers are told.
    """

    dataset: str
    search_metric: str
    search_budget: int
    search_words: str
    report_budget: int
    words: Mapping[str, str]
    cost_words: str
    cost_provenance: str
    optimum: Mapping[str, Optimum | None]
    missing: Mapping[str, int]
    mean_of_space: Mapping[str, float | None]
    top: Mapping[str, Mapping[str, float]]  # split -> share of the space ("0.01") -> accuracy that this share reaches
    budgets: tuple[int, ...]  # training lengths a searcher could ask for
    reference: tuple[float, float] | None  # (value [percent], cost) from which hypervolume is measured
    allowed: int | None  # architectures that the hard limit leaves
    predicted: tuple[str, ...]  # of "search" and `SPLITS`, the accuracies that a surrogate predicted


@dataclass(frozen=True)
class Searcher:
    """One searcher as asked for: its label is unique in the run; ``settings`` include defaults, where recorded."""

    label: str
    name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """A file the benchmark's numbers come from."""

    name: str
    url: str
    sha256: str
    licence: str
    size: int


@dataclass(frozen=True)
class Benchmark:
    """The table that was searched."""

    name: str
    title: str
    space: str
    architectures: int
    classes: int | None
    sampling_law: str
    licence: str
    sources: tuple[Source, ...]
    tables: Mapping[str, str]  # name of each table -> sha256 of its content
    description: str


@dataclass(frozen=True)
class Live:
    """How the values that searchers were told were trained during the search."""

    images: str
    pictures: Mapping[str, int]  # of each split
    sha256: str
    as_tabulated: bool | None  # whether the table was made of the same pictures; None where it does not say
    protocol: str  # in words
    seeds: tuple[int, ...]
    device: str


@dataclass(frozen=True)
class Asked:
    """The whole of run.json. A run ends at ``seconds`` (simulated) or ``queries``, whichever is set and comes first."""

    benchmark: Benchmark
    tasks: tuple[Task, ...]
    searchers: tuple[Searcher, ...]
    seconds: float | None
    queries: int | None
    count_last: bool
    seeds: int
    base_seed: int
    trial: str
    versions: Mapping[str, str]
    git: str | None
    host: Mapping[str, Any]
    started: str | None
    workers: int  # trainers at a time
    mode: str  # "async" or "sync"
    resume: bool  # whether a longer training goes on from a shorter one
    objective2: str | None  # metric of the second objective, smaller is better
    constraint: tuple[str, float] | None  # the hard limit: metric, largest value allowed
    scores: str | None  # file of proxy scores
    live: Live | None  # how values were trained; None where they were looked up

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Asked:
        """Read the configuration of a comparison; BadFile names what is absent or of the wrong kind."""
        try:
            asked = cls(
                benchmark=_benchmark(config["benchmark"]),
                tasks=tuple(_task(task) for task in config["tasks"]),
                searchers=tuple(
                    Searcher(str(each["label"]), str(each["name"]), _settings(config, each))
                    for each in config["searchers"]
                ),
                seconds=None if config["seconds"] is None else float(config["seconds"]),
                queries=None if config["queries"] is None else int(config["queries"]),
                count_last=bool(config["count_last"]),
                seeds=int(config["seeds"]),
                base_seed=int(config["base_seed"]),
                trial=str(config["trial"]),
                versions=dict(config["versions"]),
                git=config.get("git"),
                host=dict(config["host"]),
                started=config.get("started"),
                workers=int(config.get("workers") or 1),
                mode=str(config.get("mode") or "async"),
                resume=bool(config.get("resume")),
                objective2=config.get("objective2"),
                constraint=_constraint(config.get("constraint")),
                scores=None if config.get("scores") is None else str(config["scores"]),
                live=None if config.get("live") is None else _live(config["live"]),
            )
        except KeyError as error:
            raise BadFile(f"run.json of a comparison lacks {error}; it is damaged or of another version") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise BadFile(f"run.json of a comparison is damaged or of another version: {error}") from error
        for what, names in (
            ("data sets", [task.dataset for task in asked.tasks]),
            ("searchers", [searcher.label for searcher in asked.searchers]),
        ):
            if not names or len(set(names)) < len(names):
                raise BadFile(f"run.json lists the {what} {names}; a comparison has one or more, each once")
        return asked

    @property
    def limit(self) -> str:
        """The hard limit in words, empty where there is none."""
        return f"{self.constraint[0]} at most {self.constraint[1]:g}" if self.constraint else ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The searchers' labels, the reference first."""
        return tuple(searcher.label for searcher in self.searchers)


def _task(task: Mapping[str, Any]) -> Task:
    optimum, missing, mean = task["optimum"] or {}, task.get("missing") or {}, task.get("mean_of_space") or {}
    top, reference = task.get("top") or {}, task.get("reference")
    return Task(
        dataset=str(task["dataset"]),
        search_metric=str(task["search"]["metric"]),
        search_budget=task["search"]["budget"],
        search_words=str(task["search"]["words"]),
        report_budget=task["report"]["budget"],
        words={split: str(task["report"][f"{split}_words"]) for split in SPLITS},
        cost_words=str(task["cost"]["words"]),
        cost_provenance=str(task["cost"]["provenance"]),
        optimum={split: _optimum(optimum.get(split)) for split in SPLITS},
        missing={name: int(missing.get(name) or 0) for name in ("search", *SPLITS)},
        mean_of_space={split: None if mean.get(split) is None else float(mean[split]) for split in SPLITS},
        top={split: {str(share): float(value) for share, value in top.get(split, {}).items()} for split in SPLITS},
        budgets=tuple(int(budget) for budget in task.get("budgets") or (task["search"]["budget"],)),
        reference=None if reference is None else (float(reference["value"]), float(reference["cost"])),
        allowed=None if task.get("allowed") is None else int(task["allowed"]),
        predicted=tuple(str(name) for name in task.get("predicted") or ()),
    )


def _settings(config: Mapping[str, Any], searcher: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a searcher, defaults included; in runs of an earlier version those that were given."""
    whole = config.get("settings_in_full") or {}
    return dict(whole.get(searcher["label"], searcher.get("settings")) or {})


def _live(live: Mapping[str, Any]) -> Live:
    images = live["images"]
    return Live(
        images=str(images["name"]),
        pictures={str(split): int(count) for split, count in images["pictures"].items()},
        sha256=str(images["sha256"]),
        as_tabulated=None if live.get("as_tabulated") is None else bool(live["as_tabulated"]),
        protocol=str(live["protocol"]),
        seeds=tuple(int(seed) for seed in live["seeds"]),
        device=str(live["device"]),
    )


def _constraint(limit: Any) -> tuple[str, float] | None:
    return None if limit is None else (str(limit[0]), float(limit[1]))


def _optimum(best: Mapping[str, Any] | None) -> Optimum | None:
    return None if best is None else Optimum(int(best["id"]), float(best["value"]), str(best["rule"]))


def _benchmark(benchmark: Mapping[str, Any]) -> Benchmark:
    return Benchmark(
        name=str(benchmark["name"]),
        title=str(benchmark.get("title") or benchmark["name"]),
        space=str(benchmark["space"]),
        architectures=int(benchmark["architectures"]),
        classes=None if benchmark.get("classes") is None else int(benchmark["classes"]),
        sampling_law=str(benchmark["sampling_law"]),
        licence=str(benchmark.get("licence") or "not stated"),
        sources=tuple(
            Source(str(source["name"]), str(source.get("url") or ""), str(source.get("sha256") or ""),
                   str(source.get("licence") or ""), int(source.get("size") or 0))
            for source in benchmark["sources"]
        ),
        tables=_digests(benchmark.get("table_sha256")),
        description=str(benchmark.get("description") or ""),
    )  # fmt: skip


def _digests(table: Any) -> dict[str, str]:
    """Checksums by table; a single one goes without a name."""
    if isinstance(table, Mapping):
        return {str(name): str(digest) for name, digest in table.items()}
    return {} if table is None else {"": str(table)}
