"""The parts of an encoding run: neighbours, pairs, maps and transfer of its architectures, one frame each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...bench.benchmark import Benchmark
from ...bench.run_folder import read_frame
from ...bench.spaces import Ids
from ...bench.surrogate.surrogate import Question
from ..predictors.encoded import Encoded
from ..threads import one_thread_learning
from . import encoding_geometry as geometry
from .encoding_transfer import crossings, transferred
from .judging import scale_of
from .run import Run

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

SHOWN = 5  # nearest neighbours that are drawn
PLAIN = ("all others", "one edit")
"""What nearest neighbours are compared with: any architecture, and those one change away in the space itself."""


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


def make_part(bench: Benchmark, run: Run, kind: str, name: str) -> int:
    """One part of the run."""
    with one_thread_learning():
        frame = PARTS[kind](bench, run, name)
    run.write_part(part_name(kind, name), frame)
    return 1


def _archs(bench: Benchmark, run: Run, name: str) -> pd.DataFrame:
    """The architectures of the pool: ``id``, ``params``, ``flops`` (10 classes), ``accuracy:DATASET``, ``mapped``."""
    import pandas as pd

    ids = looked_among(bench, run)
    mapped = np.isin(np.arange(len(ids)), _some(run, len(ids), "mapped"))
    table = {"id": ids, **_costs(bench, ids), "mapped": mapped}
    return pd.DataFrame(table | {f"accuracy:{name}": values[ids] for name, values in all_values(bench, run).items()})


def _neighbours(bench: Benchmark, run: Run, name: str) -> pd.DataFrame:
    """One row a centre and data set: how much its neighbours differ from it, in accuracy and in percentiles of it.

    ``neighbours`` names the encoding, or one of `PLAIN`; ``gap`` [the metric's unit] and ``rank_gap`` [percent of all]
    are mean absolute differences, NaN where no neighbour was measured.
    """
    import pandas as pd

    ids = looked_among(bench, run)
    centres = _some(run, len(ids), "centres")
    known = all_values(bench, run)
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

    ids = looked_among(bench, run)
    rows = StoredRows(run.folder, name)(ids)
    order = np.argsort(next(iter(all_values(bench, run).values()))[ids], kind="stable")
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

    ids = looked_among(bench, run)
    one, other = geometry.disjoint_pairs(len(ids), run.config["pairs"], _rng(run, "pairs"))
    if name:
        rows = StoredRows(run.folder, name)(ids)
        return pd.DataFrame({"encoding": name, "distance": geometry.pair_distances(rows, one, other)})
    columns: dict[str, npt.NDArray[Any]] = {**_costs(bench, ids)}
    columns |= {f"accuracy:{dataset}": values[ids] for dataset, values in all_values(bench, run).items()}
    gaps = {column: np.abs(values[one].astype(np.float64) - values[other]) for column, values in columns.items()}
    return pd.DataFrame({"one": ids[one], "other": ids[other], **gaps})


def _map(bench: Benchmark, run: Run, name: str) -> pd.DataFrame:
    """Where architectures lie in two dimensions: ``encoding``, ``id``, ``pca_x``, ``pca_y``, ``tsne_x``, ``tsne_y``.

    ``share_x`` and ``share_y`` repeat the share of the variance along each principal component.
    """
    import pandas as pd

    ids = looked_among(bench, run)
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

    ids = looked_among(bench, run)
    encoding, _, head = name.rpartition("+")
    model, config = model_of(run, encoding, head), run.config
    sizes = sorted({config["fit_on"], config["sizes"][-1]})
    rows: list[dict[str, Any]] = []
    values = all_values(bench, run)
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


def all_values(bench: Benchmark, run: Run) -> dict[str, Floats]:
    """By data set the number of every architecture, (n_arch,), NaN where nobody measured it."""
    every = np.arange(bench.space.size)
    return {
        str(each["dataset"]): bench.query(every, each["metric"], dataset=each["dataset"], budget=each["budget"])
        for each in run.config["questions"]
    }


def looked_among(bench: Benchmark, run: Run) -> Ids:
    """Architectures with a number on every data set, one of each class, a draw where there are many; ascending."""
    known = ~np.isnan(np.stack(list(all_values(bench, run).values()))).any(axis=0)
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


def model_of(run: Run, encoding: str, head: str) -> Encoded:
    return Encoded(encoding, head, StoredRows(run.folder.resolve(), encoding))
