"""An objective without a table: what a searcher asks for is trained then and there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..clock import Clock
from ..counts import check_count
from ..errors import BadValue
from ..objective import Evaluation, Level, Objective, Trial
from ..spaces import Space
from .batches import Batches
from .build_run import BuildRun
from .build_training import one_thread, train_classes
from .device import device_of
from .images import Images
from .networks import check_trainable
from .protocol import Protocol


class LiveObjective(Objective):
    """The objective of a search that trains for real; searchers, clocks and `Workers` take it as any other.

    An evaluation tells the mean validation accuracy over ``seeds`` trainings [percent] and costs the seconds that they
    and one validation pass each were measured to take. Every isomorphism class is trained once for every training
    length; an architecture asked again is told, and charged, the same.

    Args:
        images: what is trained on; the validation split may not be empty.
        budget: epochs of the training of a bare id.
        budgets: further training lengths [epochs] that a `Trial` may ask for.
        protocol: skeleton and recipe, whose epochs each training length replaces; default: `Protocol.of` the images.
        seeds: trainings of every class, with the seeds ``base_seed``, ``base_seed + 1``, ...
        folder: where finished trainings are kept, so that a killed search goes on as it would have: what was trained
            before is told with the seconds it took then.
        costs, allowed: see `Objective`.

    Raises:
        BadValue: a space that cannot be trained, images without a validation split, a folder of something else.
    """

    def __init__(
        self,
        space: Space,
        images: Images,
        clock: Clock,
        *,
        budget: int,
        budgets: Iterable[int] = (),
        protocol: Protocol | None = None,
        seeds: int = 1,
        base_seed: int = 0,
        device: str = "cpu",
        folder: str | os.PathLike[str] | None = None,
        costs: npt.NDArray[np.float64] | None = None,
        allowed: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        check_trainable(space)
        if not images.count("valid"):
            raise BadValue(f"{images.name} has no validation split, by which a searcher is told")
        check_count("seeds", seeds, "the trainings of every class")
        protocol = protocol or Protocol.of(images, budget, space)
        protocol.macro.check_image(images.shape)
        unknown = np.full(space.size, np.nan)
        levels = {length: Level(unknown.copy(), unknown.copy()) for length in {budget, *budgets}}
        super().__init__(
            space, levels[budget].values, levels[budget].seconds, clock, budget=budget, levels=levels, costs=costs,
            allowed=allowed,
        )  # fmt: skip
        place = Path(folder) if folder is not None else None
        self._builds = {
            length: BuildRun(
                Path() if place is None else place / f"{length}-epochs", space, images, protocol.but(epochs=length),
                tuple(range(base_seed, base_seed + seeds)), classes_a_part=1,
            )
            for length in levels
        }  # fmt: skip
        self._kept = place is not None
        if self._kept:
            for build_run in self._builds.values():
                build_run.start()
        target = device_of(device)
        self._batches = Batches(images, target, channels_last=target.type == "cpu")
        self._classes = space.canonical(np.arange(space.size))

    def train(self, asked: int | Trial) -> tuple[Evaluation, int]:
        """See `Objective.train`; what was not asked before is trained first."""
        evaluation, run = super().train(asked)  # refuses what is no architecture or training length
        arch, length = evaluation.id, evaluation.budget
        if evaluation.value == evaluation.value or (self._allowed is not None and not self._allowed[arch]):
            return evaluation, run
        value, seconds = self._measure(int(self._classes[arch]), length)
        members = np.flatnonzero(self._classes == self._classes[arch])
        self._levels[length].values[members] = value
        self._levels[length].seconds[members] = seconds
        return super().train(asked)

    def _measure(self, arch: int, length: int) -> tuple[float, float]:
        """Validation accuracy [percent] and measured seconds of a class, trained now or before."""
        build_run = self._builds[length]
        part = int(np.flatnonzero(build_run.order == arch)[0])
        if self._kept and build_run.path(part).is_file():
            content = build_run.read(part)
        else:
            with one_thread() if self._batches.device.type == "cpu" else nullcontext():
                content = train_classes(build_run, np.array([arch]), self._batches)
            if self._kept:
                if not build_run.path(part).is_file():  # else another process was faster: everyone tells the same
                    build_run.write(part, content)
                content = build_run.read(part)
        correct = content["valid_correct"][0, :, -1].astype(np.float64)
        seconds = content["train_seconds"].astype(np.float64) + content["valid_seconds"].astype(np.float64)
        return float(100 * correct.mean() / build_run.images.count("valid")), float(seconds.sum())
