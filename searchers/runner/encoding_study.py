"""Encoding runs: what encodings of architectures are worth, on one table, into one run folder.

Beside its own parts the folder holds two further run folders: ``predictors`` (`stretching`) and, where searchers are
named, ``searches`` (`experiment`); each has a page of its own, too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...bench.benchmark import Benchmark
from ...bench.counts import check_count, check_jobs
from ...bench.describe import identity
from ...bench.environment import environment
from ...bench.errors import BadValue, UnknownName
from ...bench.parallel import answers, counted
from ...bench.run_folder import folder_for
from ...bench.whole import whole_file
from ..predictors.heads import HEADS
from . import stretching
from .encoding_parts import all_values, looked_among, make_part, model_of, part_name, rows_file
from .encoding_transfer import crossings
from .questions import check_left, check_whole, default_metric, questions_of
from .run import Run
from .stretching import FEWEST, held_out, surrogate

if TYPE_CHECKING:
    from ..searcher import Recipe

Floats = npt.NDArray[np.float64]

ASKED = (
    "kind", "benchmark", "questions", "encodings", "heads", "fit_on", "sizes", "draws", "held", "pool", "centres",
    "neighbours", "pairs", "mapped", "searchers", "queries", "seeds", "base_seed",
)  # fmt: skip
"""The keys of run.json that decide the numbers."""
SIZES = (10, 20, 50, 100, 200, 500, 1000)
POOL, CENTRES, PAIRS, MAPPED = 10_000, 1_000, 5_000, 1_000
PREDICTORS, SEARCHES = "predictors", "searches"


def encoding_study(
    bench: Benchmark,
    folder: str | os.PathLike[str] | None = None,
    *,
    encodings: Sequence[str],
    heads: Sequence[str] = tuple(HEADS),
    datasets: Sequence[str] = (),
    metric: str | None = None,
    budget: int | None = None,
    fit_on: int = 100,
    sizes: Sequence[int] = SIZES,
    draws: int = 10,
    held: int = 1_000,
    pool: int = POOL,
    centres: int = CENTRES,
    neighbours: int = 10,
    pairs: int = PAIRS,
    mapped: int = MAPPED,
    searchers: Sequence[str] = (),
    queries: int = 150,
    seeds: int = 20,
    base_seed: int = 0,
    jobs: int = -1,
    cluster: str | None = None,
    progress: bool = False,
) -> Run:
    """Measure encodings on one table: predictors, neighbourhoods, distances, maps, transfer and, if asked, searches.

    The folder may hold an earlier, killed start of the same: what is finished is not done again. Results depend on
    neither ``jobs`` nor ``cluster``.

    Args:
        folder: default: one under ``runs/`` named after what is asked.
        encodings: names in `proxies.encodings` that answer rows; predictors of the others are compared with the first.
        heads: what learns from rows (`searchers.predictors.heads`).
        datasets, metric, budget, fit_on, sizes, draws, held: as of `stretching.surrogate`.
        pool: neighbours, pairs and maps are looked for among so many architectures at most, drawn once, one of each
            isomorphism class.
        centres: architectures whose neighbours are looked at.
        neighbours: how many nearest ones of each.
        pairs: independent pairs whose distance is compared with how much they differ in size.
        mapped: architectures on the maps.
        searchers: names of searchers that take an encoding (dngo, predicted-evolution, nearest): each is run with
            every encoding beside random search, ``seeds`` times ``queries`` evaluations.

    Raises:
        BadValue: a number that is too small, or something twice; nothing left to predict.
        UnknownName, NotMeasured: no such encoding, head, searcher or column.
    """
    check_jobs(jobs)
    _check(bench, encodings, heads, pool=pool, centres=centres, neighbours=neighbours, pairs=pairs, mapped=mapped,
           queries=queries, seeds=seeds, draws=draws, held=held, fit_on=fit_on, base_seed=base_seed)  # fmt: skip
    recipes = _recipes(searchers, encodings)
    metric = metric or default_metric(bench)
    questions = questions_of(bench, metric, datasets, budget)
    for size in sizes:
        check_whole("sizes", size, FEWEST)
    for question in questions:
        check_left(bench, question, max([*sizes, fit_on]))
    config = {
        "kind": "encodings", "benchmark": identity(bench), "questions": [asdict(each) for each in questions],
        "encodings": list(encodings), "heads": list(heads), "fit_on": fit_on,
        "sizes": sorted({*map(int, sizes), fit_on}), "draws": draws, "held": held, "pool": pool, "centres": centres,
        "neighbours": neighbours, "pairs": pairs, "mapped": mapped, "searchers": list(searchers), "queries": queries,
        "seeds": seeds, "base_seed": base_seed, **environment("scikit-learn"),
    }  # fmt: skip
    if folder is None:
        folder = folder_for(f"encodings-{bench.name}", config, ASKED)
    run = Run.create(folder, config, ASKED)
    _encode(bench, run)
    work = [("archs", ""), *((kind, encoding) for kind in ("neighbours", "pairs") for encoding in ("", *encodings))]
    work += [(kind, encoding) for kind in ("nearest", "map") for encoding in encodings]
    if crossings(bench.space, looked_among(bench, run)[:1]):
        work += [("transfer", f"{encoding}+{head}") for encoding in encodings for head in heads]
    left = [(kind, name) for kind, name in work if not run.part(part_name(kind, name)).exists()]
    found = answers(make_part, [(bench, run, kind, name) for kind, name in left], jobs=jobs, cluster=cluster)
    for _ in counted(found, done=len(work) - len(left), total=len(work), progress=progress):
        pass
    models = [model_of(run, encoding, head) for head in heads for encoding in encodings]
    surrogate(
        bench, run.folder / PREDICTORS, models=models,
        datasets=[str(each.dataset) for each in questions], metric=metric, budget=budget, fit_on=fit_on, sizes=sizes,
        draws=draws, base_seed=base_seed, held=held, jobs=jobs, cluster=cluster, progress=progress,
    )  # fmt: skip
    if recipes:
        from .experiment import compare

        compare(
            bench, recipes, run.folder / SEARCHES, datasets=[str(each.dataset) for each in questions],
            queries=queries, seeds=seeds, base_seed=base_seed, jobs=jobs, cluster=cluster, progress=progress,
        )  # fmt: skip
    return run


def failed_words(run: Run) -> list[str]:
    """A sentence on the fits, and one on the searches, that broke off with an error, if any did."""
    said = [stretching.failed_words(Run(run.folder / PREDICTORS))]
    if (run.folder / SEARCHES / "run.json").exists():
        said.append(Run(run.folder / SEARCHES).failed_words())
    return [words for words in said if words]


def _encode(bench: Benchmark, run: Run) -> None:
    """Rows of everything that the run looks at, in every encoding, once; what is there already stays."""
    from ...proxies.encodings import vectors

    config = run.config
    missing = [each for each in config["encodings"] if not rows_file(run.folder, each).exists()]
    if not missing:
        return
    chosen = [looked_among(bench, run)]
    for values in all_values(bench, run).values():
        chosen += [ids for draw in range(config["draws"]) for ids in held_out(bench, config, draw, values)]
    ids = np.unique(np.concatenate(chosen))
    _save(run.folder / "ids.npy", ids)
    for encoding in missing:
        _save(rows_file(run.folder, encoding), vectors(bench.space, encoding, ids))


def _save(path: Path, array: npt.NDArray[Any]) -> None:
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _recipes(names: Sequence[str], encodings: Sequence[str]) -> list[Recipe]:
    """Random search, and every searcher on every encoding."""
    from .. import SEARCHERS, random

    takes = ("dngo", "nearest", "predicted-evolution")
    for name in names:
        if name not in takes:
            raise UnknownName.of("searcher on an encoding", name, takes)
    found = [
        SEARCHERS[name](label=f"{name}, {encoding}", encoding=encoding) for name in names for encoding in encodings
    ]
    return [random(), *found] if found else []


def _check(bench: Benchmark, encodings: Sequence[str], heads: Sequence[str], **numbers: int) -> None:
    from ...proxies.encodings import encodings as known_encodings

    legal = known_encodings(bench.space, vectors=True)
    here = f"encoding of space {bench.space.name!r}"
    for what, given, known in ((here, encodings, legal), ("head", heads, list(HEADS))):
        if not given or len(set(given)) < len(given):
            raise BadValue(f"{what}: {', '.join(given) or 'none'} given; give at least one, each once")
        for name in given:
            if name not in known:
                raise UnknownName.of(what, name, known)
    least = {"base_seed": 0, "pool": 100, "centres": 2, "pairs": 4, "mapped": 10, "held": 2, "fit_on": 10}
    for name, value in numbers.items():
        check_count(name, value, least=least.get(name, 1))
