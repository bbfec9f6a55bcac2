"""Encoding runs: what encodings of architectures are worth, on one table, into one run folder.

Beside its own parts the folder holds two further run folders: ``predictors`` (`stretching`) and, where searchers are
named, ``searches`` (`experiment`); each has a page of its own, too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...bench.benchmark import Benchmark
from ...bench.describe import identity
from ...bench.environment import environment
from ...bench.errors import BadValue, UnknownName
from ...bench.parallel import answers, counted
from ...bench.run_folder import folder_for, read_frame
from ...bench.spaces import Ids
from ...bench.surrogate.surrogate import Question
from ...bench.whole import whole_file
from ..predictors.encoded import Encoded
from ..predictors.heads import HEADS
from . import encoding_geometry as geometry
from .encoding_transfer import crossings, transferred
from .judging import scale_of
from .run import Run
from .stretching import held_out, surrogate

if TYPE_CHECKING:
    import pandas as pd

    from ..searcher import Recipe

Floats = npt.NDArray[np.float64]

ASKED = (
    "kind", "benchmark", "questions", "encodings", "heads", "fit_on", "sizes", "draws", "held", "pool", "centres",
    "neighbours", "pairs", "mapped", "searchers", "queries", "seeds", "base_seed",
)  # fmt: skip
"""The keys of run.json that decide the numbers."""
SIZES = (10, 20, 50, 100, 200, 500, 1000)
POOL, CENTRES, PAIRS, MAPPED = 10_000, 1_000, 5_000, 1_000
SHOWN = 5  # nearest neighbours that are drawn
PLAIN = ("all others", "one edit")
"""What nearest neighbours are compared with: any architecture, and those one change away in the space itself."""
PREDICTORS, SEARCHES = "predictors", "searches"


@dataclass(frozen=True)
class StoredRows:
    """Rows of one encoding as a run keeps them, asked by id."""

    folder: Path
    encoding: str

    def __call__(self, ids: Ids) -> npt.NDArray[np.float32]:
        """(n, d); only ids that the run chose to encode."""
        known = np.load(self.folder / "ids.npy", allow_pickle=False)
        rows = np.load(rows_file(self.folder, self.encoding), mmap_mode="r", allow_pickle=False)
        return np.asarray(rows[np.searchsorted(known, ids)])


def rows_file(folder: Path, encoding: str) -> Path:
    """Where a run keeps the rows of the architectures in ids.npy, (n, d) float32."""
    return folder / f"rows-{encoding}.npy"


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
    if jobs == 0:
        raise BadValue("jobs=0 given; legal: a number of processes, or -1 for one per core")
    _check(bench, encodings, heads, pool=pool, centres=centres, neighbours=neighbours, pairs=pairs, mapped=mapped,
           queries=queries, seeds=seeds, draws=draws, held=held, fit_on=fit_on)  # fmt: skip
    recipes = _recipes(searchers, encodings)
    metric = metric or ("test_accuracy" if "test_accuracy" in bench.metrics else "valid_accuracy")
    questions = [_question(bench, metric, dataset, budget) for dataset in datasets or _having(bench, metric)]
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
    if crossings(bench.space, _pool(bench, run)[:1]):
        work += [("transfer", f"{encoding}+{head}") for encoding in encodings for head in heads]
    left = [(kind, name) for kind, name in work if not run.part(part_name(kind, name)).exists()]
    found = answers(_do, [(bench, run, kind, name) for kind, name in left], jobs=jobs, cluster=cluster)
    for _ in counted(found, done=len(work) - len(left), total=len(work), progress=progress):
        pass
    models = [_model(run, encoding, head) for head in heads for encoding in encodings]
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


def part_name(kind: str, name: str) -> str:
    """Of one part of a run: its kind, and an encoding, a predictor, or nothing."""
    return f"{kind}-{name}" if name else kind


def frames(run: Run, kind: str) -> pd.DataFrame:
    """All finished parts of one kind ("neighbours", "nearest", ...) as one frame, encodings in the order asked."""
    import pandas as pd

    heads = [f"{encoding}+{head}" for encoding in run.config["encodings"] for head in run.config["heads"]]
    paths = [run.part(part_name(kind, name)) for name in ("", *run.config["encodings"], *heads)]
    found = [frame for path in paths if path.exists() and len(frame := read_frame(path))]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _do(bench: Benchmark, run: Run, kind: str, name: str) -> int:
    """One part of the run."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums in another order would be other numbers
        frame = PARTS[kind](bench, run, name)
    run.write_part(part_name(kind, name), frame)
    return 1


def _archs(bench: Benchmark, run: Run, name: str) -> pd.DataFrame:
    """The architectures of the pool: ``id``, ``params``, ``flops`` (10 classes), ``accuracy:DATASET``, ``mapped``."""
    import pandas as pd

    ids = _pool(bench, run)
    mapped = np.isin(np.arange(len(ids)), _some(run, len(ids), "mapped"))
    table = {"id": ids, **_costs(bench, ids), "mapped": mapped}
    return pd.DataFrame(table | {f"accuracy:{name}": values[ids] for name, values in _all_values(bench, run).items()})


def _neighbours(bench: Benchmark, run: Run, name: str) -> pd.DataFrame:
    """One row a centre and data set: how much its neighbours differ from it, in accuracy and in percentiles of it.

    ``neighbours`` names the encoding, or one of `PLAIN`; ``gap`` [the metric's unit] and ``rank_gap`` [percent of all]
    are mean absolute differences, NaN where no neighbour was measured.
    """
    import pandas as pd

    ids = _pool(bench, run)
    centres = _some(run, len(ids), "centres")
    known = _all_values(bench, run)
    both = np.stack([each for values in known.values() for each in (values, geometry.percentiles(values))], axis=1)
    if name:
        k = run.config["neighbours"]
        gaps = {name: geometry.nearest_gaps(StoredRows(run.folder, name)(ids), centres, k, both[ids])}
    else:
        gaps = {
            PLAIN[0]: geometry.other_gaps(centres, both[ids]),
            PLAIN[1]: geometry.edit_gaps(bench.space, ids[centres], both),
        }
    return pd.concat([
        pd.DataFrame({"dataset": dataset, "neighbours": kind, "id": ids[centres], "gap": found[:, 2 * place],
                      "rank_gap": found[:, 2 * place + 1]})
        for kind, found in gaps.items() for place, dataset in enumerate(known)
    ])  # fmt: skip


def _nearest(bench: Benchmark, run: Run, name: str) -> pd.DataFrame:
    """The nearest neighbours of the best and of the middle architecture of the first data set, those that are drawn.

    Columns ``encoding``, ``asked`` ("best", "middle"), ``centre``, ``place`` (1 the nearest), ``id``, ``distance``.
    """
    import pandas as pd

    ids = _pool(bench, run)
    rows = StoredRows(run.folder, name)(ids)
    order = np.argsort(next(iter(_all_values(bench, run).values()))[ids], kind="stable")
    found = []
    for asked, centre in (("best", order[-1]), ("middle", order[len(order) // 2])):
        places, distances = geometry.nearest_few(rows, int(centre), SHOWN)
        found.append(pd.DataFrame({
            "encoding": name, "asked": asked, "centre": ids[centre], "place": np.arange(1, len(places) + 1),
            "id": ids[places], "distance": distances,
        }))  # fmt: skip
    return pd.concat(found)


def _pairs(bench: Benchmark, run: Run, name: str) -> pd.DataFrame:
    """Independent pairs: ``encoding`` and ``distance``; without a name the differences of params, FLOPs and values."""
    import pandas as pd

    ids = _pool(bench, run)
    one, other = geometry.disjoint_pairs(len(ids), run.config["pairs"], _rng(run, "pairs"))
    if name:
        rows = StoredRows(run.folder, name)(ids)
        return pd.DataFrame({"encoding": name, "distance": geometry.pair_distances(rows, one, other)})
    columns: dict[str, npt.NDArray[Any]] = {**_costs(bench, ids)}
    columns |= {f"accuracy:{dataset}": values[ids] for dataset, values in _all_values(bench, run).items()}
    gaps = {column: np.abs(values[one].astype(np.float64) - values[other]) for column, values in columns.items()}
    return pd.DataFrame({"one": ids[one], "other": ids[other], **gaps})


def _map(bench: Benchmark, run: Run, name: str) -> pd.DataFrame:
    """Where architectures lie in two dimensions: ``encoding``, ``id``, ``pca_x``, ``pca_y``, ``tsne_x``, ``tsne_y``.

    ``share_x`` and ``share_y`` repeat the share of the variance along each principal component.
    """
    import pandas as pd

    ids = _pool(bench, run)
    some = _some(run, len(ids), "mapped")
    rows = StoredRows(run.folder, name)(ids[some])
    flat, shares = geometry.principal_map(rows)
    near = geometry.neighbour_map(rows, _rng(run, "tsne"))
    return pd.DataFrame({
        "encoding": name, "id": ids[some], "pca_x": flat[:, 0], "pca_y": flat[:, 1], "tsne_x": near[:, 0],
        "tsne_y": near[:, 1], "share_x": shares[0], "share_y": shares[1],
    })  # fmt: skip


def _transfer(bench: Benchmark, run: Run, name: str) -> pd.DataFrame:
    """Draws of `encoding_transfer.transferred`, with ``model``, ``dataset`` and ``draw``."""
    import pandas as pd

    ids = _pool(bench, run)
    encoding, _, head = name.rpartition("+")
    model, config = _model(run, encoding, head), run.config
    sizes = sorted({config["fit_on"], config["sizes"][-1]})
    rows: list[dict[str, Any]] = []
    values = _all_values(bench, run)
    for question in map(_read_question, config["questions"]):
        for crossing in crossings(bench.space, ids):
            for draw in range(config["draws"]):
                rng = np.random.default_rng([config["base_seed"], draw])  # of all models the same draws
                known = values[str(question.dataset)][ids]
                found = transferred(bench.space, model, scale_of("log-error", question), crossing, ids, known, sizes,
                                    config["held"], rng)  # fmt: skip
                rows += [{"dataset": question.dataset, "model": name, "draw": draw, **row} for row in found]
    return pd.DataFrame(rows)


PARTS = {"archs": _archs, "neighbours": _neighbours, "nearest": _nearest, "pairs": _pairs, "map": _map,
         "transfer": _transfer}  # fmt: skip
STREAMS = ("pool", "centres", "mapped", "pairs", "tsne")


def _rng(run: Run, stream: str) -> np.random.Generator:
    return np.random.default_rng([run.config["base_seed"], 1 + STREAMS.index(stream)])


def _some(run: Run, n: int, stream: str) -> npt.NDArray[np.intp]:
    """Places of the architectures of the pool that are centres, or on the maps, ascending."""
    return np.sort(_rng(run, stream).permutation(n)[: run.config[stream]])


def _read_question(kept: dict[str, Any]) -> Question:
    return Question(kept["metric"], kept["dataset"], kept["budget"])


def _all_values(bench: Benchmark, run: Run) -> dict[str, Floats]:
    """By data set the number of every architecture, (n_arch,), NaN where nobody measured it."""
    every = np.arange(bench.space.size)
    return {
        str(each["dataset"]): bench.query(every, each["metric"], dataset=each["dataset"], budget=each["budget"])
        for each in run.config["questions"]
    }


def _pool(bench: Benchmark, run: Run) -> Ids:
    """Architectures with a number on every data set, one of each class, a draw where there are many; ascending."""
    known = ~np.isnan(np.stack(list(_all_values(bench, run).values()))).any(axis=0)
    ids = geometry.one_of_each_class(bench.space, np.flatnonzero(known))
    return np.sort(_rng(run, "pool").permutation(ids)[: run.config["pool"]])


def _costs(bench: Benchmark, ids: Ids) -> dict[str, npt.NDArray[np.int64]]:
    """Params and FLOPs, of spaces that have a formula."""
    found = {}
    for name in ("params", "flops"):
        try:
            found[name] = getattr(bench.space, name)(ids)
        except NotImplementedError:
            continue
    return found


def _model(run: Run, encoding: str, head: str) -> Encoded:
    return Encoded(encoding, head, StoredRows(run.folder.resolve(), encoding))


def _encode(bench: Benchmark, run: Run) -> None:
    """Rows of everything that the run looks at, in every encoding, once; what is there already stays."""
    from ...proxies.encodings import vectors

    config = run.config
    missing = [each for each in config["encodings"] if not rows_file(run.folder, each).exists()]
    if not missing:
        return
    looked_at = [_pool(bench, run)]
    for values in _all_values(bench, run).values():
        looked_at += [ids for draw in range(config["draws"]) for ids in held_out(bench, config, draw, values)]
    ids = np.unique(np.concatenate(looked_at))
    _save(run.folder / "ids.npy", ids)
    for encoding in missing:
        _save(rows_file(run.folder, encoding), vectors(bench.space, encoding, ids))


def _save(path: Path, array: npt.NDArray[Any]) -> None:
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _having(bench: Benchmark, metric: str) -> list[str | None]:
    found = [entry.dataset for entry in bench.index.entries if entry.metric == metric]
    return list(dict.fromkeys(found)) or [None]


def _question(bench: Benchmark, metric: str, dataset: str | None, budget: int | None) -> Question:
    entry = bench.index.find(metric, dataset, budget, ("runs", "mean"))
    return Question(metric, entry.dataset, entry.budget)


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
    for what, given, known in (("encoding", encodings, legal), ("head", heads, list(HEADS))):
        if not given or len(set(given)) < len(given):
            raise BadValue(f"{what}s {', '.join(given) or 'none'} given; give at least one, each once")
        for name in given:
            if name not in known:
                raise UnknownName.of(f"{what} of space {bench.space.name!r}", name, known)
    least = {"pool": 100, "centres": 2, "pairs": 4, "mapped": 10, "held": 2, "fit_on": 10}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least.get(name, 1):
            raise BadValue(f"{name}={value!r}; give an integer of at least {least.get(name, 1)}")
