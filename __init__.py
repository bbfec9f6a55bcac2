"""nasgauge measures neural architecture search: tabular benchmarks, searchers, and reports on both.

    import nasgauge as ng

    bench = ng.open("nats-tss")
    bench.query([0, 1, 2], "test_accuracy", dataset="cifar100")
    run = ng.compare(bench, ["random", "evolution"], dataset="cifar10", seconds=12_000, seeds=100)
    ng.report(run).save("comparison.html")

Wherever a benchmark is asked for, its name or path will do. What computes for long takes

    out             the run folder, which a later call goes on with; default: one under ``runs/`` named after what is
                    asked, so that asking again goes on
    jobs            processes, -1 for one per core; no number depends on it
    cluster         the address of a Dask scheduler that does the work instead, such as "tcp://host:8786"
    device          "cpu", "cuda", "cuda:1"
    base_seed       from which all random streams derive
    progress        show a progress bar on standard error

Errors are a `NasgaugeError`: they say what was given, what is legal and what to try next.
Importing this module loads neither torch nor pandas nor matplotlib, and touches no disk.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .bench.errors import NasgaugeError

if TYPE_CHECKING:
    from pathlib import Path

    from .bench.benchmark import Benchmark
    from .bench.live.images import Images
    from .bench.live.macro import Macro, StackMacro
    from .bench.spaces import Architectures, Space
    from .proxies import Batch, Proxy
    from .proxies.combinations import Combination
    from .proxies.encodings import Encoded
    from .proxies.score_run import ScoreRun
    from .reports.report import Report
    from .searchers import Recipe, Run
    from .searchers.predictors import Predictor
    from .searchers.runner.live import Live

__version__ = "0.1.0"
__all__ = [
    "NasgaugeError",
    "build",
    "compare",
    "convert",
    "encode",
    "encodings",
    "fetch",
    "open",
    "report",
    "score",
    "space",
    "study",
    "surrogate",
    "verify",
]

_FLOORS = ("bench", "data", "proxies", "reports", "searchers", "testing")


def open(*names: str | os.PathLike[str] | Any, home: str | os.PathLike[str] | None = None) -> Benchmark:
    """Open one benchmark, or one with further columns beside it, in milliseconds.

    Args:
        names: a name such as "nats-tss" (see `nasgauge list`), or the path of a table; further ones of the same
            space add columns, as "+" inside a name does: ``open("nats-tss+hw-nas-bench")``. An open object of
            ``nats_bench``, ``nas_201_api`` or ``nasbench`` works too.
        home: where tables lie; default: ``$NASGAUGE_HOME``, else the platform's user data folder.

    Raises:
        MissingFile: no such table here; the message says how to fetch it.
        UnknownName: neither a file nor a known benchmark.
        BadFile: the file is damaged or no table.
    """
    from .bench.benchmark import Benchmark
    from .bench.table import Table
    from .data.home import locate

    tables = []
    for name in names:
        if isinstance(name, (str, os.PathLike)):
            tables += [Table(path) for path in locate(name, home)]
        else:
            from .data.open_object import table_of

            tables.append(table_of(name))
    return Benchmark(*tables)


def _opened(bench: Benchmark | str | os.PathLike[str]) -> Benchmark:
    """A benchmark as it is, or the one of that name."""
    from .bench.benchmark import Benchmark
    from .bench.errors import BadValue

    if isinstance(bench, (str, os.PathLike)):
        return open(bench)
    if not isinstance(bench, Benchmark):
        raise BadValue(f"{bench!r} is no benchmark; give what ng.open answers, or the name of one")
    return bench


def _opened_or_space(given: Benchmark | Space | str) -> Benchmark | Space:
    """A benchmark or a space as it is, or the space or else the benchmark of that name."""
    from .bench.spaces import SPACES, Space

    if isinstance(given, str) and given in SPACES:
        return space(given)
    return given if isinstance(given, Space) else _opened(given)


def _listed(given: str | Sequence[Any]) -> Sequence[Any]:
    """Several names, or the one that stands alone."""
    return (given,) if isinstance(given, str) else given


def space(name: str) -> Space:
    """The search space "topology", "size", "cells101" or one of yours; UnknownName lists them."""
    from .bench.spaces import space

    return space(name)


def fetch(
    name: str, *, mirror: str | os.PathLike[str] | None = None, home: str | os.PathLike[str] | None = None
) -> Path:
    """Download the small public files behind ``name`` and assemble its table; answers the table's path.

    Args:
        mirror: a folder or base URL with the layout of the public server, instead of it.

    Raises:
        UnknownName: no benchmark that can be fetched; the message lists those.
        MissingFile: a file could not be had, or the table not be written; the message says what to do by hand.
        BadFile: a file is not the one expected.
    """
    from .data.fetch import fetch

    return fetch(name, mirror=mirror, home=home)


def convert(
    source: str | os.PathLike[str] | Any,
    out: str | os.PathLike[str] | None = None,
    *,
    home: str | os.PathLike[str] | None = None,
    jobs: int = -1,
    progress: bool = False,
) -> Path:
    """Write the table of an official file, or of an open official object; answers the table's path.

    Files are recognised by what is in them and read without executing anything; see `nasgauge.data.convert`.

    Args:
        out: where the table goes; default: below the home folder, under the file's name.

    Raises:
        MissingFile: no such file.
        BadFile: damaged, hostile, or none of the known layouts, which the message lists.
    """
    from pathlib import Path

    from .data.convert import convert
    from .data.home import table_path
    from .data.open_object import convert_object

    if isinstance(source, (str, os.PathLike)):
        return convert(Path(source), out and Path(out), home=home, jobs=jobs, progress=progress).path
    target = Path(out) if out is not None else table_path(type(source).__name__, home)
    convert_object(source, target)
    return target


def compare(
    bench: Benchmark | str | os.PathLike[str],
    searchers: str | Sequence[str | Recipe | type],
    *,
    dataset: str | Sequence[str] = (),
    seconds: float | None = None,
    queries: int | None = None,
    budget: int | None = None,
    report_budget: int | None = None,
    budgets: Sequence[int] | None = None,
    seeds: int = 100,
    base_seed: int = 0,
    trial: Literal["mean", "random"] = "mean",
    count_last: bool = True,
    workers: int | Sequence[int] = 1,
    mode: Literal["async", "sync"] | Sequence[Literal["async", "sync"]] = "async",
    batch_of_trainers: bool = True,
    resume: bool = False,
    objective2: str | None = None,
    constraint: tuple[str, float] | None = None,
    scores: str | os.PathLike[str] | None = None,
    live: bool | Live | Mapping[str, Any] = False,
    jobs: int = -1,
    cluster: str | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Run:
    """Run searchers against a benchmark on its simulated clock; see `nasgauge.searchers.runner.experiment.compare`.

    Args:
        searchers: names ("random", "evolution", "evolution:nb101"), recipes, or searcher classes of your own.
        dataset: one data set or several; default: all that can be searched on.
        seconds, queries: where a repetition ends: a budget of simulated seconds, of evaluations, or both.
        budget, report_budget: epochs of the trainings that a search pays for and sees (default: the shortest), and of
            those whose test accuracy is reported (default: the longest).
        budgets: further training lengths that multi-fidelity searchers can ask for; default: all.
        seeds: repetitions of every searcher.
        trial: "mean" over the runs of an architecture, or "random": one run drawn for each evaluation.
        count_last: whether the evaluation that crosses the budget counts, as officially.
        resume: charge a longer training only what it adds to a shorter one; default: in full.
        scores: of proxies, for searchers that use them: the folder of a `score` run, or a CSV.
        workers, mode: simulated trainers at a time; "async" (nobody waits) or "sync" (batches with a barrier).
            Several numbers, and modes, make a sweep over trainers (`nasgauge.searchers.runner.sweep`).
        batch_of_trainers: in a sweep, searchers that think in batches think of one for all trainers.
        objective2, constraint: a second objective, such as "flops_millions", and a hard limit, such as
            ("flops_millions", 50.0).
        live: train for real what searchers ask, with the table's own protocol: True, or how, as in
            ``{"images": "mine.npz", "device": "cuda"}`` (`nasgauge.searchers.runner.live.Live`).

    Warns:
        FailedRepetitions: some repetitions broke off with an error; the others are in the run.
    """
    from .searchers import recipe
    from .searchers.runner.sweep import compare_with

    run = compare_with(
        _opened(bench), [recipe(searcher) for searcher in _listed(searchers)], out,
        datasets=tuple(_listed(dataset)), seconds=seconds, queries=queries,
        budget=budget, report_budget=report_budget, budgets=budgets, seeds=seeds, base_seed=base_seed, trial=trial,
        count_last=count_last, workers=workers, mode=mode, batch_of_trainers=batch_of_trainers, resume=resume,
        objective2=objective2, constraint=constraint, scores=scores, live=live, jobs=jobs, cluster=cluster,
        progress=progress,
    )  # fmt: skip
    return _with_warning(run)


def study(
    path: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    jobs: int = -1,
    cluster: str | None = None,
    home: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Run:
    """Run the comparison that a study file (TOML) describes; every run folder holds the one that reproduces it.

    Raises:
        BadFile: a typo or a value of the wrong kind; the message names the line.

    Warns:
        FailedRepetitions: some repetitions broke off with an error; the others are in the run.
    """
    from .searchers.runner.study import Study

    return _with_warning(Study.read(path).run(out, jobs=jobs, cluster=cluster, home=home, progress=progress))


def _with_warning(run: Run) -> Run:
    import warnings

    from .searchers.runner.run import FailedRepetitions
    from .searchers.runner.sweep import comparisons

    for each in comparisons(run):
        if words := each.failed_words():
            warnings.warn(words, FailedRepetitions, stacklevel=3)
    return run


def score(
    bench: Benchmark | Space | str,
    proxies: str | Sequence[str | Proxy | Combination | Callable[[Any, Batch], float]],
    *,
    archs: int | Architectures = 1000,
    images: str | os.PathLike[str] | Images | Batch | None = None,
    image_folder: str | os.PathLike[str] | None = None,
    batch: int = 128,
    seeds: int = 1,
    base_seed: int = 0,
    dataset: str | Sequence[str] = (),
    macro: Macro | StackMacro | None = None,
    device: str = "cpu",
    jobs: int = -1,
    cluster: str | None = None,
    shard: str = "1/1",
    merge: Sequence[str | os.PathLike[str]] = (),
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> ScoreRun:
    """Score untrained networks with training-free proxies; see `nasgauge.proxies.engine.score`.

    Args:
        bench: a benchmark, or a space (its name, too).
        proxies: names ("naswot", "all"), objects such as ``ng.proxies.naswot()``, functions ``f(network, batch)``.
        archs: how many to draw, "all", or ids, texts or graphs.
        images: "cifar10", "digits", an ``.npz``, ..., an `Images`, or a `Batch` of your own.

    Warns:
        FailedScores: some proxies raised an error on some architectures; these scores are NaN.
    """
    import warnings

    from .proxies.engine import score
    from .proxies.score_run import FailedScores

    run = score(
        _opened_or_space(bench), _listed(proxies), out, archs=archs, images=images, image_folder=image_folder,
        batch=batch, seeds=seeds, base_seed=base_seed, dataset=dataset, macro=macro, device=device, jobs=jobs,
        cluster=cluster, shard=shard, merge=merge, progress=progress,
    )  # fmt: skip
    if words := run.failed_words():
        warnings.warn(words, FailedScores, stacklevel=2)
    return run


def encode(
    space: Benchmark | Space | str, encoding: str, archs: Architectures | None = None, **settings: Any
) -> Encoded:
    """Architectures as rows of numbers, (n, d) float32: ``encode("topology", "path")`` is (15625, 155).

    Args:
        space: a space, a benchmark, or the name of either.
        encoding: "adjacency", "path", ..., see `nasgauge.proxies.encodings.ENCODINGS`.
        archs: ids, official texts or graphs; default: the whole space, in the order of ids.
        settings: of the encoding, such as ``sparse=True``.

    Raises:
        UnknownName: no such encoding, or not for this space; the message lists those there are.
    """
    from .bench.spaces import Space
    from .proxies.encodings import encode

    importlib.import_module(".searchers", __name__)  # whose encodings join the registry
    of = _opened_or_space(space)
    return encode(of if isinstance(of, Space) else of.space, encoding, archs, **settings)


def verify(
    bench: Benchmark | str | os.PathLike[str],
    archs: Architectures = (),
    *,
    dataset: str | None = None,
    metric: str | None = None,
    budget: int | None = None,
    sample: int = 0,
    seeds: int = 3,
    base_seed: int | None = None,
    images: str | os.PathLike[str] | Images | None = None,
    image_folder: str | os.PathLike[str] | None = None,
    validation: float | str | None = None,
    limit: int | None = None,
    size: int | None = None,
    recipe: Mapping[str, Any] | None = None,
    device: str = "cpu",
    compiled: bool = False,
    channels_last: bool = True,
    out: str | os.PathLike[str] | None = None,
    say: Callable[[str], None] | None = None,
    progress: bool = False,
) -> Run:
    """Train architectures of a table again and compare; see `nasgauge.searchers.runner.verification.verify`.

    Args:
        archs: ids, official strings or graphs.
        sample: so many further architectures, one from each stratum of the tabulated accuracy.
        recipe: what shall differ from the benchmark's own recipe, such as ``{"epochs": 3}``.
    """
    from .searchers.runner.verification import verify

    return verify(
        _opened(bench), archs, out, dataset=dataset, metric=metric, budget=budget, sample=sample, seeds=seeds,
        base_seed=base_seed, images=images, image_folder=image_folder, validation=validation, limit=limit, size=size,
        recipe=recipe, device=device, compiled=compiled, channels_last=channels_last, say=say, progress=progress,
    )  # fmt: skip


def build(
    space: str | Space,
    images: str | os.PathLike[str] | Images,
    *,
    out: str | os.PathLike[str],
    budget: int = 12,
    seeds: int = 3,
    sample: int | None = None,
    recipe: Mapping[str, Any] | None = None,
    image_folder: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    size: int | None = None,
    run: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    jobs: int = -1,
    cluster: str | None = None,
    loss_curves: bool = True,
    licence: str = "not stated",
    progress: bool = False,
) -> Path:
    """Train a whole space, or a sample, on images of your own into a table; see `nasgauge.bench.live.build.build`.

    Args:
        space: "topology", "size", "cells101", or one of yours.
        images: "digits", "cifar10", ..., an ``.npz`` or a folder of classes (`nasgauge.data.images.sets.load`).
        out: path of the table; its stem becomes the table's name.
        recipe: what shall differ from the protocol for images of that size, such as ``{"lr": 0.1}``.
        limit, size: at most so many images of a split; their side in pixels.
        run: the run folder, which a later call goes on with; default: ``runs/NAME``.
    """
    from .bench.live import need_torch

    need_torch("a benchmark of your own")
    from .bench.live.build import build
    from .bench.live.images import Images
    from .bench.live.protocol import Protocol
    from .bench.spaces import space as space_called
    from .data.images.sets import load

    pictures = images if isinstance(images, Images) else load(images, image_folder, limit=limit, size=size)
    of = space_called(space) if isinstance(space, str) else space
    protocol = Protocol.of(pictures, budget, of).but(**(recipe or {}))
    return build(
        of, pictures, out=out, budget=budget, seeds=seeds, sample=sample, protocol=protocol, run=run, device=device,
        jobs=jobs, cluster=cluster, loss_curves=loss_curves, licence=licence, progress=progress,
    )  # fmt: skip


def encodings(
    bench: Benchmark | str | os.PathLike[str],
    encodings: str | Sequence[str],
    *,
    heads: Sequence[str] = (),
    dataset: str | Sequence[str] = (),
    metric: str | None = None,
    budget: int | None = None,
    searchers: Sequence[str] = (),
    jobs: int = -1,
    cluster: str | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
    **settings: Any,
) -> Run:
    """Measure what encodings are worth on a table; see `nasgauge.searchers.runner.encoding_study.encoding_study`.

    Args:
        encodings: names such as "path" or "cate"; predictors of the others are compared with those of the first.
        heads: "ridge", "gp", "random-forest", "mlp"; default: all of them.
        dataset: one data set or several; default: all that have the metric.
        searchers: "dngo", "predicted-evolution", "nearest": each searches with every encoding, too.
        settings: the numbers of the study: ``sizes``, ``draws``, ``pool``, ``mapped``, ``queries``, ...
    """
    from .searchers.predictors.heads import HEADS
    from .searchers.runner.encoding_study import encoding_study

    return encoding_study(
        _opened(bench), out, encodings=_listed(encodings), heads=_listed(heads) or tuple(HEADS),
        datasets=tuple(_listed(dataset)), metric=metric, budget=budget,
        searchers=searchers, jobs=jobs, cluster=cluster, progress=progress, **settings,
    )  # fmt: skip


def surrogate(
    bench: Benchmark | str | os.PathLike[str],
    models: str | Sequence[str | Predictor] = "surrogate",
    *,
    dataset: str | Sequence[str] = (),
    metric: str | None = None,
    budget: int | None = None,
    scale: str = "log-error",
    fit_on: int = 500,
    sizes: Sequence[int] = (50, 100, 200, 500, 1000),
    draws: int = 10,
    base_seed: int = 0,
    held: int = 5_000,
    jobs: int = -1,
    cluster: str | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Run:
    """Measure how well a few architectures predict the others; see `nasgauge.searchers.runner.stretching.surrogate`.

    To ask for predictions themselves, see `Benchmark.surrogate`.

    Args:
        models: predictors or their names ("surrogate", "tw-gp", "path+ridge": `nasgauge.searchers.predictors`); the
            report compares the others with the first.
        dataset: one data set or several; default: all that have the metric.

    Warns:
        FailedFits: some fits broke off with an error; the others are in the run.
    """
    import warnings

    from .searchers.runner.stretching import FailedFits, failed_words, surrogate

    run = surrogate(
        _opened(bench), out, models=_listed(models), datasets=tuple(_listed(dataset)), metric=metric,
        budget=budget, scale=scale, fit_on=fit_on, sizes=sizes, draws=draws, base_seed=base_seed, held=held, jobs=jobs,
        cluster=cluster, progress=progress,
    )  # fmt: skip
    if words := failed_words(run):
        warnings.warn(words, FailedFits, stacklevel=2)
    return run


def report(
    run: Run | ScoreRun | str | os.PathLike[str],
    *others: Run | str | os.PathLike[str],
    bench: Benchmark | str | os.PathLike[str] | None = None,
    dataset: str | None = None,
    lower: Sequence[str] = (),
    out: str | os.PathLike[str] | None = None,
) -> Report:
    """The report of a run or a run folder; ``.save("page.html")`` writes one self-contained page.

    Several comparisons get one report on all of them: a test over all their data sets, and what more trainers bring.

    Scores that somebody else computed are reported like those of a run: give the path of a CSV, of a ``zc_*.json`` of
    NAS-Bench-Suite-Zero, or of the table that `convert` made of it (`reports.correlation.precomputed`).

    Args:
        bench: whose accuracies such scores are compared with.
        dataset: whose scores and accuracies, where a file has several.
        lower: names of scores that are better lower.
        out: the run folder that such scores become; default: one under ``runs/``.
    """
    from .bench.errors import BadValue
    from .proxies.score_run import ScoreRun
    from .reports import report
    from .reports.report import is_scores
    from .searchers import Run

    if is_scores(run) and not others:
        from .reports.correlation.precomputed import precomputed

        run = precomputed(run, None if bench is None else _opened(bench), out, dataset=dataset, lower=lower)  # type: ignore[arg-type]
    elif bench is not None or dataset is not None or lower or out is not None:
        raise BadValue("bench, dataset, lower and out are about a file of scores, not about a run folder")
    folders = [each.folder if isinstance(each, ScoreRun) else each for each in (run, *others)]
    for each in folders:
        if not isinstance(each, (Run, str, os.PathLike)):
            raise BadValue(f"{each!r} is no run; give a run or the path of its folder")
    return report(*(each if isinstance(each, Run) else Run(each) for each in folders))


def __getattr__(name: str) -> Any:
    if name in _FLOORS:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'nasgauge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_FLOORS})
