"""A benchmark of one's own: every class of a space trained for real, into a table."""

from __future__ import annotations

import os
from pathlib import Path

from ..counts import check_count
from ..errors import BadValue
from ..parallel import answers, counted
from ..spaces import Space
from .build_run import BuildRun
from .build_table import write_build
from .build_training import train_part, train_parts_together
from .device import device_of
from .images import Images
from .networks import check_trainable
from .protocol import Protocol


def build(
    space: Space,
    images: Images,
    *,
    out: str | os.PathLike[str],
    budget: int = 12,
    seeds: int = 3,
    sample: int | None = None,
    protocol: Protocol | None = None,
    run: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    jobs: int = -1,
    cluster: str | None = None,
    loss_curves: bool = True,
    licence: str = "not stated",
    progress: bool = False,
) -> Path:
    """Train one architecture of every isomorphism class with every seed, and write the table; answers its path.

    Killed at any moment, the same call goes on where it was: what is trained lies in the run folder, in parts that
    appear whole. The numbers depend on space, images, protocol and seeds, not on jobs, kills or the order of work
    (measured seconds aside; a GPU adds up in an order of its own, so its last digits differ from a CPU's).

    Args:
        out: path of the table; its stem becomes the table's name.
        budget: epochs of every training.
        seeds: trainings of every class, with the seeds 0, 1, ...
        sample: train only so many classes, drawn at random; the others are unknown to the table. A later call with a
            larger sample trains the difference.
        protocol: skeleton and recipe; default: `Protocol.of` the images.
        run: the run folder; default: ``runs/NAME``.
        device: "cpu", "cuda" or "cuda:N". In the topology space a CPU trains the seeds of a class together where
            pictures are small (measured to be the faster way), a GPU as many classes as its memory holds; all other
            networks train one by one.
        jobs: processes on a CPU; -1: one per core.
        cluster: address of a Dask scheduler whose workers train instead.
        loss_curves: whether the table keeps the losses of every epoch, which take half of its bytes, or of the last.
        licence: of the table.

    Raises:
        BadValue: an illegal argument, or a run folder that holds another build.
    """
    out = Path(out)
    check_trainable(space)
    check_count("seeds", seeds, "the trainings of every class")
    protocol = protocol or Protocol.of(images, budget, space)
    if protocol.recipe.epochs != budget:
        raise BadValue(f"budget={budget}, but the protocol's recipe trains {protocol.recipe.epochs} epochs")
    protocol.macro.check_image(images.shape)
    target = device_of(device)
    folder = Path(run) if run is not None else Path("runs") / out.stem
    build_run = BuildRun(folder, space, images, protocol, tuple(range(seeds)))
    parts = build_run.parts(sample)
    build_run.start()
    missing = build_run.missing(parts)
    if target.type == "cpu":
        done = answers(train_part, [(build_run, part) for part in missing], jobs=jobs, cluster=cluster)
    else:
        done = train_parts_together(build_run, missing, target)
    for part, content in counted(done, done=len(parts) - len(missing), total=len(parts), progress=progress):
        build_run.write(part, content)
    return write_build(build_run, out, sample=sample, loss_curves=loss_curves, licence=licence)
