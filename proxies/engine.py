"""The scoring engine: many architectures, many proxies, one pass each; killable, resumable, over many machines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..bench.benchmark import Benchmark
from ..bench.counts import check_count, check_jobs
from ..bench.environment import environment
from ..bench.errors import BadValue, NotMeasured
from ..bench.live import need_torch
from ..bench.parallel import answers, counted
from ..bench.run_folder import folder_for, write_frame
from ..bench.spaces import Architectures, Ids, Space
from ..bench.spaces import space as space_called
from .memory import kept
from .names import chosen
from .plan import ASKED, Piece, Plan, architectures, skeleton
from .score_run import ARCHITECTURES, COLUMNS, ScoreRun, part_of

if TYPE_CHECKING:
    import pandas as pd

    from ..bench.live.images import Images
    from ..bench.live.macro import Macro, StackMacro
    from .minibatch import Minibatches
    from .proxy import Batch
    from .work import Row, Work

TRUTHS = ("valid_accuracy", "test_accuracy", "valtest_accuracy")
COST = "search_seconds"


def score(
    bench: Benchmark | Space | str,
    proxies: Iterable[Any],
    folder: str | os.PathLike[str] | None = None,
    *,
    archs: int | str | Architectures = 1000,
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
    progress: bool = False,
) -> ScoreRun:
    """Score untrained networks and keep every score in ``folder``.

    The folder may hold an earlier, killed start of the same run: what is finished is not done again. Scores do not
    depend on ``jobs``, ``cluster``, ``shard`` or the order of work: a network is computed by one thread of a
    processor, its weights and its minibatch follow from the seed. A proxy that raises an error is recorded with that
    error and NaN, and the run goes on (`ScoreRun.failures`).

    Args:
        bench: a benchmark, whose ground truth is kept beside the scores, or a bare space.
        proxies: names ("naswot", "knas:layers", "all"), objects (``ng.proxies.zen(repeats=4)``), or functions of your
            own ``f(network, batch)``, higher is better.
        folder: default: one under ``runs/`` named after what is asked, so that asking again goes on with it.
        archs: how many to draw (uniformly over ids, without replacement, by ``base_seed``), "all", or ids, texts or
            graphs.
        images: an `Images`, what `data.images.load` takes, or a `Batch` of your own; default: those of the
            benchmark's first data set (or of ``dataset``).
        image_folder: where official image files lie.
        batch: images of a minibatch, drawn from the training split without augmentation.
        seeds: networks and minibatches of every architecture, with the seeds ``base_seed``, ``base_seed + 1``, ...
        dataset: whose ground truth is kept; default: all data sets of the benchmark.
        macro: what surrounds a cell; default: see `plan.skeleton`.
        device: "cpu", "cuda" or "cuda:1".
        jobs: processes; -1 for one per core (on a GPU: one).
        cluster: address of a Dask scheduler that does the work instead, such as "tcp://host:8786".
        shard: "i/n": only every n-th part, from the i-th; n machines with i = 1 .. n do all of it, into one folder
            or into several that ``merge`` puts together.
        merge: folders of the same run, whose parts are taken over first.
        progress: show a progress bar on standard error.

    Raises:
        MissingPackage: PyTorch is not installed.
        UnknownName: no such proxy, image set or data set.
        BadValue: images that do not fit the network, a folder with something else in it, an illegal argument.
        NasgaugeError: a worker was killed; the same call goes on.
    """
    single, combinations = chosen(proxies)
    base, count = _shard(shard)
    check_jobs(jobs)
    check_count("seeds", seeds, "initial weights that each network is scored with")
    check_count("base_seed", base_seed, "the first seed", least=0)
    table = bench if isinstance(bench, Benchmark) else None
    space = table.space if table is not None else space_called(bench) if isinstance(bench, str) else bench
    assert isinstance(space, Space)
    ids, sample = architectures(space, archs, base_seed)
    datasets = () if table is None else _datasets(table, dataset)
    around, law, minibatches, kind = None, None, None, "cpu"
    if any(proxy.score is not None for proxy in single):
        need_torch("a score of a network")
        from ..bench.live.device import device_of

        kind = device_of(device).type
        second = any("second_gradients" in proxy.reads for proxy in single)
        minibatches = _minibatches(images, image_folder, datasets, batch, second)
        around, law = skeleton(table, space, minibatches.shape, macro)
        batch = minibatches.size
    plan = Plan(
        table, space, ids, sample, tuple(single), tuple(combinations), tuple(range(base_seed, base_seed + seeds)),
        batch, kind, around, law, datasets, minibatches,
    )  # fmt: skip
    run = _start(plan, folder, device, merge)
    for other in merge:
        run.merge(other)
    mine = plan.pieces()[base::count]
    left = [piece for piece in mine if not run.part(piece.name).exists()]
    together = sum(len(piece.ids) for piece in mine)
    found = _scored(plan, left, device, jobs if kind == "cpu" else 1, cluster)
    done = together - sum(len(piece.ids) for piece in left)
    bar = counted(found, done=done, total=together, progress=progress, unit="network", size=lambda part: len(part[1]))
    with kept():
        for piece, rows in bar:
            run.write_part(piece.name, part_frame(rows))
    return run


def part_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """The rows of one part; errors are texts even where there are none."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    return frame.astype({name: "string" for name in frame if str(name).endswith("_error")})


def _scored(plan: Plan, left: Sequence[Piece], device: str, jobs: int, cluster: str | None) -> Any:
    """Parts as they are ready; in this process, over processes, or on a cluster."""
    from .work import Work, packed, score_piece

    if not left:
        return iter(())
    here = cluster is None and (jobs == 1 or len(left) == 1)
    shared: dict[tuple[str, int], Work | bytes] = {}
    for group, seed in dict.fromkeys((piece.group, piece.seed) for piece in left):
        assert plan.minibatches is not None
        members = {proxy.name for proxy in plan.networked[group]}
        combined = {
            each.name: tuple(part for part in each.parts if part in members)
            for each in plan.combinations if group == "class" and members & set(each.parts)
        }  # fmt: skip
        work = Work(
            plan.space, tuple(plan.networked[group]), combined, plan.minibatches.of(seed), seed, plan.macro, plan.law,
            device,
        )  # fmt: skip
        shared[group, seed] = work if here else packed(work)
    pieces = [(shared[piece.group, piece.seed], piece) for piece in left]
    return answers(score_piece, pieces, jobs=1 if here else jobs, cluster=cluster)


def _start(
    plan: Plan, folder: str | os.PathLike[str] | None, device: str, merge: Sequence[str | os.PathLike[str]]
) -> ScoreRun:
    """The run folder, with everything in it that needs no network; refused if ``merge`` names other runs."""
    config = {**plan.statement(), **environment(*(() if plan.minibatches is None else ("torch",)))}
    if plan.minibatches is not None:
        from ..bench.live.device import describe, device_of

        config["host"]["device"] = describe(device_of(device)) if plan.device != "cpu" else "cpu"
    for other in merge:
        part_of(config, other)
    if folder is None:
        folder = folder_for(f"scores-{config['benchmark']['name']}", config, ASKED)
    run = ScoreRun.create(folder, config, ASKED)
    made: dict[str, Callable[[], pd.DataFrame]] = {ARCHITECTURES: partial(_architectures, plan)}
    if plan.columns:
        made[COLUMNS] = partial(_columns, plan)
    if plan.bench is not None:
        made |= {f"truth-{name}.parquet": partial(ground_truth, plan.bench, plan.ids, name) for name in plan.datasets}
    for name, make in made.items():
        if not (run.folder / name).exists():
            write_frame(run.folder / name, make())
    return run


def _architectures(plan: Plan) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"id": plan.ids, "class": plan.classes})


def _columns(plan: Plan) -> pd.DataFrame:
    """Scores that need no network, (architecture, seed), with the seconds that one took."""
    import pandas as pd

    from .subject import Asked

    frames = []
    for seed in plan.seeds:
        columns: dict[str, Any] = {"id": plan.ids, "seed": seed}
        for proxy in plan.columns:
            assert proxy.column is not None
            start = time.perf_counter()
            columns[proxy.name] = proxy.column(Asked(plan.space, seed, plan.bench), plan.ids)
            columns[f"{proxy.name}_seconds"] = (time.perf_counter() - start) / len(plan.ids)
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def ground_truth(bench: Benchmark, ids: Ids, dataset: str) -> pd.DataFrame:
    """Accuracies of the architectures at every training length, and what it cost: means, and single runs if known."""
    import pandas as pd

    columns: dict[str, Any] = {"id": ids}
    for metric in (each for each in (*TRUTHS, COST) if each in bench.metrics):
        for budget in bench.index.budgets(metric, dataset):
            where: dict[str, Any] = {"dataset": dataset, "budget": budget}
            try:
                columns[f"{metric}@{budget}"] = bench.query(ids, metric, **where)
                runs = bench.query(ids, metric, **where, seed="all")
                names = bench.index.find(metric, dataset, budget, ("runs",)).seeds or ()
            except NotMeasured:
                continue
            columns |= {f"{metric}@{budget}:{seed}": runs[:, run] for run, seed in enumerate(names)}
    return pd.DataFrame(columns)


def _datasets(bench: Benchmark, asked: str | Sequence[str]) -> tuple[str, ...]:
    names = (asked,) if isinstance(asked, str) else tuple(asked)
    for name in names:
        bench.index.dataset(name, bench.metrics[0])
    return names or tuple(
        name for name in bench.datasets
        if any(bench.index.budgets(metric, name) for metric in TRUTHS if metric in bench.metrics)
    )  # fmt: skip


def _minibatches(
    images: str | os.PathLike[str] | Images | Batch | None,
    image_folder: str | os.PathLike[str] | None,
    datasets: Sequence[str],
    batch: int,
    second: bool,
) -> Minibatches:
    from ..bench.live.images import Images
    from ..data.images import load
    from .minibatch import Minibatches
    from .proxy import Batch

    if images is None:
        if not datasets:
            raise BadValue("images are needed; name a set such as 'cifar10' or 'digits', or give your own")
        images = datasets[0]
    if isinstance(images, (Images, Batch)):
        return Minibatches(images, batch, second)
    if not isinstance(images, (str, os.PathLike)):
        given = type(images).__name__
        raise BadValue(f"images of type {given}; give the name or path of a set, an Images, or ng.proxies.Batch(...)")
    return Minibatches(load(images, image_folder), batch, second)


def _shard(text: str) -> tuple[int, int]:
    """Place from 0 on and number of shards."""
    try:
        place, count = (int(part) for part in text.split("/"))
    except (ValueError, AttributeError):
        place = count = 0
    if not 1 <= place <= count:
        raise BadValue(f"shard={text!r}; legal: 'i/n' with i from 1 to n, such as '1/4'")
    return place - 1, count
