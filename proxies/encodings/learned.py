"""Encoders that are trained before they encode: their names, and one call that trains one into a folder."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...bench.errors import UnknownName
from ...bench.live import need_torch
from ...bench.spaces import Cells101, Space, Topology
from ...bench.whole import write_whole

if TYPE_CHECKING:
    from .checkpoints import Checkpoint
    from .pretraining import Pretraining

LEARNED = {"cate": "cate_training:CatePretraining", "arch2vec": "arch2vec_training:Arch2vecPretraining"}
"""Encoders by name: module and class of what they learn from; beside it lies `settings_for`, its settings."""

SPACES = (Topology, Cells101)
WEIGHTS = "weights.npz"
CURVES = "curves.csv"


def pretraining(space: Space, encoder: str, **settings: Any) -> Pretraining:
    """What ``encoder`` learns from on ``space``, with the settings of the shipped weights and changes.

    Raises:
        UnknownName: no such learned encoder, or not for this space.
        BadValue: an unknown setting, or a value it cannot have.
    """
    if encoder not in LEARNED:
        raise UnknownName.of("learned encoder", encoder, LEARNED, "Fixed encodings need no training.")
    if not isinstance(space, SPACES):
        raise UnknownName.of("space of a learned encoder", space.name, [kind.name for kind in SPACES])
    need_torch(f"training {encoder!r}")
    name, _, kind = LEARNED[encoder].partition(":")
    module = importlib.import_module(f".{name}", __package__)
    made: Pretraining = getattr(module, kind)(space, module.settings_for(space, **settings))
    return made


def train(
    space: Space,
    encoder: str,
    out: str | os.PathLike[str],
    *,
    device: str = "cpu",
    precision: Literal["fp32", "bf16"] = "fp32",
    compiled: bool = False,
    progress: bool = False,
    **settings: Any,
) -> Path:
    """Train ``encoder`` into the folder ``out``; call it again to go on after a kill. Answers the file of weights.

    The folder gets weights.npz (written whole after every epoch) and, at the end, curves.csv (a line an epoch).

    Args:
        precision: "bf16" computes in 16 bits what may be.
        compiled: run the network through ``torch.compile``.
        settings: `cate_training.CateSettings` or `arch2vec_training.Arch2vecSettings`, by name.

    Raises:
        BadValue: the folder holds a training with other settings; also what `pretraining` raises.
        BadFile: its weights are damaged.
    """
    task = pretraining(space, encoder, **settings)
    from .pretraining import pretrain

    path = Path(out) / WEIGHTS
    done = pretrain(task, path, device=device, precision=precision, compiled=compiled, progress=progress)
    write_whole(path.with_name(CURVES), _lines(done).encode())
    return path


def _lines(checkpoint: Checkpoint) -> str:
    names = sorted(checkpoint.curves)
    rows = zip(*(checkpoint.curves[name].tolist() for name in names), strict=True)
    lines = [",".join(f"{value:.6g}" for value in row) for row in rows]
    return "\n".join([",".join(["epoch", *names]), *(f"{epoch},{line}" for epoch, line in enumerate(lines, 1)), ""])
