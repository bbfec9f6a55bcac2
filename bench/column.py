"""One measured quantity of every architecture: the numbers, their axes and where they come from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .errors import BadValue

INTERNAL = "_"  # how names of bookkeeping begin
PROVENANCES = ("measured", "estimated", "simulated", "predicted", "computed")
LESS_IS_BETTER = re.compile(r".*_(loss|seconds|millions)|(latency_ms|energy_mj):.*")


def less_is_better(metric: str) -> bool:
    """Whether the smallest value of a metric is its best: of losses, seconds, parameters, FLOPs, latency and energy.

    >>> [less_is_better(metric) for metric in ("test_accuracy", "test_loss", "latency_ms:edgegpu")]
    [False, True, True]
    """
    return LESS_IS_BETTER.fullmatch(metric) is not None


@dataclass(frozen=True)
class Column:
    """Values of one metric for all architectures of a space, NaN where nothing was measured.

    The axes of ``values`` say what they are:

    ==================================  =====================================================
    ``budget`` None, (arch,)            a property of the architecture (parameters, latency)
    ``budget`` set, seeds None, (arch,) mean over runs, where single runs are not (all) known
    seeds set, (arch, seed)             end of each training run
    seeds set, (arch, seed, epoch)      checkpoints of each run after ``epochs`` (default 1, 2, ...)
    ==================================  =====================================================

    ``dataset`` is the name a user asks by; ``trained_on`` and ``evaluated_on`` say in words what that means.
    ``means_over`` says in words what a mean column averages. ``alias_of`` is the path of an earlier column with equal
    values under another name; they are stored once. With ``out_of``, ``values`` are integer counts of pictures out of
    so many, -1 where nothing was measured; they are stored as such and read as percent. Units are in the metric's
    name: ``*_accuracy`` percent, ``*_seconds``, ``params_millions``, ``flops_millions``, ``latency_ms:DEVICE``,
    ``energy_mj:DEVICE``.

    A metric whose name begins with an underscore is bookkeeping of the converter: who knows the table reads it by its
    path; no benchmark shows it, and nobody can query it.
    """

    metric: str
    values: npt.NDArray[np.generic] = field(repr=False)
    dataset: str | None = None
    budget: int | None = None
    seeds: tuple[int, ...] | None = None
    trained_on: str = ""
    evaluated_on: str = ""
    means_over: str = ""
    provenance: str = "measured"
    sources: tuple[str, ...] = ()
    epochs: tuple[int, ...] | None = None
    alias_of: str = ""
    out_of: int | None = None

    def __post_init__(self) -> None:
        if self.provenance not in PROVENANCES:
            raise BadValue(f"provenance {self.provenance!r} of {self.path!r}; legal: {', '.join(PROVENANCES)}")
        if self.values.dtype.kind not in "iuf":
            raise BadValue(f"column {self.path!r} holds dtype {self.values.dtype}; a column holds numbers")
        if self.out_of is not None and (self.out_of < 1 or self.values.dtype.kind != "i"):
            raise BadValue(
                f"column {self.path!r}: counts out of {self.out_of} of dtype {self.values.dtype}; give signed integers"
            )
        axes = 1 if self.seeds is None else self.values.ndim
        if self.values.ndim != axes or axes > 3 or (self.seeds is not None and axes < 2):
            raise BadValue(f"column {self.path!r} has shape {self.values.shape}, which does not fit seeds={self.seeds}")
        if self.seeds is not None and (self.budget is None or len(self.seeds) != self.values.shape[1]):
            raise BadValue(f"column {self.path!r}: seeds {self.seeds} need a budget and one entry per run")
        if self.values.ndim == 3 and len(self.epochs or ()) not in (0, self.values.shape[2]):
            raise BadValue(f"column {self.path!r} names {len(self.epochs or ())} epochs for shape {self.values.shape}")

    @property
    def checkpoints(self) -> tuple[int, ...] | None:
        """Epochs of the last axis of a curve, None elsewhere."""
        if self.values.ndim != 3:
            return None
        return self.epochs or tuple(range(1, self.values.shape[2] + 1))

    @property
    def kind(self) -> str:
        """One of static, mean, runs, curves."""
        if self.seeds is None:
            return "static" if self.budget is None else "mean"
        return "runs" if self.values.ndim == 2 else "curves"

    @property
    def path(self) -> str:
        """Where the column lies in the file: data set / budget / metric / kind."""
        budget = "static" if self.budget is None else str(self.budget)
        return f"{self.dataset or 'any'}/{budget}/{self.metric}/{self.kind}"
